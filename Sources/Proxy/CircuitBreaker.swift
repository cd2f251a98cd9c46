import Platform

/// Spares a service that fails again and again: after so many failures in a row requests are answered at once, until
/// one that is let through shows that it works again.
///
///     closed ──failures in a row──▶ open ──`open` has passed──▶ half open, one trial at a time
///       ▲                            ▲                              │
///       └──────── success ───────────┼──────────────────────────────┤
///                                    └────────── failure ───────────┘
public struct CircuitBreaker: Sendable, Equatable {
    public struct Policy: Sendable, Equatable {
        /// How many failures in a row open it.
        public var failures: Int
        /// How long it stays open before a trial, and how long a trial may take before another is let through.
        public var open: Duration

        public init(failures: Int = 5, open: Duration = .seconds(10)) {
            self.failures = failures
            self.open = open
        }
    }

    public enum State: Sendable, Equatable {
        case closed(failures: Int)
        case open(until: Instant)
        /// The trial that is under way, if one is, counts until then.
        case halfOpen(trialUntil: Instant?)
    }

    /// Stands for a request that was let through, until its outcome is known.
    public struct Pass: Sendable, Equatable {
        fileprivate let era: UInt64
    }

    public enum Outcome: Sendable {
        case success
        /// It could not be connected to, broke, timed out, or answered 5xx.
        case failure
        /// Nothing was learned, as when the client left.
        case unknown
    }

    public let policy: Policy
    public private(set) var state = State.closed(failures: 0)
    /// Counts changes: what was let through before the latest one tells nothing about what is now.
    private var era: UInt64 = 0

    public init(_ policy: Policy) { self.policy = policy }

    /// Lets a request through, or not. Each pass must come back by `record`.
    public mutating func admit(at now: Instant) -> Pass? {
        switch state {
        case .closed: break
        case .open(let end):
            guard now >= end else { return nil }
            move(to: .halfOpen(trialUntil: now + policy.open))
        case .halfOpen(let end):
            if let end, now < end { return nil }
            move(to: .halfOpen(trialUntil: now + policy.open))
        }
        return Pass(era: era)
    }

    /// Learns how a request went that was let through.
    public mutating func record(_ pass: Pass, _ outcome: Outcome, at now: Instant) {
        guard pass.era == era else { return }
        switch (state, outcome) {
        case (.closed, .success): state = .closed(failures: 0)
        case (.closed(let failures), .failure):
            if failures + 1 < policy.failures {
                state = .closed(failures: failures + 1)
            } else {
                move(to: .open(until: now + policy.open))
            }
        case (.halfOpen, .success): move(to: .closed(failures: 0))
        case (.halfOpen, .failure): move(to: .open(until: now + policy.open))
        case (.halfOpen, .unknown): move(to: .halfOpen(trialUntil: nil))
        case (.closed, .unknown), (.open, _): break
        }
    }

    private mutating func move(to state: State) {
        self.state = state
        era += 1
    }
}
