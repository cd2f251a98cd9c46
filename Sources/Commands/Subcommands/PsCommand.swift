import Control
import JSON
import Platform

/// `devmesh ps`
enum PsCommand: Subcommand {
    static let spec = CommandSpec(
        name: "ps",
        abstract: "show a line per service",
        group: .mesh,
        details: """
            State, target, address, pid, uptime, automatic restarts, cpu and memory of the whole process tree, and why \
            a service is not ready. Cpu is percent of one core since somebody asked 1 to 10 s ago; where nobody \
            did, over 4 ms. A narrow terminal shows fewer columns. A star marks what differs from the manifest, \
            an exclamation mark a remote whose certificate is not verified.
            """,
        arguments: [ArgumentSpec("SERVICE", .any, .service, "only these")],
        options: [.json],
        examples: [
            .init("devmesh ps", "the whole mesh"),
            .init("devmesh ps --json | jq -r '.[] | select(.state != \"ready\").service'", "what is not ready"),
        ])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let mesh = try session.mesh()
        let all = try mesh.ask { (client) throws(ControlError) in try client.services() }
        let shown = try session.choose(arguments.positionals, among: all) { $0.service }
        if arguments.has("json") {
            try session.output.line(JSON.array(shown.map { $0.json }).serialized())
            return 0
        }
        let status = StatusTable(services: shown, now: .now)
        try session.output.show(status.table)
        if let footnote = status.footnote { try session.output.line(footnote) }
        return 0
    }
}
