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
        let result = try session.load()
        if arguments.has("json") {
            try session.output.line(CheckDocument.json(result).serialized())
            return result.manifest == nil ? ExitCode.invalidManifest.rawValue : 0
        }
        guard let manifest = result.manifest else { throw .invalidManifest(result.problems.map(\.description)) }
        try session.notices.lines(result.problems.map(\.description))
        try session.say(Sentences.valid(Path.name(manifest.path), manifest.services.count))
        return 0
    }
}
