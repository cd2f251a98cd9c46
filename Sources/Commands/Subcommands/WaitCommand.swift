import Control
import JSON

/// `devmesh wait SERVICE…`
enum WaitCommand: Subcommand {
    private static let conditions = WaitRequest.Condition.allCases.map(\.rawValue)

    static let spec = CommandSpec(
        name: "wait",
        abstract: "wait until services are ready",
        group: .service,
        details: "Exits 124 when the time is up.",
        arguments: [ArgumentSpec("SERVICE", .several, .service, "which ones")],
        options: [
            .value("for", "STATE", .choice(conditions), Phrase.list(conditions, joined: "or") + "; ready by default"),
            .value("timeout", "TIME", .text, "how long at most, as 30s or 2m; for ever by default"),
            .json,
        ],
        examples: [.init("devmesh wait reader members --for ready --timeout 30s", "before a test begins")])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let condition = arguments.value("for").flatMap(WaitRequest.Condition.init(rawValue:)) ?? .ready
        let limit = try session.usage { () throws(UsageError) in try arguments.duration("timeout") }
        let mesh = try session.mesh()
        let request = WaitRequest(
            services: arguments.positionals, condition: condition, timeout: limit.map { $0.wholeMilliseconds })
        let report = try mesh.ask { (client) throws(ControlError) in try client.wait(request) }
        if arguments.has("json") {
            try session.output.line(report.json.serialized())
            if report.timedOut { return ExitCode.timedOut.rawValue }
            return report.services.allSatisfy { $0.reached } ? 0 : ExitCode.failed.rawValue
        }
        let missing = report.services.filter { !$0.reached }
        if missing.isEmpty {
            try session.say(Sentences.conditionMet(report.services.map { ($0.service, $0.state) }, condition.rawValue))
            return 0
        }
        let reasons = missing.compactMap { outcome in outcome.reason.map { "\(outcome.service): \($0)" } }
        for reason in reasons { try session.complain(reason) }
        let names = missing.map { $0.service }
        if report.timedOut {
            throw .timedOut(Sentences.waitedTooLong(names, condition.rawValue, arguments.value("timeout") ?? "all"))
        }
        throw .failed(Sentences.willNotBe(names, condition.rawValue))
    }
}
