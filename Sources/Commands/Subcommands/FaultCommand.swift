import Control
import JSON
import Manifest

/// `devmesh fault SERVICE [--delay 200ms …]`
enum FaultCommand: Subcommand {
    static let spec = CommandSpec(
        name: "fault",
        abstract: "make requests to a service slow, fail or break",
        group: .service,
        details: """
            To see what its callers do about it. Each request is drawn anew: first it waits, then it is aborted, \
            disconnected, or goes on at the given rate. Where the service does not speak HTTP all this is done to \
            connections, and what is aborted is disconnected. What is said takes the place of the fault that there \
            was for the same callers. Without anything to change it shows the faults; `devmesh down` forgets them.
            """,
        arguments: [ArgumentSpec("SERVICE", .one, .service, "which one")],
        options: [
            .value("delay", "TIME", .text, "how long each request waits, as 200ms"),
            .value("jitter", "TIME", .text, "by how much the delay is longer or shorter, at most"),
            .value("abort", "STATUS", .text, "answer with this status, as 503"),
            .flag("disconnect", "reset the connection"),
            .value("rate", "RATE", .text, "pass on so many bytes a second in each direction, as 64KB/s"),
            .value("percent", "N", .text, "affect so many of a hundred requests"),
            .value("from", "CALLER", .service, "affect only the calls of this service"),
            .flag("clear", "no fault any more; with --from not for that caller"), .json,
        ],
        examples: [
            .init("devmesh fault members --delay 200ms --jitter 50ms", "members answers 150 to 250 ms late"),
            .init("devmesh fault members --abort 503 --percent 10", "one request in ten fails"),
            .init("devmesh fault members --disconnect --from reader", "reader's connections break"),
            .init("devmesh fault members", "what goes wrong now"),
            .init("devmesh fault members --clear", "all is well again"),
        ])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let service = arguments.positionals[0]
        let change: FaultChange? = try session.usage { () throws(UsageError) in try Self.change(of: arguments) }
        let mesh = try session.mesh()
        guard let change else {
            let faults = try mesh.ask { (client) throws(ControlError) in try client.faults(of: service) }
            if arguments.has("json") {
                try session.output.line(JSON.array(faults.map { $0.json }).serialized())
            } else if faults.isEmpty {
                try session.say(Sentences.noFaults(service))
            } else {
                try session.output.show(FaultTable.table(faults))
            }
            return 0
        }
        let result = try mesh.ask { (client) throws(ControlError) in try client.changeFaults(of: service, change) }
        if arguments.has("json") {
            try session.output.line(result.json.serialized())
            return result.ok ? 0 : ExitCode.failed.rawValue
        }
        guard result.ok else { throw .failed(Sentences.couldNotFault(result.service, result.reason)) }
        if let remark = result.reason { try session.complain(remark) }
        switch change {
        case .clear(nil): try session.say(Sentences.noFaults(result.service))
        case .clear(let caller?): try session.say(Sentences.noFault(result.service, of: caller))
        case .set: try session.say(Sentences.faulty(result.service))
        }
        return 0
    }

    /// What the command line asks to change; nil where it asks to show.
    static func change(of arguments: Arguments) throws(UsageError) -> FaultChange? {
        let what = ["delay", "jitter", "abort", "disconnect", "rate"].filter {
            arguments.has($0) || arguments.value($0) != nil
        }
        if arguments.has("clear") {
            let rest = what + (arguments.value("percent") == nil ? [] : ["percent"])
            if let other = rest.first { throw .conflict("--clear", "--" + other) }
            return .clear(caller: arguments.value("from"))
        }
        guard !what.isEmpty else {
            let lone = ["percent", "from"].first { arguments.value($0) != nil }
            if let lone { throw .needsCompany("--" + lone, "--delay, --abort, --disconnect or --rate") }
            return nil
        }
        if arguments.has("disconnect"), arguments.value("abort") != nil { throw .conflict("--abort", "--disconnect") }
        return .set(
            FaultRule(
                caller: arguments.value("from"), delay: try milliseconds("delay", arguments),
                jitter: try milliseconds("jitter", arguments), abort: try status(arguments),
                disconnect: arguments.has("disconnect"), bytesPerSecond: try rate(arguments),
                percent: try percent(arguments)))
    }

    private static func milliseconds(_ option: String, _ arguments: Arguments) throws(UsageError) -> Int {
        guard let duration = try arguments.duration(option) else { return 0 }
        guard 1...FaultRule.longestDelay ~= duration.wholeMilliseconds else {
            throw .invalidValue(
                arguments.value(option) ?? "", of: "--" + option, expected: "a time from 1ms to 1h, as 200ms")
        }
        return duration.wholeMilliseconds
    }

    private static func status(_ arguments: Arguments) throws(UsageError) -> Int? {
        guard let text = arguments.value("abort") else { return nil }
        guard let status = Int(text), FaultRule.statuses.contains(status) else {
            throw .invalidValue(text, of: "--abort", expected: "a status from 200 to 599, as 503")
        }
        return status
    }

    /// Reads `64KB/s`, `64KB` or a number of bytes.
    private static func rate(_ arguments: Arguments) throws(UsageError) -> Int? {
        guard let text = arguments.value("rate") else { return nil }
        let size = text.hasSuffix("/s") ? String(text.dropLast(2)) : text
        guard let bytes = Int(size) ?? Quantities.size(size), bytes > 0 else {
            throw .invalidValue(text, of: "--rate", expected: "bytes a second, as 64KB/s or 1MB/s")
        }
        return bytes
    }

    /// Reads `10`, `10%` or `0.5`.
    private static func percent(_ arguments: Arguments) throws(UsageError) -> Double {
        guard let text = arguments.value("percent") else { return 100 }
        guard let percent = Double(text.hasSuffix("%") ? text.dropLast() : text[...]), percent > 0, percent <= 100
        else {
            throw .invalidValue(text, of: "--percent", expected: "more than 0 and at most 100, as 10")
        }
        return percent
    }
}
