import JSON

/// One service as `ps` shows it (contract §5).
public struct ServiceStatus: WireType {
    public var service: String
    /// `pending`, `building`, `starting`, `ready`, `unready`, `stopping`, `stopped`, `completed`, `failed` or
    /// `unreachable`.
    public var state: String
    /// `local`, `remote` or a version.
    public var target: String
    /// The front, `127.0.0.1:20001`; nil for a service that listens nowhere.
    public var address: String?
    public var url: String?
    /// Why it is in its state; nil when ready.
    public var reason: String?
    public var instances: [InstanceStatus]
    /// Whether a command chose something other than what the manifest says.
    public var differs: Bool
    /// Whether it is served by a remote whose certificate is not verified.
    public var isInsecure: Bool
    /// How its requests are shared out among targets, `local 90, next 10`; nil where all go to `target`.
    public var shares: String?
    /// Something to know of it though it is ready, as that it serves a previous build.
    public var remark: String?

    public init(
        service: String, state: String, target: String, address: String?, url: String?, reason: String?,
        instances: [InstanceStatus], differs: Bool = false, isInsecure: Bool = false,
        shares: String? = nil, remark: String? = nil
    ) {
        self.service = service
        self.state = state
        self.target = target
        self.address = address
        self.url = url
        self.reason = reason
        self.instances = instances
        self.differs = differs
        self.isInsecure = isInsecure
        self.shares = shares
        self.remark = remark
    }

    public init(json: JSON) throws(WireProblem) {
        let reader = try WireReader(json)
        service = try reader.string("service")
        state = try reader.string("state")
        target = try reader.string("target")
        address = try reader.optionalString("address")
        url = try reader.optionalString("url")
        reason = try reader.optionalString("reason")
        instances = try reader.list("instances")
        differs = try reader.bool("differs", default: false)
        isInsecure = try reader.bool("insecure", default: false)
        shares = try reader.optionalString("shares")
        remark = try reader.optionalString("remark")
    }

    public var json: JSON {
        var members: [JSON.Member] = [
            .init("service", .string(service)), .init("state", .string(state)), .init("target", .string(target)),
            .init("address", JSON(address)), .init("url", JSON(url)), .init("reason", JSON(reason)),
            .init("instances", JSON(instances)), .init("differs", .bool(differs)),
            .init("insecure", .bool(isInsecure)),
        ]
        if let shares { members.append(.init("shares", .string(shares))) }
        if let remark { members.append(.init("remark", .string(remark))) }
        return .object(members)
    }
}

extension ServiceStatus {
    /// Of all instances; nil where none runs.
    public var cpu: Double? { sum(instances.compactMap(\.cpu)) }
    public var rss: Int? { sum(instances.compactMap(\.rss)) }

    private func sum<Number: Numeric>(_ numbers: [Number]) -> Number? {
        numbers.isEmpty ? nil : numbers.reduce(0, +)
    }
}

/// One running process of a local target.
public struct InstanceStatus: WireType {
    /// `reader.1`.
    public var id: String
    /// The process spawned; nil while there is none.
    public var pid: Int?
    /// Its private port; nil where it listens nowhere.
    public var port: Int?
    public var state: String
    /// RFC 3339; nil while there is no process.
    public var started: String?
    /// Automatic restarts only.
    public var restarts: Int
    /// Percent of one core over the last second, of the whole process tree.
    public var cpu: Double?
    /// Bytes of memory of the whole process tree.
    public var rss: Int?

    public init(
        id: String, pid: Int?, port: Int?, state: String, started: String?, restarts: Int, cpu: Double?, rss: Int?
    ) {
        self.id = id
        self.pid = pid
        self.port = port
        self.state = state
        self.started = started
        self.restarts = restarts
        self.cpu = cpu
        self.rss = rss
    }

    public init(json: JSON) throws(WireProblem) {
        let reader = try WireReader(json)
        id = try reader.string("id")
        pid = try reader.optionalInt("pid")
        port = try reader.optionalInt("port")
        state = try reader.string("state")
        started = try reader.optionalString("started")
        restarts = try reader.int("restarts")
        cpu = try reader.optionalDouble("cpu")
        rss = try reader.optionalInt("rss")
    }

    public var json: JSON {
        [
            "id": .string(id), "pid": JSON(pid), "port": JSON(port), "state": .string(state), "started": JSON(started),
            "restarts": .int(restarts), "cpu": JSON(cpu), "rss": JSON(rss),
        ]
    }
}
