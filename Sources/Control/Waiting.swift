import JSON

/// The body of `POST /v1/services/wait`.
public struct WaitRequest: WireType {
    public enum Condition: String, Sendable, CaseIterable {
        case ready, started, completed, stopped
    }

    public var services: [String]
    public var condition: Condition
    /// Milliseconds; nil waits for ever.
    public var timeout: Int?

    public init(services: [String], condition: Condition, timeout: Int?) {
        self.services = services
        self.condition = condition
        self.timeout = timeout
    }

    public init(json: JSON) throws(WireProblem) {
        let reader = try WireReader(json)
        try reader.only("services", "for", "timeoutMs")
        services = try reader.strings("services")
        guard !services.isEmpty else { throw WireProblem("\"services\": expected at least one name") }
        let word = try reader.optionalString("for") ?? "ready"
        guard let condition = Condition(rawValue: word) else {
            throw WireProblem("\"for\": expected ready, started, completed or stopped, found \"\(word)\"")
        }
        self.condition = condition
        timeout = try reader.optionalInt("timeoutMs")
        guard timeout ?? 0 >= 0 else { throw WireProblem("\"timeoutMs\": expected 0 or more") }
    }

    public var json: JSON {
        ["services": JSON(services), "for": .string(condition.rawValue), "timeoutMs": JSON(timeout)]
    }
}

/// The answer: how far each service got.
public struct WaitReport: WireType {
    public struct Outcome: WireType {
        public var service: String
        public var reached: Bool
        public var state: String
        public var reason: String?

        public init(service: String, reached: Bool, state: String, reason: String?) {
            self.service = service
            self.reached = reached
            self.state = state
            self.reason = reason
        }

        public init(json: JSON) throws(WireProblem) {
            let reader = try WireReader(json)
            service = try reader.string("service")
            reached = try reader.bool("reached", default: false)
            state = try reader.string("state")
            reason = try reader.optionalString("reason")
        }

        public var json: JSON {
            [
                "service": .string(service), "reached": .bool(reached), "state": .string(state),
                "reason": JSON(reason),
            ]
        }
    }

    public var timedOut: Bool
    public var services: [Outcome]

    public init(timedOut: Bool, services: [Outcome]) {
        self.timedOut = timedOut
        self.services = services
    }

    public init(json: JSON) throws(WireProblem) {
        let reader = try WireReader(json)
        timedOut = try reader.bool("timedOut", default: false)
        services = try reader.list("services")
    }

    public var json: JSON { ["timedOut": .bool(timedOut), "services": JSON(services)] }
}
