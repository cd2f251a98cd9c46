import JSON

/// What `POST /v1/services/ACTION` does to each service named.
public enum ServiceAction: String, Sendable, CaseIterable {
    case start, stop, restart, build
}

/// The body of `POST /v1/services/start|stop|restart|build`.
public struct ActionRequest: WireType {
    public var services: [String]
    /// Whether the answer comes only when all are ready (or stopped, or built).
    public var wait: Bool

    public init(services: [String], wait: Bool = true) {
        self.services = services
        self.wait = wait
    }

    public init(json: JSON) throws(WireProblem) {
        let reader = try WireReader(json)
        try reader.only("services", "wait")
        services = try reader.strings("services")
        guard !services.isEmpty else { throw WireProblem("\"services\": expected at least one name") }
        wait = try reader.bool("wait", default: true)
    }

    public var json: JSON { ["services": JSON(services), "wait": .bool(wait)] }
}

/// How it went for one service.
public struct ActionResult: WireType {
    public var service: String
    public var ok: Bool
    /// Why it failed; or a remark.
    public var reason: String?
    /// What a failed build printed.
    public var output: String?

    public init(service: String, ok: Bool, reason: String? = nil, output: String? = nil) {
        self.service = service
        self.ok = ok
        self.reason = reason
        self.output = output
    }

    public init(json: JSON) throws(WireProblem) {
        let reader = try WireReader(json)
        service = try reader.string("service")
        ok = try reader.bool("ok", default: false)
        reason = try reader.optionalString("reason")
        output = try reader.optionalString("output")
    }

    public var json: JSON {
        var members: [JSON.Member] = [
            .init("service", .string(service)), .init("ok", .bool(ok)), .init("reason", JSON(reason)),
        ]
        if let output { members.append(.init("output", .string(output))) }
        return .object(members)
    }
}

/// The answer to an action: one result for each service, in the order asked.
public struct ActionReport: WireType {
    public var results: [ActionResult]

    public init(results: [ActionResult]) {
        self.results = results
    }

    public init(json: JSON) throws(WireProblem) {
        results = try WireReader(json).list("results")
    }

    public var json: JSON { ["results": JSON(results)] }
    public var allOK: Bool { results.allSatisfy(\.ok) }
}

/// The body of `POST /v1/services/NAME/use`; the answer is an `ActionResult`.
public enum UseRequest: WireType {
    /// `keep`: a target no longer used is not stopped when idle.
    case target(String, keep: Bool)
    /// Back to what the manifest says.
    case reset

    public init(json: JSON) throws(WireProblem) {
        let reader = try WireReader(json)
        try reader.only("target", "keep", "reset")
        let target = try reader.optionalString("target")
        let reset = try reader.bool("reset", default: false)
        switch (target, reset) {
        case (let target?, false): self = .target(target, keep: try reader.bool("keep", default: false))
        case (nil, true): self = .reset
        default: throw WireProblem("expected either \"target\", or \"reset\": true")
        }
    }

    public var json: JSON {
        switch self {
        case .target(let target, let keep): ["target": .string(target), "keep": .bool(keep)]
        case .reset: ["reset": true]
        }
    }
}

/// The body of `POST /v1/services/NAME/scale`; the answer is an `ActionResult`.
public struct ScaleRequest: WireType {
    /// How many instances, from 1 up.
    public var instances: Int

    public init(instances: Int) {
        self.instances = instances
    }

    public init(json: JSON) throws(WireProblem) {
        let reader = try WireReader(json)
        try reader.only("instances")
        instances = try reader.int("instances")
        guard instances >= 1 else {
            throw WireProblem("\"instances\": expected 1 or more; `devmesh stop` leaves none")
        }
    }

    public var json: JSON { ["instances": .int(instances)] }
}

/// The body of `POST /v1/services/NAME/watch`; the answer is an `ActionResult`.
public struct WatchSwitch: WireType {
    /// Whether changes of its files have it built and restarted.
    public var isOn: Bool

    public init(isOn: Bool) {
        self.isOn = isOn
    }

    public init(json: JSON) throws(WireProblem) {
        let reader = try WireReader(json)
        try reader.only("on")
        isOn = try reader.bool("on", default: true)
    }

    public var json: JSON { ["on": .bool(isOn)] }
}
