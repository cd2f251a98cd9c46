import Platform

/// Keeps retries from making an overload worse: they may be only a part of the requests of the last ten seconds, beside
/// a few a second that are always free (the budget of Finagle and Linkerd).
public struct RetryBudget: Sendable {
    public struct Policy: Sendable, Equatable {
        /// Retries for a hundred requests.
        public var percent: Int
        /// Retries a second that are free, so that a quiet service is tried again, too.
        public var minimumPerSecond: Int

        public init(percent: Int = 20, minimumPerSecond: Int = 10) {
            self.percent = percent
            self.minimumPerSecond = minimumPerSecond
        }
    }

    public let policy: Policy
    /// What was earned less what was spent in each of the last ten seconds, in hundredths of a retry.
    private var slots = [Int](repeating: 0, count: 10)
    /// Of all slots.
    private var sum = 0
    private var current = 0
    private var currentBegan: Instant

    /// Nanoseconds.
    private static let slotLength: Int64 = 1_000_000_000
    private static let price = 100

    public init(_ policy: Policy, at now: Instant) {
        self.policy = policy
        currentBegan = now
    }

    /// Counts a request; retries are none.
    public mutating func request(at now: Instant) {
        turn(to: now)
        add(policy.percent)
    }

    /// Pays for one retry.
    /// - Returns: whether there was enough; the retry must not be made where there wasn't.
    public mutating func retry(at now: Instant) -> Bool {
        turn(to: now)
        let free = policy.minimumPerSecond * slots.count * Self.price
        guard sum + free >= Self.price else { return false }
        add(-Self.price)
        return true
    }

    private mutating func add(_ amount: Int) {
        slots[current] += amount
        sum += amount
    }

    /// Empties the slots of seconds that have come since.
    private mutating func turn(to now: Instant) {
        // In plain numbers, for every request comes here.
        let elapsed = now.nanoseconds - currentBegan.nanoseconds
        guard elapsed >= Self.slotLength else { return }
        let passed = elapsed / Self.slotLength
        for _ in 0..<min(passed, Int64(slots.count)) {
            current = (current + 1) % slots.count
            sum -= slots[current]
            slots[current] = 0
        }
        currentBegan.nanoseconds += passed * Self.slotLength
    }
}
