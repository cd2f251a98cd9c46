import JSON
import Manifest
import Platform

/// `devmesh check`
enum CheckCommand: Subcommand {
    static let spec = CommandSpec(
        name: "check",
        abstract: "validate the manifest",
        group: .manifest,
        details: "Reports every mistake with its line and column, and exits 4 if there is one. Starts nothing.",
        options: [.json],
        examples: [
            .init("devmesh check", "the manifest of this folder"),
            .init("devmesh check -f services.staging.json", "another one"),
        ])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let loaded = try session.loadManifest()
        if arguments.has("json") {
            try session.output.line(CheckDocument.json(loaded).serialized())
            if case .invalid = loaded { return ExitCode.invalidManifest.rawValue }
            return 0
        }
        switch loaded {
        case .invalid(let diagnostics):
            throw .invalidManifest(diagnostics.map(\.description))
        case .valid(let manifest, let warnings):
            try session.notices.lines(warnings.map(\.description))
            try session.say(Sentences.valid(Path.name(manifest.path), manifest.services.count))
            return 0
        }
    }
}
