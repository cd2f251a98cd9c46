import Plan

/// `devmesh run -- CMD`
enum RunCommand: Subcommand {
    static let spec = CommandSpec(
        name: "run",
        abstract: "run a command with the addresses of all services",
        group: .environment,
        details: "In this folder, with SERVICE_…_ADDRESS and the like set. Exits with the command's code.",
        arguments: [ArgumentSpec("CMD", .commandLine, .commandLine, "the program and its arguments")],
        examples: [.init("devmesh run -- sh -c 'curl $SERVICE_READER_URL'", "call reader from outside")])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let environment = try session.plan().meshEnvironment.values
        return try Program(commandLine: arguments.commandLine, environment: environment).execute(in: session)
    }
}
