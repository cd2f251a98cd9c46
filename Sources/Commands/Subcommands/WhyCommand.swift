import Control
import JSON

/// `devmesh why SERVICE`
enum WhyCommand: Subcommand {
    static let spec = CommandSpec(
        name: "why",
        abstract: "say why a service is in the state it is in",
        group: .look,
        details: "What it waits for, what its probe said, who owns its port, and its last lines.",
        arguments: [ArgumentSpec("SERVICE", .one, .service, "which one")],
        options: [.json],
        examples: [.init("devmesh why members", "why members is not ready")])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let mesh = try session.mesh()
        let why = try mesh.ask { (client) throws(ControlError) in try client.why(arguments.positionals[0]) }
        if arguments.has("json") {
            try session.output.line(why.json.serialized())
        } else {
            try session.output.lines(WhyText.lines(why, colours: session.output.colours))
        }
        return 0
    }
}
