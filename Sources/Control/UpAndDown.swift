import JSON

/// The body of `POST /v1/up`: a second `up` while the mesh runs. The manifest is read anew.
public struct UpRequest: WireType {
    /// Start these and their closure; nil: all.
    public var services: [String]?
    /// `--local`; nil: as the manifest says.
    public var local: [String]?
    /// What the caller inherited, for `${NAME}` and for services started anew.
    public var env: [String: String]
    /// Whether the answer comes only when what was started is ready.
    public var wait: Bool
    /// Whether changes of files are heeded from now on.
    public var watch: Bool
    /// Only tell what would be done.
    public var dryRun: Bool

    public init(
        services: [String]?, local: [String]?, env: [String: String], wait: Bool, watch: Bool = true,
        dryRun: Bool = false
    ) {
        self.services = services
        self.local = local
        self.env = env
        self.wait = wait
        self.watch = watch
        self.dryRun = dryRun
    }

    public init(json: JSON) throws(WireProblem) {
        let reader = try WireReader(json)
        try reader.only("services", "local", "env", "wait", "watch", "dryRun")
        services = try reader.optionalStrings("services")
        local = try reader.optionalStrings("local")
        env = try reader.stringMap("env")
        wait = try reader.bool("wait", default: true)
        watch = try reader.bool("watch", default: true)
        dryRun = try reader.bool("dryRun", default: false)
    }

    public var json: JSON {
        [
            "services": services.map { JSON($0) } ?? .null, "local": local.map { JSON($0) } ?? .null,
            "env": JSON(env), "wait": .bool(wait), "watch": .bool(watch), "dryRun": .bool(dryRun),
        ]
    }
}

/// What the second `up` did to each service.
public struct UpReport: WireType {
    public var started: [String]
    public var restarted: [String]
    public var removed: [String]
    public var unchanged: [String]
    public var failed: [ActionResult]
    /// What was asked for, with what that depends on: services, whatever became of them.
    public var selected: [String]

    public init(
        started: [String] = [], restarted: [String] = [], removed: [String] = [], unchanged: [String] = [],
        failed: [ActionResult] = [], selected: [String] = []
    ) {
        self.started = started
        self.restarted = restarted
        self.removed = removed
        self.unchanged = unchanged
        self.failed = failed
        self.selected = selected
    }

    public init(json: JSON) throws(WireProblem) {
        let reader = try WireReader(json)
        started = try reader.strings("started")
        restarted = try reader.strings("restarted")
        removed = try reader.strings("removed")
        unchanged = try reader.strings("unchanged")
        failed = try reader.list("failed")
        selected = try reader.strings("selected")
    }

    public var json: JSON {
        [
            "started": JSON(started), "restarted": JSON(restarted), "removed": JSON(removed),
            "unchanged": JSON(unchanged), "failed": JSON(failed), "selected": JSON(selected),
        ]
    }
}

/// The answer to `POST /v1/down`, once every process is gone.
public struct DownReport: WireType {
    /// How many services were running.
    public var stopped: Int
    /// A sentence about processes that would not die and containers that could not be taken away; nil where none is left.
    public var left: String?

    public init(stopped: Int, left: String? = nil) {
        self.stopped = stopped
        self.left = left
    }

    public init(json: JSON) throws(WireProblem) {
        let reader = try WireReader(json)
        stopped = try reader.int("stopped")
        left = try reader.optionalString("left")
    }

    public var json: JSON {
        var members: [JSON.Member] = [.init("stopped", .int(stopped))]
        if let left { members.append(.init("left", .string(left))) }
        return .object(members)
    }
}
