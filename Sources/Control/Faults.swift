import JSON

/// What is made to go wrong with the requests to a service, or with its connections where they aren't HTTP:
///
///     {"from": "reader", "delayMs": 200, "jitterMs": 50, "abort": 503, "disconnect": false,
///      "bytesPerSecond": 65536, "percent": 10}
public struct FaultRule: WireType {
    /// The one caller that is affected; nil: everyone who has no fault of its own.
    public var caller: String?
    public var delay: Int
    /// By how many milliseconds the delay is longer or shorter, at most.
    public var jitter: Int
    /// The status of the answer.
    public var abort: Int?
    public var disconnect: Bool
    public var bytesPerSecond: Int?
    /// How many of a hundred requests, above 0.
    public var percent: Double

    public init(
        caller: String? = nil, delay: Int = 0, jitter: Int = 0, abort: Int? = nil, disconnect: Bool = false,
        bytesPerSecond: Int? = nil, percent: Double = 100
    ) {
        self.caller = caller
        self.delay = delay
        self.jitter = jitter
        self.abort = abort
        self.disconnect = disconnect
        self.bytesPerSecond = bytesPerSecond
        self.percent = percent
    }

    static let members = ["from", "delayMs", "jitterMs", "abort", "disconnect", "bytesPerSecond", "percent"]

    /// The longest delay: an hour, in milliseconds.
    public static let longestDelay = 3_600_000
    /// What an aborted request may be answered with.
    public static let statuses = 200...599

    public init(json: JSON) throws(WireProblem) {
        let reader = try WireReader(json)
        try reader.only(Self.members)
        try self.init(reader)
    }

    init(_ reader: WireReader) throws(WireProblem) {
        caller = try reader.optionalString("from")
        delay = try reader.optionalInt("delayMs") ?? 0
        jitter = try reader.optionalInt("jitterMs") ?? 0
        abort = try reader.optionalInt("abort")
        disconnect = try reader.bool("disconnect", default: false)
        bytesPerSecond = try reader.optionalInt("bytesPerSecond")
        percent = try reader.optionalDouble("percent") ?? 100
        for (name, time) in [("delayMs", delay), ("jitterMs", jitter)] where !(0...Self.longestDelay ~= time) {
            throw WireProblem("\"\(name)\": expected milliseconds from 0 to \(Self.longestDelay)")
        }
        if let abort, !Self.statuses.contains(abort) {
            throw WireProblem("\"abort\": expected a status from 200 to 599")
        }
        if abort != nil, disconnect { throw WireProblem("expected either \"abort\" or \"disconnect\"") }
        if let bytesPerSecond, bytesPerSecond < 1 { throw WireProblem("\"bytesPerSecond\": expected 1 or more") }
        guard percent > 0, percent <= 100 else { throw WireProblem("\"percent\": expected more than 0, at most 100") }
        guard delay > 0 || jitter > 0 || abort != nil || disconnect || bytesPerSecond != nil else {
            throw WireProblem("expected something that goes wrong: delayMs, abort, disconnect or bytesPerSecond")
        }
    }

    public var json: JSON {
        [
            "from": JSON(caller), "delayMs": .int(delay), "jitterMs": .int(jitter), "abort": JSON(abort),
            "disconnect": .bool(disconnect), "bytesPerSecond": JSON(bytesPerSecond), "percent": .double(percent),
        ]
    }
}

/// The body of `POST /v1/services/NAME/fault`; the answer is an `ActionResult`.
public enum FaultChange: WireType {
    /// Takes the place of the fault that there was for the same caller.
    case set(FaultRule)
    /// `{"clear": true}`: all of them; with `from` that caller's.
    case clear(caller: String?)

    public init(json: JSON) throws(WireProblem) {
        let reader = try WireReader(json)
        if try reader.bool("clear", default: false) {
            try reader.only(["clear", "from"])
            self = .clear(caller: try reader.optionalString("from"))
        } else {
            try reader.only(["clear"] + FaultRule.members)
            self = .set(try FaultRule(reader))
        }
    }

    public var json: JSON {
        switch self {
        case .set(let rule): rule.json
        case .clear(let caller): ["clear": true, "from": JSON(caller)]
        }
    }
}
