import EventLoop
import HTTP
import Platform

/// A client's connection to a front or an edge, from accept to close.
///
///     accept ──▶ awaiting ──▶ routing ──▶ holding ──▶ dialling ──▶ exchanging (HTTP/1) ──▶ awaiting
///                 (bytes)        │           │            │   └──▶ relaying (anything else)
///                                ├───────────┴── answer ──┴──▶ lingering ──▶ closed
///                                └──▶ reaching (a remote) ──▶ exchanging or relaying
final class Connection: LinkOwner {
    enum Phase {
        /// Waits for the client's first bytes or its next request; the timer ends its patience.
        case awaiting(Timer?)
        case routing
        /// Agrees with its client on TLS; the timer ends its patience.
        case securing(Timer)
        /// Waits because somebody wants to see what happens then (a fault).
        case delayed(Timer)
        /// Waits for the service's state to change.
        case holding(ticket: UInt64, Timer)
        /// Connects to an instance; the others are tried where it refuses.
        case dialling(Link, Lease, rest: ArraySlice<Lease>)
        case exchanging
        case relaying(Relay)
        /// A silent client without a server, since the one it had is gone: it gets another when there is one, for that
        /// may be the one to speak first.
        case parked
        case reaching(RemoteDial)
        /// Everything is said; waits for the client to have read it and ended its side.
        case lingering(Timer?)
        case closed
    }

    /// What the client speaks.
    enum Conversation {
        case undecided
        case http1
        /// HTTP/2, TLS, redis, …: passed on without a look.
        case raw
    }

    let client: Link
    /// The service whose edge was called from, if it was one.
    let caller: String?
    /// The service that it is for; at the gateway, the one that its latest request was for.
    private(set) var destination: Destination
    /// What finds the service of each request, where the connection came by no front.
    let gateway: Gateway?
    /// Where the request at hand goes, or the connection; nil until chosen.
    var target: Target?
    /// Came when the service had as many as it may have.
    var isOneTooMany = false
    /// What has let it go after it had waited, until that is settled.
    var release: Release?
    /// Faults have been applied to it as a whole.
    var hasSuffered = false
    /// Bytes a second, where it is slowed down as a whole.
    var rate: Int?
    var idleWatch: Timer?
    var bodyWatch: Timer?
    /// Ends the wait for a server to accept.
    var dialLimit: Timer?
    /// When anything passed last, as far as `idleWatch` cares.
    var lastMoved = Instant(nanoseconds: 0)
    /// When the connection came, or the first bytes after it was parked.
    var arrival: Instant
    /// Since when no instance has accepted it.
    var refusedSince: Instant?
    var phase = Phase.routing
    var conversation = Conversation.undecided
    /// Nil before the first request.
    private(set) var begunExchange: Exchange?
    /// A request's head that has not come whole; nil where there is none.
    var partialHead: RequestHead?
    var isExpectingRest = false
    /// Its first bytes did not tell in time what it speaks, and only HTTP would be of use.
    var hasHesitated = false
    let isClientV6: Bool
    /// Whose program the client is; nil where that can't be told.
    lazy var clientUser = client.peerUser()
    /// Where it stands among the connections of the server that it uses.
    var place = 0

    var loop: EventLoop { client.loop }

    var exchange: Exchange {
        if let begunExchange { return begunExchange }
        let exchange = Exchange(self)
        begunExchange = exchange
        return exchange
    }

    init(_ client: Link, caller: String?, isV6: Bool, to destination: Destination, through gateway: Gateway? = nil) {
        self.client = client
        isClientV6 = isV6
        self.caller = caller
        self.destination = destination
        self.gateway = gateway
        arrival = client.loop.now
        client.owner = self
    }

    // MARK: At the gateway

    /// Goes to another service, between two requests.
    func move(to destination: Destination) {
        guard destination !== self.destination else { return }
        begunExchange?.dropKept()
        idleWatch?.cancel()
        bodyWatch?.cancel()
        self.destination.remove(self)
        self.destination = destination
        destination.add(self)
    }

    /// Leaves a service that is no more, if it is between two requests and came by the gateway; else false.
    func returnToGateway() -> Bool {
        guard let gateway, destination !== gateway.home, case .awaiting = phase else { return false }
        move(to: gateway.home)
        return true
    }

    // MARK: What it carries

    /// Whether it carries an HTTP/1 exchange that a draining instance should finish.
    var isBusy: Bool {
        switch phase {
        case .dialling: true
        case .exchanging: !exchange.isStream
        default: false
        }
    }

    /// Whether its caller may be waiting for something of it.
    var isEngaged: Bool {
        switch phase {
        case .dialling, .exchanging: true
        case .relaying(let relay): !relay.isSilent
        default: false
        }
    }

    // MARK: Events

    func linkMoved(_ link: Link) {
        lastMoved = loop.now
        switch phase {
        case .routing, .closed: break
        case .awaiting: if link === client { readRequest() } else { begunExchange?.keptMoved() }
        case .holding, .delayed: noticeGoneClient()
        case .securing: goOnSecuring()
        case .reaching: if link === client { noticeGoneClient() }
        case .dialling(let upstream, let lease, let rest):
            if link === upstream { dialMoved(upstream, lease, rest) } else { noticeGoneClient() }
        case .exchanging: exchange.passOn()
        case .relaying(let relay): pump(relay)
        case .parked: parkedMoved()
        case .lingering: lingerMoved()
        }
    }

