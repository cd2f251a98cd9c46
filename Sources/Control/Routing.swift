import JSON

/// Which of a service's targets get its requests.
///
///     {"weights": {"local": 90, "next": 10}, "headers": [{"name": "x-user", "value": "me", "target": "next"}],
///      "cookies": [], "from": {"reader": {"next": 1}}, "sticky": {"cookie": "session"}, "mirror": null,
///      "propagate": ["uberctx-*"]}
public struct RouteRules: WireType {
    public struct Weight: Sendable, Equatable {
        public var target: String
        public var weight: Int

        public init(_ target: String, _ weight: Int) {
            self.target = target
            self.weight = weight
        }
    }

    /// A header or cookie with a value, and where such requests go.
    public struct Match: WireType {
        public var name: String
        public var value: String
        public var target: String

        public init(name: String, value: String, target: String) {
            self.name = name
            self.value = value
            self.target = target
        }

        public init(json: JSON) throws(WireProblem) {
            let reader = try WireReader(json)
            try reader.only("name", "value", "target")
            name = try reader.string("name")
            value = try reader.string("value")
            target = try reader.string("target")
        }

        public var json: JSON { ["name": .string(name), "value": .string(value), "target": .string(target)] }
    }

    public struct Caller: Sendable, Equatable {
        public var service: String
        public var weights: [Weight]

        public init(_ service: String, _ weights: [Weight]) {
            self.service = service
            self.weights = weights
        }
    }

    public enum Sticky: Sendable, Equatable {
        /// `false`
        case none
        /// `true`: known by Authorization, else cookies, else the calling service.
        case client
        /// `{"header": "x-user"}`
        case header(String)
        case cookie(String)
    }

    /// Empty: everything goes to the target in use.
    public var weights: [Weight]
    /// The first that applies wins, before all others.
    public var headers: [Match]
    public var cookies: [Match]
    public var callers: [Caller]
    public var sticky: Sticky
    /// The target that gets a copy of each request.
    public var mirror: String?
    public var propagate: [String]

    public init(
        weights: [Weight] = [], headers: [Match] = [], cookies: [Match] = [], callers: [Caller] = [],
        sticky: Sticky = .none, mirror: String? = nil, propagate: [String] = []
    ) {
        self.weights = weights
        self.headers = headers
        self.cookies = cookies
        self.callers = callers
        self.sticky = sticky
        self.mirror = mirror
        self.propagate = propagate
    }

    static let members = ["weights", "headers", "cookies", "from", "sticky", "mirror", "propagate"]

    public init(json: JSON) throws(WireProblem) {
        let reader = try WireReader(json)
        try reader.only(Self.members)
        try self.init(reader)
    }

    init(_ reader: WireReader) throws(WireProblem) {
        weights = try Self.weights(reader.value("weights") ?? [:], "weights")
        headers = try reader.list("headers")
        cookies = try reader.list("cookies")
        callers = []
        for member in try reader.members("from") {
            let weights = try Self.weights(member.value, member.name)
            guard !weights.isEmpty else { throw WireProblem("\"\(member.name)\": expected at least one target") }
            callers.append(Caller(member.name, weights))
        }
        sticky = try Self.sticky(reader.value("sticky"))
        mirror = try reader.optionalString("mirror")
        propagate = try reader.optionalStrings("propagate") ?? []
    }

    private static func weights(_ json: JSON, _ name: String) throws(WireProblem) -> [Weight] {
        guard let members = json.objectValue else { throw WireProblem("\"\(name)\": expected an object of weights") }
        var weights: [Weight] = []
        for member in members {
            guard let weight = member.value.intValue, 0...1_000_000 ~= weight else {
                throw WireProblem("\"\(member.name)\": expected a weight from 0 to 1000000")
            }
            weights.append(Weight(member.name, weight))
        }
        guard weights.isEmpty || weights.contains(where: { $0.weight > 0 }) else {
            throw WireProblem("\"\(name)\": expected a weight above 0")
        }
        return weights
    }

    private static func sticky(_ json: JSON?) throws(WireProblem) -> Sticky {
        guard let json else { return .none }
        if let isSticky = json.boolValue { return isSticky ? .client : .none }
        if json.objectValue?.count == 1 {
            if let name = json["header"]?.stringValue { return .header(name) }
            if let name = json["cookie"]?.stringValue { return .cookie(name) }
        }
        throw WireProblem("\"sticky\": expected true, false, {\"header\": NAME} or {\"cookie\": NAME}")
    }

    public var json: JSON { .object(jsonMembers) }

