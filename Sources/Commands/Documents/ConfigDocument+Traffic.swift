import JSON
import Manifest

/// What becomes of requests on their way, spelled as the manifest does. What has no limit is left out.
extension ConfigDocument {
    func route(_ routing: Routing) -> JSON {
        var members: [JSON.Member] = []
        func add(_ name: String, _ value: JSON) { if value != [:], value != [] { members.append(.init(name, value)) } }
        add("weights", weights(routing.weights))
        add("headers", texts(routing.headers.map { "\($0.name): \($0.value)=\($0.target)" }))
        add("cookies", texts(routing.cookies.map { "\($0.name)=\($0.value)=\($0.target)" }))
        add("from", .object(routing.callers.map { .init($0.service, weights($0.weights)) }))
        if let mirror = routing.mirror { add("mirror", .string(mirror)) }
        switch routing.sticky {
        case .none: add("sticky", false)
        case .client: add("sticky", true)
        case .header(let name): add("sticky", ["header": .string(name)])
        case .cookie(let name): add("sticky", ["cookie": .string(name)])
        }
        add("propagate", texts(routing.propagate))
        return .object(members)
    }

    private func weights(_ weights: [Routing.Weight]) -> JSON {
        .object(weights.map { .init($0.target, .int($0.weight)) })
    }

    func timeouts(_ timeouts: Timeouts) -> JSON {
        let all = [
            ("connect", timeouts.connect), ("response", timeouts.response), ("idle", timeouts.idle),
            ("body", timeouts.body),
        ]
        return .object(all.compactMap { name, limit in limit.map { JSON.Member(name, duration($0)) } })
    }

    func retries(_ retries: Retries) -> JSON {
        let causes = retries.on.map { cause -> JSON in
            switch cause {
            case .connect: "connect"
            case .reset: "reset"
            case .status(let status): .int(status)
            }
        }
        return ["attempts": .int(retries.attempts), "on": .array(causes), "budget": .int(retries.budget)]
    }

    func limits(_ limits: Limits) -> JSON {
        let counts = [
            ("connections", limits.connections), ("waiting", limits.waiting), ("memory", limits.memory),
            ("cpu", limits.cpu),
        ]
        var members = counts.compactMap { name, count in count.map { JSON.Member(name, .int($0)) } }
        let breaker = limits.breaker.map { ["failures": .int($0.failures), "open": duration($0.open)] as JSON }
        members.append(.init("breaker", breaker ?? false))
        let ejection = limits.ejection.map { ["failures": .int($0.failures), "time": duration($0.time)] as JSON }
        members.append(.init("ejection", ejection ?? false))
        return .object(members)
    }

    private func duration(_ duration: Duration) -> JSON { .string(DurationText.exact(duration)) }
}
