import JSON

/// Why a service is in its state: `GET /v1/services/NAME/why`.
public struct ServiceWhy: WireType {
    public var service: String
    public var state: String
    public var reason: String?
    /// What led to it, one fact a line: dependency, probe error, port owner.
    public var details: [String]
    /// What it printed last.
    public var lastLines: [String]

    public init(service: String, state: String, reason: String?, details: [String], lastLines: [String]) {
        self.service = service
        self.state = state
        self.reason = reason
        self.details = details
        self.lastLines = lastLines
    }

    public init(json: JSON) throws(WireProblem) {
        let reader = try WireReader(json)
        service = try reader.string("service")
        state = try reader.string("state")
        reason = try reader.optionalString("reason")
        details = try reader.strings("details")
        lastLines = try reader.strings("lastLines")
    }

    public var json: JSON {
        [
            "service": .string(service), "state": .string(state), "reason": JSON(reason), "details": JSON(details),
            "lastLines": JSON(lastLines),
        ]
    }
}

/// What a service's processes find around them: `GET /v1/services/NAME/env`.
public struct ServiceEnvironment: WireType {
    /// The whole environment, secrets included: the socket is the user's own.
    public var env: [String: String]
    public var directory: String

    public init(env: [String: String], directory: String) {
        self.env = env
        self.directory = directory
    }

    public init(json: JSON) throws(WireProblem) {
        let reader = try WireReader(json)
        env = try reader.stringMap("env")
        directory = try reader.string("directory")
    }

    public var json: JSON { ["env": JSON(env), "directory": .string(directory)] }
}

/// Something that happened in the mesh: a line of `events`.
public struct MeshEvent: WireType {
    /// RFC 3339.
    public var time: String
    /// Nil where it concerns the mesh as a whole.
    public var service: String?
    /// A short word: a state, `spawned`, `exited`, `restarted`, `up`, `dropped`, …
    public var event: String
    public var detail: String?
    public var instance: String?

    /// What the mesh waits for on its way down.
    public static let waiting = "waiting"

    public init(time: String, service: String?, event: String, detail: String? = nil, instance: String? = nil) {
        self.time = time
        self.service = service
        self.event = event
        self.detail = detail
        self.instance = instance
    }

    public init(json: JSON) throws(WireProblem) {
        let reader = try WireReader(json)
        time = try reader.string("time")
        service = try reader.optionalString("service")
        event = try reader.string("event")
        detail = try reader.optionalString("detail")
        instance = try reader.optionalString("instance")
    }

    public var json: JSON {
        [
            "time": .string(time), "service": JSON(service), "event": .string(event), "detail": JSON(detail),
            "instance": JSON(instance),
        ]
    }
}
