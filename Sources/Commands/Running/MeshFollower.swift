import Control
import JSON
import Logs
import Platform
import Project

/// `up` where the mesh is up already: brings it up to the manifest, then shows its logs until ^C or its end.
struct MeshFollower {
    var mesh: RunningMesh
    var session: Session

    /// Brings it up to the manifest, and says what that took.
    func bringUp(_ request: UpRequest) throws(CommandFailure) -> UpReport {
        let report = try mesh.ask { (client) throws(ControlError) in try client.up(request) }
        try session.notices.line(
            Sentences.changes(
                started: report.started, restarted: report.restarted, removed: report.removed, mesh.record.name))
        for failure in report.failed {
            try session.complain(Sentences.failed(.start, failure.service, failure.reason))
        }
        return report
    }

    /// Shows its logs until ^C or its end.
    func follow(since: WallTime) throws(CommandFailure) -> Int32 {
        let query = LogQuery(folder: LocatedProject(manifest: mesh.record.manifest).logsFolder, since: since)
        let format = LogFormat(usesColor: session.output.colours, isTerminal: session.output.isTerminal)
        let client = ControlClient(socket: mesh.record.socket)
        let end = try Following.run { (end) throws(Errno) in
            let printer = try LogOutput.follow(query, format) { end(LogOutput.followed($0)) }
            // The stream of events ends with the mesh.
            try Following.onThread {
                try? client.events(follow: true) { _ in true }
                printer.finish()
            }
        }
        if end == .interrupted {
            try session.notices.lineAfterInterrupt(Sentences.detached(mesh.record.name))
        } else if end == .finished(0) {
            try session.notices.line(Sentences.wentDown(mesh.record.name))
        }
        return try end.exitCode()
    }
}
