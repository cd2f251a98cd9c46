import Platform

/// What is made to go wrong with requests to a service, or with connections where it does not speak HTTP.
public struct Fault: Sendable, Equatable {
    /// The one service that is affected; nil: everyone who has no fault of its own.
    public var caller: String?
    /// How long each waits before anything else happens.
    public var delay: Duration
    /// By how much the delay is longer or shorter, at most; it never gets below zero.
    public var jitter: Duration
    /// What happens then.
    public var ending: Ending?
    /// Bytes a second, in each direction.
    public var rate: Int?
    /// How many of a hundred are affected. Each request is drawn anew, or each connection where it isn't HTTP.
    public var percent: Double

    public enum Ending: Sendable, Equatable {
        /// Answered with this status. What isn't HTTP is disconnected.
        case abort(status: Int)
        /// The connection is reset.
        case disconnect
    }

    public init(
        caller: String? = nil, delay: Duration = .zero, jitter: Duration = .zero, ending: Ending? = nil,
        rate: Int? = nil, percent: Double = 100
    ) {
        self.caller = caller
        self.delay = delay
        self.jitter = jitter
        self.ending = ending
        self.rate = rate
        self.percent = percent
    }

    /// 36 years: sums of these fit.
    private static let longest: Int64 = 1 << 60

    /// What this fault does to one request. The dice may be the one that a route was chosen by.
    public func decide(dice: UInt64) -> FaultAction {
        let drawn = Double(spread(dice ^ 0x6661_756c_7421_0001) >> 11) * 0x1p-53
        guard drawn * 100 < percent else { return .none }
        var wait = min(delay.nanoseconds, Self.longest)
        let most = min(jitter.nanoseconds, Self.longest)
        if most > 0 {
            let offset = spread(dice ^ 0x6661_756c_7421_0002).multipliedFullWidth(by: UInt64(most) * 2 + 1).high
            wait = max(0, wait - most + Int64(offset))
        }
        return FaultAction(delay: .nanoseconds(wait), ending: ending, rate: rate)
    }
}

extension [Fault] {
    /// What the faults of a service do to one request: the caller's own, else the one for all.
    public func decide(caller: String?, dice: UInt64) -> FaultAction {
        var common: Int?
        for index in indices {
            guard let only = self[index].caller else {
                common = common ?? index
                continue
            }
            if only == caller { return self[index].decide(dice: dice) }
        }
        return common.map { self[$0].decide(dice: dice) } ?? .none
    }
}

/// What is to be done to one request, in this order.
public struct FaultAction: Sendable, Equatable {
    public var delay: Duration
    /// Nil: it goes on, at `rate`.
    public var ending: Fault.Ending?
    /// Bytes a second, in each direction; nil: as fast as it goes.
    public var rate: Int?

    public static let none = FaultAction(delay: .zero, ending: nil, rate: nil)
}