    var jsonMembers: [JSON.Member] {
        [
            .init("weights", Self.json(weights)), .init("headers", JSON(headers)), .init("cookies", JSON(cookies)),
            .init("from", .object(callers.map { .init($0.service, Self.json($0.weights)) })),
            .init("sticky", stickyJSON), .init("mirror", JSON(mirror)), .init("propagate", JSON(propagate)),
        ]
    }

    private static func json(_ weights: [Weight]) -> JSON {
        .object(weights.map { .init($0.target, .int($0.weight)) })
    }

    private var stickyJSON: JSON {
        switch sticky {
        case .none: false
        case .client: true
        case .header(let name): ["header": .string(name)]
        case .cookie(let name): ["cookie": .string(name)]
        }
    }

    // MARK: Changes

    /// Adds what `new` says: its weights, mirror and stickiness replace the present ones, and so does what it says of
    /// the same header, cookie or caller; the rest stays.
    public mutating func add(_ new: RouteRules) {
        if !new.weights.isEmpty { weights = new.weights }
        for match in new.headers {
            Self.add(match, to: &headers) { $0.name.lowercased() == match.name.lowercased() }
        }
        for match in new.cookies { Self.add(match, to: &cookies) { $0.name == match.name } }
        for caller in new.callers {
            if let index = callers.firstIndex(where: { $0.service == caller.service }) {
                callers[index] = caller
            } else {
                callers.append(caller)
            }
        }
        if new.sticky != .none { sticky = new.sticky }
        mirror = new.mirror ?? mirror
        propagate += new.propagate.filter { !propagate.contains($0) }
    }

    private static func add(_ match: Match, to matches: inout [Match], sameName: (Match) -> Bool) {
        if let index = matches.firstIndex(where: { sameName($0) && $0.value == match.value }) {
            matches[index] = match
        } else {
            matches.append(match)
        }
    }
}

/// The body of `POST /v1/services/NAME/route`; the answer is an `ActionResult`. The members of the rules stand beside
/// `clear`.
public struct RouteChange: WireType {
    /// Whether what commands chose before is forgotten first.
    public var clear: Bool
    /// What is forgotten whoever said it.
    public var without: Set<Part>
    /// What is added then.
    public var rules: RouteRules

    /// What there is one of in a route, so that nothing added can take its place by saying less.
    public enum Part: String, Sendable, CaseIterable {
        case mirror, sticky
    }

    public init(clear: Bool = false, without: Set<Part> = [], rules: RouteRules = RouteRules()) {
        self.clear = clear
        self.without = without
        self.rules = rules
    }

    /// The rules that hold once `present` are changed.
    public func applied(to present: RouteRules) -> RouteRules {
        var changed = present
        if without.contains(.mirror) { changed.mirror = nil }
        if without.contains(.sticky) { changed.sticky = .none }
        changed.add(rules)
        return changed
    }

    public init(json: JSON) throws(WireProblem) {
        let reader = try WireReader(json)
        try reader.only(["clear", "without"] + RouteRules.members)
        clear = try reader.bool("clear", default: false)
        without = []
        for name in try reader.optionalStrings("without") ?? [] {
            guard let part = Part(rawValue: name) else {
                throw WireProblem("\"without\": expected \"mirror\" or \"sticky\", found \"\(name)\"")
            }
            without.insert(part)
        }
        rules = try RouteRules(reader)
        guard clear || !without.isEmpty || rules != RouteRules() else {
            throw WireProblem("expected something to change")
        }
    }

    public var json: JSON {
        let without = Part.allCases.filter(self.without.contains).map(\.rawValue)
        return .object([.init("clear", .bool(clear)), .init("without", JSON(without))] + rules.jsonMembers)
    }
}

/// A service's route as it is: `GET /v1/services/NAME/route`.
public struct RouteStatus: WireType {
    public var service: String
    /// The target in use, where all goes that no rule sends elsewhere and no weight shares out.
    public var target: String
    public var source: Source
    public var rules: RouteRules

    public enum Source: String, Sendable {
        /// `devmesh route` said so.
        case command
        case manifest
    }

    public init(service: String, target: String, source: Source, rules: RouteRules) {
        self.service = service
        self.target = target
        self.source = source
        self.rules = rules
    }

    public init(json: JSON) throws(WireProblem) {
        let reader = try WireReader(json)
        service = try reader.string("service")
        target = try reader.string("target")
        guard let known = Source(rawValue: try reader.string("source")) else {
            throw WireProblem("\"source\": expected command or manifest")
        }
        source = known
        rules = try RouteRules(json: reader.value("route") ?? [:])
    }

    public var json: JSON {
        [
            "service": .string(service), "target": .string(target), "source": .string(source.rawValue),
            "route": rules.json,
        ]
    }
}
