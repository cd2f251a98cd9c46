import Control
import Platform

/// `devmesh exec SERVICE -- CMD`
enum ExecCommand: Subcommand {
    static let spec = CommandSpec(
        name: "exec",
        abstract: "run a command in the folder and environment of a service",
        group: .environment,
        details: "Exits with the command's code. Needs no mesh.",
        arguments: [
            ArgumentSpec("SERVICE", .one, .service, "whose"),
            ArgumentSpec("CMD", .commandLine, .commandLine, "the program and its arguments"),
        ],
        examples: [
            .init("devmesh exec reader -- make test", "test as reader would run"),
            .init("devmesh exec reader -- sh -c 'curl $SERVICE_MEMBERS_URL'", "call members as reader does"),
        ])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let service = arguments.positionals[0]
        let surroundings = try session.surroundings(of: service)
        guard Kernel.real.status(surroundings.directory)?.kind == .directory else {
            throw .failed(Sentences.noDirectory(surroundings.directory, of: service))
        }
        let program = Program(
            commandLine: arguments.commandLine, environment: surroundings.env, directory: surroundings.directory)
        return try program.execute(in: session)
    }
}
