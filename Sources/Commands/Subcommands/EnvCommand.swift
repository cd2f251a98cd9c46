import Control
import JSON

/// `devmesh env SERVICE`
enum EnvCommand: Subcommand {
    static let spec = CommandSpec(
        name: "env",
        abstract: "print the environment of a service",
        group: .environment,
        details: """
            The whole of it as NAME='value' lines for a shell's `eval`, secrets included; of a container as a program on \
            this machine would have it. Needs no mesh.
            """,
        arguments: [ArgumentSpec("SERVICE", .one, .service, "whose")],
        options: [.json],
        examples: [.init("set -a; eval \"$(devmesh env reader)\"", "have reader's variables in this shell")])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let environment = try session.surroundings(of: arguments.positionals[0]).env
        if arguments.has("json") {
            let members = environment.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value)) }
            try session.output.line(JSON.object(members).serialized())
        } else {
            try session.output.lines(ShellText.assignments(environment))
        }
        return 0
    }
}
