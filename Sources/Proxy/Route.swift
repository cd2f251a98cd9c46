import HTTP

/// Which of a service's targets gets a request. Pure, and without allocation for each request.
///
///     a header or cookie of the request matches ──▶ the match's target (the first one's, in their order)
///     else the caller has shares of its own     ──▶ one of those
///     else                                      ──▶ one of everybody's shares
///
/// One of several shares is drawn by the dice or, where the route is sticky, by who the client is.
public struct Route: Sendable, Equatable {
    /// For all that nothing below decides.
    public var shares: Shares
    /// What a request itself may ask for; the first that applies wins.
    public var matches: [Match]
    /// For services that call through an edge.
    public var callers: [CallerShares]
    public var sticky: Sticky
    /// The target that gets a copy of each request; its responses are discarded.
    public var mirror: String?
    /// Where else, beside headers of their own names, the marks that matches look for may stand: `baggage` always
    /// (W3C Baggage), these too.
    public var carriers: [Carrier]

    /// A route over several targets.
    public init(
        _ shares: Shares, matches: [Match] = [], callers: [CallerShares] = [], sticky: Sticky = .none,
        mirror: String? = nil, propagate carriers: [Carrier] = []
    ) {
        self.shares = shares
        self.matches = matches
        self.callers = callers
        self.sticky = sticky
        self.mirror = mirror
        self.carriers = [.baggage] + carriers.filter { $0 != .baggage }
    }

    /// The plain route: everything to one target.
    public init(to target: String) { self.init(Shares(target)) }

    /// Every target that may get requests or copies of them, each once; a share of nothing counts, too.
    public var targets: [String] {
        let all =
            shares.entries.map(\.target) + callers.flatMap { $0.shares.entries.map(\.target) } + matches.map(\.target)
            + [mirror].compactMap { $0 }
        var seen: Set<String> = []
        return all.filter { seen.insert($0).inserted }
    }

    /// The one target of the plain route; nil where a request must be looked at.
    var only: String? {
        guard matches.isEmpty, callers.isEmpty, mirror == nil, shares.entries.count == 1 else { return nil }
        return shares.entries[0].target
    }

    // MARK: Choosing

    /// Chooses a target for one HTTP/1 request.
    /// - Parameters:
    ///   - head: complete, as parsed from `bytes`.
    ///   - caller: the service whose edge the request came through.
    ///   - dice: drawn anew for each request, evenly from all 64-bit numbers.
    public func choose(_ head: RequestHead, in bytes: UnsafeRawBufferPointer, caller: String?, dice: UInt64) -> String {
        let fields = head.fields
        for match in matches where match.applies(to: fields, in: bytes, carriers) { return match.target }
        let shares = shares(of: caller)
        guard shares.isSplit, sticky != .none else { return shares.pick(dice) }
        return shares.pick(identity(of: fields, in: bytes, caller) ?? dice)
    }

    /// Chooses a target for a connection of which nothing is known but its caller: raw TCP.
    public func choose(caller: String?, dice: UInt64) -> String {
        let shares = shares(of: caller)
        guard shares.isSplit, sticky != .none, let caller else { return shares.pick(dice) }
        return shares.pick(clientHash(of: caller.utf8))
    }

    private func shares(of caller: String?) -> Shares {
        guard let caller else { return shares }
        for rule in callers where rule.caller == caller { return rule.shares }
        return shares
    }

    private func identity(of fields: [HeaderField], in bytes: UnsafeRawBufferPointer, _ caller: String?) -> UInt64? {
        switch sticky {
        case .none: return nil
        case .header(let mark): return mark.hash(in: fields, of: bytes, carriers)
        case .cookie(let mark): return mark.hash(in: fields, of: bytes)
        case .client:
            return HeaderMark.authorization.hash(in: fields, of: bytes, [])
                ?? HeaderMark.cookie.hash(in: fields, of: bytes, []) ?? caller.map { clientHash(of: $0.utf8) }
        }
    }
}

extension Route {
    /// Targets and how much each gets.
    public struct Shares: Sendable, Equatable {
        public struct Entry: Sendable, Equatable {
            public var target: String
            public var weight: Int
        }

        public let entries: [Entry]
        private let total: UInt64
        /// Whether more than one target gets something.
        let isSplit: Bool

        /// Everything to one.
        public init(_ target: String) {
            entries = [Entry(target: target, weight: 1)]
            total = 1
            isSplit = false
        }

