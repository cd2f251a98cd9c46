import JSON

/// The version of this program.
enum Version {
    static let text = "0.1.0"
}

/// `devmesh version`
enum VersionCommand: Subcommand {
    static let spec = CommandSpec(
        name: "version",
        abstract: "print the version",
        group: .tool,
        options: [.json],
        examples: [.init("devmesh version", "which devmesh this is")])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let document: JSON = ["version": .string(Version.text)]
        try session.output.line(arguments.has("json") ? document.serialized() : "devmesh \(Version.text)")
        return 0
    }
}
