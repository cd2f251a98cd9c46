import EventLoop
import HTTP
import Platform

/// A client's connection to a front or an edge, from accept to close.
///
///                   ┌────────────── parked ◀─────────────┐  (keep-alive, between exchanges)
///                   ▼                                    │
///     accept ──▶ routing ──▶ holding ──▶ dialling ──▶ relaying ──▶ closed
///                   │            │           │            │
///                   │            └─────┬─────┘            │
///                   ├──▶ answering ◀───┘ ──▶ lingering ◀──┘
///                   ├──▶ exchanging (HTTP remote) ──▶ lingering or relaying (upgraded)
///                   └──▶ reaching (TCP remote) ──▶ relaying
final class Connection: LinkOwner {
    enum Phase {
        case routing
        /// Waits for the service's state to change.
        case holding(ticket: UInt64, Timer)
        /// Connects to an instance; the others are tried where it refuses.
        case dialling(Link, Lease, rest: ArraySlice<Lease>)
        case relaying(Relay)
        /// Has no server. The client's next bytes are routed anew; a silent one also when an instance can be reached,
        /// for its server may be the one to speak first.
        case parked(isSilent: Bool)
        case answering(PendingAnswer)
        case exchanging(RemoteExchange)
        case reaching(RemoteDial)
        /// Everything is said; waits for the client to have read it and ended its side.
        case lingering(Timer?)
        case closed
    }

    let client: Link
    /// The service whose edge was called from, if it was one.
    let caller: String?
    unowned let destination: Destination
    /// When the connection came, or the first bytes after it was parked.
    private(set) var arrival: Instant
    /// Since when no instance has accepted it.
    var refusedSince: Instant?
    var phase = Phase.routing

    var loop: EventLoop { client.loop }

    init(_ client: Link, caller: String?, to destination: Destination) {
        self.client = client
        self.caller = caller
        self.destination = destination
        arrival = client.loop.now
        client.owner = self
    }

    // MARK: What it carries

    /// Whether it carries an HTTP/1 exchange that a draining instance should finish.
    var isBusy: Bool {
        switch phase {
        case .dialling: true
        case .relaying(let relay): relay.tracker?.isBusy ?? false
        default: false
        }
    }

    /// Whether its caller may be waiting for something of it.
    var isEngaged: Bool {
        switch phase {
        case .dialling: true
        case .relaying(let relay):
            switch relay.tracker?.conversation {
            case nil, .other: true
            case .undecided, .http1: relay.tracker?.isBusy ?? true
            }
        default: false
        }
    }

    // MARK: Events

    func linkMoved(_ link: Link) {
        switch phase {
        case .routing, .closed: break
        case .holding: noticeGoneClient()
        case .reaching: if link === client { noticeGoneClient() }
        case .dialling(let upstream, let lease, let rest):
            if link === upstream { dialMoved(upstream, lease, rest) } else { noticeGoneClient() }
        case .relaying(let relay): pump(relay)
        case .parked: parkedMoved()
        case .answering(let answer): prepareAnswer(answer)
        case .exchanging(let exchange): exchange.moved(link)
        case .lingering: lingerMoved()
        }
    }

    /// A client that went away by a reset needs nothing any more. One that ended its side may still want to read.
    private func noticeGoneClient() {
        guard client.isHungUp else { return }
        client.readEarly(limit: 65536)
        if case .broken = client.ending { close() }
    }

    // MARK: Holding

    /// Waits for another state of the service until `deadline`; then says `reason`.
    func hold(until deadline: Instant, reason: String) {
        let ticket = destination.enterQueue(self)
        let timer = loop.after(deadline - .now) { [weak self] in
            guard let self, case .holding = self.phase else { return }
            self.destination.leaveQueue(ticket)
            self.answer(reason)
        }
        phase = .holding(ticket: ticket, timer)
        noticeGoneClient()
    }

    // MARK: Parking

    /// Leaves an instance that is taken out of service, if that loses nothing.
    func leaveRetiredInstance() {
        if case .dialling(let upstream, let lease, _) = phase {
            // Nothing was sent to it yet.
            phase = .routing
            upstream.close()
            lease.remove(self)
            return destination.route(self)
        }
        guard case .relaying(let relay) = phase, relay.tracker?.isSilent == true, client.ending == nil else {
            return leaveIfIdle()
        }
        park(relay, isSilent: true)
    }

    /// Leaves a retired instance between two exchanges.
    func leaveIfIdle() {
        guard case .relaying(let relay) = phase, relay.tracker?.isIdle == true, client.ending == nil else { return }
        park(relay, isSilent: false)
    }

    func park(_ relay: Relay, isSilent: Bool) {
        phase = .parked(isSilent: isSilent)
        relay.upstream.close()
        relay.lease?.remove(self)
        if client.canRead { loop.later { [weak self] in self?.parkedMoved() } }
    }

    private func parkedMoved() {
        guard case .parked = phase else { return }
        client.readEarly(limit: 16384)
        if !client.earlyBytes.isEmpty {
            arrival = loop.now
            phase = .routing
            destination.route(self)
        } else if client.ending != nil {
            close()
        }
    }

    /// Finds a server for a client that is silent, now that there may be one.
    func unparkIfSilent() {
        guard case .parked(isSilent: true) = phase else { return }
        arrival = loop.now
        phase = .routing
        destination.route(self)
    }

    // MARK: Closing

    /// Closes what is left of a connection whose instance is told to end: idle clients stay, the others go.
    func abandonInstance() {
        guard case .relaying(let relay) = phase else { return close() }
        guard relay.tracker?.isIdle != true else { return park(relay, isSilent: false) }
        phase = .lingering(nil)
        relay.upstream.close()
        relay.lease?.remove(self)
        linger()
    }

    /// Ends our side once everything is sent, and waits a little for the client to do the same, so that what it is
    /// still sending does not turn our last bytes into a reset.
    func linger() {
        phase = .lingering(nil)
        client.end()
        lingerMoved()
    }

    private func lingerMoved() {
        client.discardInput()
        if client.isDead || (client.isExhausted && client.hasRoom) { return close() }
        // A slow reader has all the time it needs for what waits here; the rest is the kernel's.
        guard client.hasRoom, case .lingering(nil) = phase else { return }
        phase = .lingering(loop.after(Connection.lingerLimit) { [weak self] in self?.close() })
    }

    /// Closes both sides at once and forgets the connection.
    func close(reset: Bool = false) {
        switch phase {
        case .closed: return
        case .holding(let ticket, let timer):
            destination.leaveQueue(ticket)
            timer.cancel()
        case .dialling(let upstream, let lease, _):
            phase = .closed
            upstream.close()
            lease.remove(self)
        case .relaying(let relay):
            phase = .closed
            relay.upstream.close(reset: reset)
            relay.lease?.remove(self)
        case .answering(let answer): answer.timer?.cancel()
        case .exchanging(let exchange): exchange.cancel()
        case .reaching(let dial): dial.cancel()
        case .lingering(let timer): timer?.cancel()
        case .routing, .parked: break
        }
        phase = .closed
        client.close(reset: reset)
        destination.forget(self)
    }

    /// How long a client may take to end its side once everything is sent.
    static let lingerLimit = Duration.seconds(5)
}
