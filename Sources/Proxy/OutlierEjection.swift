import Platform

/// Leaves out instances that fail while others work, as Envoy does ("outlier detection", consecutive 5xx).
///
/// So many failures in a row eject an instance: for the base time, the second time for twice as long, and so on; each
/// interval in which it serves takes one time off again. Never are more than the given part ejected, so that what is
/// wrong with all of them does not leave the service without any.
public struct OutlierEjection: Sendable {
    public struct Policy: Sendable, Equatable {
        /// How many failures in a row eject.
        public var failures: Int
        /// For how long, the first time.
        public var time: Duration
        public var maximumTime: Duration
        /// How many of a hundred instances may be ejected at once; of a single one none can be.
        public var maximumPercent: Int

        public init(
            failures: Int = 5, time: Duration = .seconds(30), maximumTime: Duration = .seconds(300),
            maximumPercent: Int = 50
        ) {
            self.failures = failures
            self.time = time
            self.maximumTime = max(time, maximumTime)
            self.maximumPercent = maximumPercent
        }
    }

    private struct Host: Sendable {
        var failures = 0
        /// How many times in a row it was ejected.
        var ejections = 0
        /// The end of the current ejection, or of the last one.
        var end = Instant(nanoseconds: .min)
        var isEjected = false
    }

    public let policy: Policy
    private var hosts: [Host] = []
    private var backends: [Backend] = []
    private var indices: [Backend: Int] = [:]
    private var ejected = 0

    private static let interval = Duration.seconds(10)

    public init(_ policy: Policy) { self.policy = policy }

    /// Takes the instances that serve now; those that did before keep what is known of them.
    public mutating func set(_ backends: [Backend]) {
        let known = hosts
        hosts = backends.map { backend in indices[backend].map { known[$0] } ?? Host() }
        self.backends = backends
        indices = Dictionary(zip(backends, backends.indices), uniquingKeysWith: { first, _ in first })
        ejected = hosts.count(where: \.isEjected)
    }

    /// Whether the instance at that place of the list last set may get requests now.
    public mutating func admits(_ index: Int, at now: Instant) -> Bool {
        restore(index, at: now)
        return !hosts[index].isEjected
    }

    /// Learns how a request went. One that was under way when the instance was ejected, or that is no longer one of
    /// those that serve, tells nothing.
    /// - Parameter failed: it refused or broke the connection, timed out, or answered 5xx.
    /// - Returns: for how long the instance is ejected by this, if it is.
    @discardableResult
    public mutating func record(_ backend: Backend, failed: Bool, at now: Instant) -> Duration? {
        guard let index = indices[backend] else { return nil }
        restore(index, at: now)
        guard !hosts[index].isEjected else { return nil }
        guard failed else {
            hosts[index].failures = 0
            return nil
        }
        hosts[index].failures += 1
        guard hosts[index].failures >= policy.failures, mayEjectOneMore(at: now) else { return nil }
        return eject(index, at: now)
    }

    private mutating func eject(_ index: Int, at now: Instant) -> Duration {
        let served = hosts[index].ejections == 0 ? .zero : now - hosts[index].end
        let forgiven = served.nanoseconds / Self.interval.nanoseconds
        let count = max(0, hosts[index].ejections - Int(clamping: forgiven)) + 1
        let time = policy.time * count
        let bounded = min(time, policy.maximumTime)
        // Times beyond the longest need not be counted, and would overflow some day.
        hosts[index].ejections = time > policy.maximumTime ? max(count - 1, 1) : count
        hosts[index].failures = 0
        hosts[index].end = now + bounded
        hosts[index].isEjected = true
        ejected += 1
        return bounded
    }

    private mutating func restore(_ index: Int, at now: Instant) {
        guard hosts[index].isEjected, now >= hosts[index].end else { return }
        hosts[index].isEjected = false
        ejected -= 1
    }

    private mutating func mayEjectOneMore(at now: Instant) -> Bool {
        let most = hosts.count * policy.maximumPercent / 100
        // An ejection that is over may not have been noticed yet.
        if ejected >= most { for index in hosts.indices { restore(index, at: now) } }
        return ejected < most && ejected + 1 < hosts.count
    }
}
