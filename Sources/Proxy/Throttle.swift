import Platform

/// Lets so many bytes a second pass: what was saved up is a twentieth of a second's at most, and who has taken more
/// than there was waits for it.
struct Throttle {
    private let rate: Int
    private var credit: Int
    private var last: Instant

    init(rate: Int, at now: Instant) {
        self.rate = max(rate, 1)
        credit = 0
        last = now
    }

    private var most: Int { max(rate / 20, 1) }

    /// How many bytes may pass now.
    mutating func allowance(at now: Instant) -> Int {
        let earned = (now - last).nanoseconds / 1000 * Int64(clamping: rate) / 1_000_000
        if earned > 0 {
            credit = min(credit + Int(earned), most)
            last = now
        }
        return max(credit, 0)
    }

    mutating func spend(_ count: Int) { credit -= count }

    /// How long to wait for the next bytes that are worth it.
    var pause: Duration {
        .nanoseconds(Int64(most - min(credit, most - 1)) * 1_000_000_000 / Int64(rate) + 1_000_000)
    }
}
