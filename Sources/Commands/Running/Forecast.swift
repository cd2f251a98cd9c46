import Control
import JSON
import Plan
import Project

/// `up --dry-run`: what `up` would do, with a mesh up or without.
struct Forecast {
    var session: Session

    func run(_ arguments: Arguments, local: [String]?) throws(CommandFailure) -> Int32 {
        let services = UpCommand.services(arguments)
        let report: UpReport
        if let mesh = try session.meshIfUp() {
            let request = UpRequest(
                services: services, local: local, env: session.environment, wait: false, dryRun: true)
            report = try mesh.ask { (client) throws(ControlError) in try client.up(request) }
        } else {
            let plan = try session.plan()
            let selection = try session.attempt { () throws(ProjectError) in
                do throws(PlanError) {
                    if let local { return try plan.localSelection(of: local) }
                    return try services.map { (names) throws(PlanError) in try plan.selection(of: names) }
                        ?? plan.wholeSelection
                } catch { throw .plan(error) }
            }
            let selected = selection.roles.filter { $0.role != .idle }.map(\.service)
            report = UpReport(started: selected, selected: selected)
        }
        if arguments.has("json") {
            try session.output.line(report.json.serialized())
        } else {
            try session.output.lines(Self.lines(report))
        }
        return 0
    }

    static func lines(_ report: UpReport) -> [String] {
        let lines =
            report.removed.map { "remove   \($0)" } + report.restarted.map { "restart  \($0)" }
            + report.started.map { "start    \($0)" }
        return lines.isEmpty ? [Sentences.nothingWouldChange] : lines
    }
}
