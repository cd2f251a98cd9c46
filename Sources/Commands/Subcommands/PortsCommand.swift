import Control
import JSON
import Mesh
import Plan

/// `devmesh ports`
enum PortsCommand: Subcommand {
    static let spec = CommandSpec(
        name: "ports",
        abstract: "list the addresses of all services",
        group: .look,
        details: "They stay the same across restarts, and are known before the first `up`.",
        options: [.json],
        examples: [.init("devmesh ports", "where everything listens")])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let entries: [PortEntry]
        if let mesh = try session.meshIfUp() {
            entries = try mesh.ask { (client) throws(ControlError) in try client.ports() }
        } else {
            entries = try session.plan().listeners.map(PortEntry.init)
        }
        if arguments.has("json") {
            try session.output.line(JSON.array(entries.map { $0.json }).serialized())
        } else {
            try session.output.show(PortsTable.table(entries))
        }
        return 0
    }
}