    /// A client that went away by a reset needs nothing any more. One that ended its side may still want to read, but
    /// with HTTP it is hardly there any more.
    func noticeGoneClient() {
        guard client.isHungUp else { return }
        client.readEarly(limit: 65536)
        switch client.ending {
        case nil: break
        case .broken: close()
        case .inOrder: if conversation == .http1 { exchange.clientEnded() }
        }
    }

    // MARK: Routing

    /// Sends the connection to where its service is now.
    func routeAnew() {
        stopWaiting()
        arrival = loop.now
        if conversation != .http1, !mayRelay() { return }
        destination.route(self)
    }

    /// Leaves the way to a remote that has not been reached yet, if the request goes elsewhere now.
    func reconsider() {
        guard case .reaching(let dial) = phase, conversation == .http1 else { return }
        let chosen = chooseTarget()
        guard chosen !== target else { return }
        dial.cancel()
        phase = .routing
        target = chosen
        destination.route(self)
    }

    func chooseTarget() -> Target {
        if conversation == .http1, let target = exchange.chooseTarget() { return target }
        return destination.choose(for: self)
    }

    // MARK: Holding

    /// Waits for another state of the service until `deadline`; then says `reason`.
    func hold(until deadline: Instant, reason: String) {
        settleRelease()
        let ticket = destination.enterQueue(self)
        let timer = loop.after(deadline - .now) { [self] in
            guard case .holding = phase else { return }
            destination.leaveQueue(ticket)
            destination.runtime.starved.removeAll { $0 === self }
            answer(reason)
        }
        phase = .holding(ticket: ticket, timer)
        noticeGoneClient()
    }

    func settleRelease() {
        release?.settle()
        release = nil
    }

    // MARK: Leaving an instance

    /// Leaves an instance that is taken out of service, if that loses nothing.
    func leaveRetiredInstance() {
        switch phase {
        case .dialling(let upstream, let lease, _):
            // Nothing was sent to it yet.
            phase = .routing
            dialLimit?.cancel()
            upstream.close()
            lease.remove(self)
            if begunExchange?.failResending() == true { return }
            destination.route(self)
        case .relaying(let relay) where relay.isSilent && client.ending == nil:
            phase = .parked
            relay.upstream.close()
            relay.lease.remove(self)
            if client.canRead { loop.later { [self] in parkedMoved() } }
        case .awaiting: begunExchange?.dropKept()
        default: break
        }
    }

    private func parkedMoved() {
        guard case .parked = phase else { return }
        client.readEarly(limit: 16384)
        if !client.earlyBytes.isEmpty {
            phase = .awaiting(nil)
            target = nil
            if conversation == .raw { routeAnew() } else { readRequest() }
        } else if client.ending != nil {
            close()
        }
    }

    /// Finds a server for a client that is silent, now that there may be one.
    func unparkIfSilent() {
        guard case .parked = phase else { return }
        phase = .awaiting(nil)
        stayedSilent()
    }

    // MARK: Closing

    /// Closes what is left of a connection whose instance is told to end.
    func abandonInstance() {
        switch phase {
        case .relaying(let relay):
            relay.upstream.close()
            relay.lease.remove(self)
            linger()
        case .exchanging:
            exchange.cancel(reset: false)
            linger()
        default: close()
        }
    }

    /// Ends our side once everything is sent, and waits a little for the client to do the same, so that what it is
    /// still sending does not turn our last bytes into a reset.
    func linger() {
        settleRelease()
        begunExchange?.learn(.unknown)
        begunExchange?.dropKept()
        phase = .lingering(nil)
        client.end()
        lingerMoved()
    }

    private func lingerMoved() {
        client.discardInput()
        if client.isDead || (client.isExhausted && client.hasRoom) { return close() }
        // A slow reader has all the time it needs for what waits here; the rest is the kernel's.
        guard client.hasRoom, case .lingering(nil) = phase else { return }
        phase = .lingering(loop.after(Connection.lingerLimit) { [self] in close() })
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
            dialLimit?.cancel()
            upstream.close()
            lease.remove(self)
        case .relaying(let relay):
            phase = .closed
            relay.upstream.close(reset: reset)
            relay.lease.remove(self)
        case .exchanging:
            phase = .closed
            exchange.cancel()
        case .awaiting(let timer): timer?.cancel()
        case .reaching(let dial): dial.cancel()
        case .lingering(let timer): timer?.cancel()
        case .delayed(let timer), .securing(let timer): timer.cancel()
        case .routing, .parked: break
        }
        phase = .closed
        settleRelease()
        begunExchange?.learn(.unknown)
        begunExchange?.dropKept()
        idleWatch?.cancel()
        bodyWatch?.cancel()
        client.close(reset: reset)
        destination.forget(self)
    }

    /// How long a client may take to end its side once everything is sent.
    static let lingerLimit = Duration.seconds(5)
}
