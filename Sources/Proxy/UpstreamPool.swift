import EventLoop
import Platform

/// Connections to one server that are between two exchanges, the latest first.
///
/// One that the server ends, or on which it says anything unasked, is closed at once; one that nobody has used for a
/// while is closed by a timer, which runs only while there are any.
final class UpstreamPool: LinkOwner {
    /// More than these are not kept.
    private static let most = 1024
    /// The longest that one is kept unused; the shortest is half of it.
    private static let patience = Duration.seconds(60)

    /// A server that ends a connection so soon after a response had better said so.
    private static let haste = Duration.milliseconds(50)
    /// How long one must have been idle before a request goes there that can't be sent twice, as long as no server's
    /// connection has been used again.
    private static let settling = Duration.milliseconds(5)

    private let loop: EventLoop
    // Unchecked: used by one loop only, and arrays of links call nobody.
    @exclusivity(unchecked) private var idle: [(link: Link, since: Instant)] = []
    private var timer: Timer?
    /// Whether anything is kept.
    private(set) var isOpen = true
    /// A connection has carried a second exchange.
    var isProven = false
    private var starvations = 0
    private var hasty = 0

    /// For how long this machine has slept; nil where the server sleeps with it.
    private let timeAsleep: (() -> Duration)?
    private var asleepBefore: Duration
    private var wokeUp = Instant(nanoseconds: .min)
    /// Two clocks are not read in the same moment.
    private static let nap = Duration.seconds(1)

    init(on loop: EventLoop, timeAsleep: (() -> Duration)? = nil) {
        self.loop = loop
        self.timeAsleep = timeAsleep
        asleepBefore = timeAsleep?() ?? .zero
    }

    var isEmpty: Bool { idle.isEmpty }

    /// Takes a connection out for an exchange; nil if there is none that is any good.
    /// - Parameter isSure: asks the system once more whether the server has ended it meanwhile.
    func take(isSure: Bool) -> Link? {
        while let (link, since) = idle.last {
            guard trusts(since, isSure: isSure) else {
                if since < wokeUp { _ = closeIdle() }
                return nil
            }
            idle.removeLast()
            if link.isSilent(asking: isSure) {
                link.owner = nil
                return link
            }
            link.close()
        }
        return nil
    }

    /// Whether a connection that has been idle since then leads to the server still, and will hardly be ended in this
    /// moment.
    func trusts(_ since: Instant, isSure: Bool) -> Bool {
        noticeSleep()
        return since >= wokeUp && (!isSure || isProven || loop.now - since >= UpstreamPool.settling)
    }

    /// What lies between may have forgotten a connection while the machine slept, and nobody tells: a request there would
    /// wait for a quarter of an hour (tcp(7), tcp_retries2).
    private func noticeSleep() {
        guard let asleep = timeAsleep?(), asleep - asleepBefore > UpstreamPool.nap else { return }
        asleepBefore = asleep
        wokeUp = loop.now
    }

    /// Keeps a connection whose exchange is complete, unless it can't carry another.
    func put(_ link: Link) {
        guard isOpen, idle.count < UpstreamPool.most, link.isSilent() else { return link.close() }
        link.owner = self
        idle.append((link, loop.now))
        if timer?.isPending != true { arm() }
    }

    /// Closes the one that has been unused for longest, for the sake of its descriptor; false where there is none.
    func evict() -> Bool {
        guard !idle.isEmpty else { return false }
        idle.removeFirst().link.close()
        return true
    }

    /// Closes those there are; false where there are none.
    func closeIdle() -> Bool {
        defer { idle = [] }
        for (link, _) in idle { link.close() }
        return !idle.isEmpty
    }

    /// Closes those there are, and whatever is put in later.
    func close() {
        isOpen = false
        timer?.cancel()
        _ = closeIdle()
    }

    /// An idle connection has kept the server from answering another: once more, and none is kept.
    func countStarvation() {
        starvations += 1
        if starvations > 1 { close() }
    }

    func linkMoved(_ link: Link) {
        guard !link.isSilent(), let index = idle.firstIndex(where: { $0.link === link }) else { return }
        let (_, since) = idle.remove(at: index)
        link.close()
        if !isProven, loop.now - since < UpstreamPool.haste { hasty += 1 }
        if hasty > 2 { close() }
    }

    private func arm() {
        timer = loop.after(UpstreamPool.patience / 2) { [self] in
            let now = loop.now
            for (link, since) in idle where now - since >= UpstreamPool.patience / 2 { link.close() }
            idle.removeAll { !$0.link.isOpen }
            if !idle.isEmpty { arm() }
        }
    }
}