        /// Each according to its weight: 90 and 10 as well as 9 and 1. A weight of 0 gets nothing.
        /// - Returns: nil where all together is nothing, one is negative, or the sum is beyond 64 bits.
        public init?(_ weights: [(target: String, weight: Int)]) {
            var sum = 0
            for (_, weight) in weights {
                let (next, overflows) = sum.addingReportingOverflow(weight)
                if overflows || weight < 0 { return nil }
                sum = next
            }
            if sum == 0 { return nil }
            entries = weights.map { Entry(target: $0.target, weight: $0.weight) }
            total = UInt64(sum)
            isSplit = weights.count { $0.weight > 0 } > 1
        }

        /// The target at a place between nothing (0) and everything. While the order stays, a change of weights moves
        /// only the places that it must.
        func pick(_ place: UInt64) -> String {
            var left = place.multipliedFullWidth(by: total).high
            for entry in entries {
                let weight = UInt64(entry.weight)
                if left < weight { return entry.target }
                left -= weight
            }
            return entries[entries.count - 1].target
        }
    }

    /// The shares of one calling service.
    public struct CallerShares: Sendable, Equatable {
        public var caller: String
        public var shares: Shares

        public init(_ caller: String, _ shares: Shares) {
            self.caller = caller
            self.shares = shares
        }
    }

    /// By what a client is known again, so that it gets the target that it got before: by a hash, so nothing is kept,
    /// and it holds across restarts of devmesh. Who lacks it is a new client each time.
    public enum Sticky: Sendable, Equatable {
        case none
        /// By the first of these that it has: `Authorization`, its cookies all together, the calling service.
        case client
        /// By the value of one header; like a match, it may stand in a carrier.
        case header(HeaderMark)
        /// By the value of one cookie.
        case cookie(CookieMark)
    }

    /// A header or cookie that leads to a target.
    public struct Match: Sendable, Equatable {
        enum Mark: Sendable, Equatable {
            case header(HeaderMark)
            case cookie(CookieMark)
        }

        let mark: Mark
        let value: [UInt8]
        /// As it stands in carriers.
        let encodedValue: [UInt8]
        public let target: String

        /// - Parameters:
        ///   - header: a name, without regard to case.
        ///   - value: the whole value, with regard to case.
        public init(header: String, _ value: String, target: String) {
            mark = .header(HeaderMark(header))
            self.value = Array(value.utf8)
            encodedValue = Propagation.encode(self.value)
            self.target = target
        }

        /// - Parameter cookie: a name, with regard to case (RFC 6265 §5.4).
        public init(cookie: String, _ value: String, target: String) {
            mark = .cookie(CookieMark(cookie))
            self.value = Array(value.utf8)
            encodedValue = []
            self.target = target
        }

        var isHeader: Bool {
            if case .header = mark { true } else { false }
        }

        /// In lower case, where it is a header's.
        var name: [UInt8] {
            switch mark {
            case .header(let mark): mark.name
            case .cookie(let mark): mark.name
            }
        }

        /// Whether a carrier brings it; never a cookie.
        func isCarried(
            by carrier: Carrier, in fields: [HeaderField], of bytes: UnsafeRawBufferPointer
        ) -> Bool {
            if case .header(let mark) = mark {
                mark.isCarried(value, by: carrier, in: fields, of: bytes)
            } else {
                false
            }
        }

        func applies(to fields: [HeaderField], in bytes: UnsafeRawBufferPointer, _ carriers: [Carrier]) -> Bool {
            switch mark {
            case .header(let mark): mark.has(value, in: fields, of: bytes, carriers)
            case .cookie(let mark): mark.has(value, in: fields, of: bytes)
            }
        }
    }

    /// A header that carries marks from service to service, in which `x-user: me` may stand, too.
    public struct Carrier: Sendable, Equatable {
        /// In lower case.
        let name: [UInt8]
        /// Whether the rest of its name is a mark's name.
        let isPrefix: Bool

        /// - Parameter name: of a header with a list as `baggage` has it, `x-user=me, b=c;property`; or with a star
        ///   at its end, of headers that have the mark's name in theirs: with `uberctx-*`, `uberctx-x-user: me`.
        ///   Values are percent-decoded.
        public init(_ name: String) {
            isPrefix = name.hasSuffix("*")
            self.name = lowercased(isPrefix ? name.dropLast() : name[...])
        }

        public static let baggage = Carrier("baggage")
    }
}
