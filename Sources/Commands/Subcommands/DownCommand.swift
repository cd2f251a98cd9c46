import Control
import JSON
import Mesh
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
        do throws(CommandFailure) { return try end(arguments, in: session) } catch .noProject(let sentence) {
            try tell(DownReport(stopped: 0), sentence, arguments, in: session)
            return 0
        }
    }

    private static func end(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let project: LocatedProject
        let mesh: RunningMesh
        if let found = try session.meshIfUp() {
            // Once it is down, nothing may lead from here to its manifest any more.
            (project, mesh) = (LocatedProject(manifest: found.record.manifest), found)
        } else {
            project = try session.project()
            guard let begun = try afterChange(of: project, in: session) else {
                if let left = try endLeftovers(of: project, in: session) { throw .failed(left) }
                try tell(DownReport(stopped: 0), Sentences.nothingToStop(project.manifest), arguments, in: session)
                return 0
            }
            mesh = begun
        }
        let report = try stop(mesh, of: project, in: session)
        try tell(report, Sentences.stopped(report.stopped, mesh.record.name), arguments, in: session)
        guard let left = report.left else { return 0 }
        throw .failed(left)
    }

    /// Has it end, and waits for that: the supervisor's own process is the last of the mesh.
    private static func stop(_ mesh: RunningMesh, of project: LocatedProject, in session: Session)
        throws(CommandFailure) -> DownReport
    {
        do throws(CommandFailure) {
            let report = try mesh.ask(whileSilent: { tellWaits(of: mesh, in: session) }) {
                (client) throws(ControlError) in try client.down()
            }
            _ = try afterChange(of: project, in: session)
            return report
        } catch {
            // Another `down` may have been first, or a SIGKILL, and left nobody to answer.
            var former: MeshRecord?
            if case .meshIsEnding = error { former = mesh.record }
            if try afterChange(of: project, former: former, in: session)?.record.pid == mesh.record.pid { throw error }
            var report = DownReport(stopped: 0)
            report.left = try endLeftovers(of: project, in: session)
            return report
        }
    }

    /// Says what the mesh waits for on its way down, for as long as that takes.
    private static func tellWaits(of mesh: RunningMesh, in session: Session) {
        let client = ControlClient(socket: mesh.record.socket)
        try? Following.onThread {
            try? client.events(follow: true) { event in
                if event.event == MeshEvent.waiting, let what = event.detail { try? session.notices.line(what) }
                return true
            }
        }
    }

    /// The mesh that is up once none is starting or ending any more.
    private static func afterChange(of project: LocatedProject, former: MeshRecord? = nil, in session: Session)
        throws(CommandFailure) -> RunningMesh?
    {
        let places = try session.places()
        let record = try session.attempt { () throws(ProjectError) in
            try SupervisorLease.waitForEnd(project, of: former, places: places)
        }
        return record.map { RunningMesh(record: $0) }
    }

    /// Ends what a mesh left running that was killed together with its guardian, and takes away the containers that one
    /// could not; returns a sentence where some of it stays.
    private static func endLeftovers(of project: LocatedProject, in session: Session) throws(CommandFailure)
        -> String?
    {
        guard Journal.exists(project) || LeftContainers.areNoted(of: project) else { return nil }
        let places = try session.places()
        let outcome = try session.attempt { () throws(ProjectError) in
            try SupervisorLease.acquire(project, places: places)
        }
        guard case .acquired(let lease) = outcome else { return nil }
        defer { lease.release() }
        let found = MeshProcess.clearUp(project) { try? session.notices.line($0) }
        for sentence in found.said { try session.notices.line(sentence) }
        try session.attempt { () throws(ProjectError) in try RuntimeChoices.forget(project) }
        return found.left
    }

    private static func tell(_ report: DownReport, _ sentence: String, _ arguments: Arguments, in session: Session)
        throws(CommandFailure)
    {
        if arguments.has("json") {
            try session.output.line(report.json.serialized())
        } else {
            try session.say(sentence)
        }
    }
}
