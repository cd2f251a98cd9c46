import Control
import JSON
import Project

/// `devmesh down`
enum DownCommand: Subcommand {
    static let spec = CommandSpec(
        name: "down",
        abstract: "stop everything",
        group: .mesh,
        details: """
            Returns when every process of the mesh is gone, grandchildren included; 0 also where nothing is up. What \
            `use` and `scale` chose is forgotten. Logs and ports are kept.
            """,
        options: [.json],
        examples: [.init("devmesh down", "stop this project's mesh")])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        guard let mesh = try session.meshIfUp() else {
            let project = try session.project()
            try waitForEnd(of: project, in: session)
            try tell(0, Sentences.nothingToStop(project.manifest), arguments, in: session)
            return 0
        }
        // Once it is down, nothing may lead from here to its manifest any more.
        let project = LocatedProject(manifest: mesh.record.manifest)
        let report = try mesh.ask { (client) throws(ControlError) in try client.down() }
        try waitForEnd(of: project, in: session)
        try tell(report.stopped, Sentences.stopped(report.stopped, mesh.record.name), arguments, in: session)
        return 0
    }

    /// The supervisor's own process is the last of the mesh; another `down` may have told it to end.
    private static func waitForEnd(of project: LocatedProject, in session: Session) throws(CommandFailure) {
        try session.attempt { () throws(ProjectError) in try SupervisorLease.waitForEnd(project) }
    }

    private static func tell(_ stopped: Int, _ sentence: String, _ arguments: Arguments, in session: Session)
        throws(CommandFailure)
    {
        if arguments.has("json") {
            try session.output.line(DownReport(stopped: stopped).json.serialized())
        } else {
            try session.say(sentence)
        }
    }
}
