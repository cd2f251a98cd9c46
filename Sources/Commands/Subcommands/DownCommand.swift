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
        let project: LocatedProject
        let mesh: RunningMesh
        if let found = try session.meshIfUp() {
            // Once it is down, nothing may lead from here to its manifest any more.
            (project, mesh) = (LocatedProject(manifest: found.record.manifest), found)
        } else {
            project = try session.project()
            guard let begun = try afterChange(of: project, in: session) else {
                try tell(0, Sentences.nothingToStop(project.manifest), arguments, in: session)
                return 0
            }
            mesh = begun
        }
        let stopped = try stop(mesh, of: project, in: session)
        try tell(stopped, Sentences.stopped(stopped, mesh.record.name), arguments, in: session)
        return 0
    }

    /// Has it end, and waits for that: the supervisor's own process is the last of the mesh.
    private static func stop(_ mesh: RunningMesh, of project: LocatedProject, in session: Session)
        throws(CommandFailure) -> Int
    {
        do throws(CommandFailure) {
            let report = try mesh.ask { (client) throws(ControlError) in try client.down() }
            _ = try afterChange(of: project, in: session)
            return report.stopped
        } catch {
            // Another `down` may have been first, and left nobody to answer.
            if try afterChange(of: project, in: session)?.record.pid == mesh.record.pid { throw error }
            return 0
        }
    }

    /// The mesh that is up once none is starting or ending any more.
    private static func afterChange(of project: LocatedProject, in session: Session) throws(CommandFailure)
        -> RunningMesh?
    {
        let places = try session.places()
        let record = try session.attempt { () throws(ProjectError) in
            try SupervisorLease.waitForEnd(project, places: places)
        }
        return record.map { RunningMesh(record: $0) }
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
