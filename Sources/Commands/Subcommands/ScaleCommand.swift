import Control
import JSON

/// `devmesh scale SERVICE=N…`
enum ScaleCommand: Subcommand {
    static let spec = CommandSpec(
        name: "scale",
        abstract: "change how many instances a service has",
        group: .service,
        details: "Requests go to the instances in turn.",
        arguments: [ArgumentSpec("SERVICE=N", .several, .serviceCount, "the service and its number of instances")],
        options: [.json],
        examples: [.init("devmesh scale reader=3", "three readers behind one address")])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let wishes = try session.usage { () throws(UsageError) in try parse(arguments.positionals) }
        let mesh = try session.mesh()
        var results: [ActionResult] = []
        for (service, count) in wishes {
            let request = ScaleRequest(instances: count)
            let result = try mesh.ask { (client) throws(ControlError) in try client.scale(service, request) }
            results.append(result)
            if !arguments.has("json") { try tell(result, count, in: session) }
        }
        if arguments.has("json") { try session.output.line(JSON.array(results.map { $0.json }).serialized()) }
        return results.allSatisfy { $0.ok } ? 0 : ExitCode.failed.rawValue
    }

    private static func tell(_ result: ActionResult, _ count: Int, in session: Session) throws(CommandFailure) {
        guard result.ok else {
            return try session.complain(Sentences.couldNotScale(result.service, count, result.reason))
        }
        if let remark = result.reason { try session.complain(remark) }
        try session.say(Sentences.scaled(result.service, count))
    }

    /// Reads `reader=3`.
    static func parse(_ words: [String]) throws(UsageError) -> [(service: String, count: Int)] {
        var wishes: [(service: String, count: Int)] = []
        for word in words {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, let count = Int(parts[1]), count >= 1 else {
                throw .notAScale(word)
            }
            wishes.append((String(parts[0]), count))
        }
        return wishes
    }
}
