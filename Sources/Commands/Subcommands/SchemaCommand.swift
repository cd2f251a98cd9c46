import JSON
import Manifest

/// `devmesh schema`
enum SchemaCommand: Subcommand {
    static let spec = CommandSpec(
        name: "schema",
        abstract: "print the JSON Schema of the manifest",
        group: .manifest,
        details: "For editors: save it, and name it as \"$schema\" at the top of services.json.",
        examples: [.init("devmesh schema > services.schema.json", "completion and checks in your editor")])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        try session.output.line(ManifestSchema.json.pretty())
        return 0
    }
}
