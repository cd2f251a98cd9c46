import Control
import JSON

/// What `start`, `stop`, `restart` and `build` have in common: ask the mesh, then say how it went for each.
enum ServiceActions {
    static let services = ArgumentSpec("SERVICE", .several, .service, "which ones")
    static let options: [OptionSpec] = [.flag("no-wait", "return at once"), .json]

    static func run(_ action: ServiceAction, _ arguments: Arguments, in session: Session) throws(CommandFailure)
        -> Int32
    {
        let mesh = try session.mesh()
        let waits = !arguments.has("no-wait")
        let request = ActionRequest(services: arguments.positionals, wait: waits)
        let report = try mesh.ask { (client) throws(ControlError) in try client.perform(action, request) }
        if arguments.has("json") {
            try session.output.line(JSON.array(report.results.map { $0.json }).serialized())
        } else {
            for result in report.results { try tell(action, result, waits: waits, in: session) }
        }
        return report.allOK ? ExitCode.done.rawValue : ExitCode.failed.rawValue
    }

    private static func tell(_ action: ServiceAction, _ result: ActionResult, waits: Bool, in session: Session)
        throws(CommandFailure)
    {
        guard result.ok else {
            try show(buildOf: result, in: session)
            try session.complain(Sentences.failed(action, result.service, result.reason))
            return
        }
        let sentence =
            waits ? Sentences.done(action, result.service) : Sentences.begun(action, result.service)
        try session.say(result.reason.map { "\(Phrase.withoutStop(sentence)): \(Phrase.withoutStop($0))." } ?? sentence)
    }

    /// Shows what a failed build printed.
    static func show(buildOf result: ActionResult, in session: Session) throws(CommandFailure) {
        guard let output = result.output, !output.isEmpty else { return }
        try session.notices.write(output.hasSuffix("\n") ? output : output + "\n")
    }
}
