import Control
import JSON
import Platform

/// `devmesh events`
enum EventsCommand: Subcommand {
    static let spec = CommandSpec(
        name: "events",
        abstract: "print what happened in the mesh",
        group: .look,
        options: [.flag("follow", "f", "go on with what comes; ^C ends it"), .json],
        examples: [.init("devmesh events -f --json", "every change of state, as JSON Lines")])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let mesh = try session.mesh()
        let output = session.output
        let asJSON = arguments.has("json")
        let follows = arguments.has("follow")
        guard follows else { return try print(of: mesh, follows: false, asJSON: asJSON, to: output) }
        let end = try Following.run { (end) throws(Errno) in
            try Following.onThread {
                do throws(CommandFailure) {
                    end(.finished(try print(of: mesh, follows: true, asJSON: asJSON, to: output)))
                } catch { end(.failed(error)) }
            }
        }
        return try end.exitCode()
    }

    private static func print(of mesh: RunningMesh, follows: Bool, asJSON: Bool, to output: Output)
        throws(CommandFailure) -> Int32
    {
        var failure: CommandFailure?
        try mesh.ask { (client) throws(ControlError) in
            try client.events(follow: follows) { event in
                do throws(CommandFailure) {
                    try output.line(asJSON ? event.json.serialized() : EventText.line(event, colours: output.colours))
                    return true
                } catch {
                    failure = error
                    return false
                }
            }
        }
        if let failure { throw failure }
        return 0
    }
}
