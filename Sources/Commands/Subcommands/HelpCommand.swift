/// `devmesh help [COMMAND]`
enum HelpCommand: Subcommand {
    static let spec = CommandSpec(
        name: "help",
        abstract: "explain devmesh, or one command",
        group: .tool,
        arguments: [ArgumentSpec("COMMAND", .optional, .command, "which one; all are listed when none is named")],
        options: [.flag("man", "print the manual page of all commands, in roff")],
        examples: [
            .init("devmesh help restart", "what restart does, and its options"),
            .init("devmesh help --man | man -l -", "read the manual page"),
        ])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let specs = Subcommands.specs
        if arguments.has("man") {
            try session.output.write(ManPage(specs: specs, version: Version.text).roff)
        } else if let name = arguments.positionals.first {
            let command = try session.usage { () throws(UsageError) in try Subcommands.named(name) }
            try session.output.write(HelpText(width: session.output.width).command(command.spec))
        } else {
            try session.output.write(HelpText(width: session.output.width).overview(specs))
        }
        return 0
    }
}
