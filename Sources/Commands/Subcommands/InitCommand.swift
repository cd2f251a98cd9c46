import Import
import Platform
import Project

/// `devmesh init`
enum InitCommand: Subcommand {
    static let spec = CommandSpec(
        name: "init",
        abstract: "write a manifest from what is here",
        group: .manifest,
        details: """
            Makes services.json from the first of these that is in this folder: process-compose.yaml, Procfile.dev, \
            Procfile, compose.yaml, docker-compose.yml; else from the programs found here and one level below by Package.swift, package.json, go.mod, \
            Cargo.toml and manage.py. What could not be carried over is listed on standard error. An existing file is \
            never overwritten. Compose files are read by `docker compose config`, whose JSON can be given instead; other \
            YAML by yq, or by python3 or ruby with their YAML modules.
            """,
        options: [
            .value("from", "FILE", .file, "make it from this file: of those kinds, also as JSON"),
            .flag("stdout", "print it instead of writing it"),
        ],
        examples: [
            .init("devmesh init", "a first manifest for this folder"),
            .init("devmesh init --from Procfile --stdout", "what a Procfile comes to"),
            .init("devmesh init -f services.staging.json", "into another file"),
        ])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let chosen = session.file ?? session.environment["DEVMESH_FILE"].flatMap { $0.isEmpty ? nil : $0 }
        let name = chosen ?? Locator.defaultName
        let path = Path.join(session.directory, name)
        let source = ImportSource(folder: Path.parent(path), session: session)
        let manifest = try source.read(arguments.value("from"))
        if arguments.has("stdout") {
            try session.output.write(manifest.text)
        } else {
            try write(manifest, to: path, as: name)
            try session.say(Sentences.imported(name, manifest.services))
        }
        for note in manifest.notes { try session.complain(note + ".") }
        if !manifest.secrets.isEmpty {
            let isWritten = !arguments.has("stdout")
            let place = isWritten ? name : "the manifest"
            try session.complain(Sentences.holdsSecrets(place, manifest.secrets, isWritten: isWritten))
        }
        return 0
    }

    private static func write(_ manifest: ImportedManifest, to path: String, as name: String) throws(CommandFailure) {
        let kernel = Kernel.real
        do throws(Errno) {
            let file = try kernel.open(path, .createNew, permissions: manifest.secrets.isEmpty ? 0o644 : 0o600)
            do throws(Errno) { try kernel.writeAll(file, manifest.text) } catch {
                // Half of it would be in the way of the next try.
                try? kernel.remove(path)
                throw error
            }
        } catch {
            throw .failed(error == .exists ? Sentences.manifestExists(name) : Sentences.cannotWriteFile(name, error))
        }
    }
}
