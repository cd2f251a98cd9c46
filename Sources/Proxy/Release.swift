import EventLoop
import Platform

/// Lets those go that have waited for a server, a few at a time.
///
/// One that has just come up may have room for a handful of connections that it has not accepted (listen(2), Python's
/// servers: five); what is beyond waits for seconds in retransmissions. So the next go as earlier ones are answered or,
/// where that takes long, after a while, each time more of them.
final class Release {
    private let loop: EventLoop
    private var waiting: ArraySlice<Connection> = []
    private var unanswered = 0
    private var window = Release.first
    private var timer: Timer?

    private static let first = 4
    private static let patience = Duration.milliseconds(50)

    init(on loop: EventLoop) { self.loop = loop }

    /// Begins with those, in their order, instead of any that it had.
    func begin(_ connections: [Connection]) {
        waiting = connections[...]
        proceed()
    }

    func cancel() { waiting = [] }

    /// To be called once for each connection with `isReleased`, when it has been answered or has gone elsewhere.
    func settle() {
        unanswered -= 1
        if !waiting.isEmpty { loop.later { [self] in proceed() } }
    }

    private func proceed() {
        while unanswered < window, let next = waiting.popFirst() {
            guard case .holding = next.phase else { continue }
            if next.conversation == .http1 {
                next.release = self
                unanswered += 1
            }
            next.destination.reroute(next)
        }
        guard !waiting.isEmpty else {
            window = Release.first
            timer?.cancel()
            return
        }
        guard timer?.isPending != true else { return }
        timer = loop.after(Release.patience) { [self] in
            window *= 2
            proceed()
        }
    }
}
