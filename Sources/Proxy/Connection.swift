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
    let destination: Destination
    /// When the connection came, or the first bytes after it was parked.
    private(set) var arrival: Instant
    /// Since when no instance has accepted it.
    var refusedSince: Instant?
    var phase = Phase.routing
    var conversation = Conversation.undecided
    /// Made at the first request.
    private(set) lazy var exchange = Exchange(self)
    /// A request's head that has not come whole; nil where there is none.
    private var partialHead: RequestHead?
    private var isExpectingRest = false
    let isClientV6: Bool
    /// Whose program the client is; nil where that can't be told.
    private(set) lazy var clientUser = client.peerUser()
    /// Where it stands among the connections of the server that it uses.
    var place = 0

    var loop: EventLoop { client.loop }

    init(_ client: Link, caller: String?, isV6: Bool, to destination: Destination) {
        self.client = client
        isClientV6 = isV6
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
        switch phase {
        case .routing, .closed: break
        case .awaiting: readRequest()
        case .holding: noticeGoneClient()
        case .reaching: if link === client { noticeGoneClient() }
        case .dialling(let upstream, let lease, let rest):
            if link === upstream { dialMoved(upstream, lease, rest) } else { noticeGoneClient() }
        case .exchanging: exchange.passOn()
        case .relaying(let relay): pump(relay)
        case .parked: parkedMoved()
        case .lingering: lingerMoved()
        }
    }

    /// A client that went away by a reset needs nothing any more. One that ended its side may still want to read.
    private func noticeGoneClient() {
        guard client.isHungUp else { return }
        client.readEarly(limit: 65536)
        if case .broken = client.ending { close() }
    }

    // MARK: Requests

    /// How long to wait for a client's first bytes before it is taken for one that lets the server speak first.
    static let silenceLimit = Duration.milliseconds(50)
    /// How long a client may take for its head.
    static let headLimit = Duration.seconds(10)

    /// Finds out what the client speaks.
    func begin() {
        if destination.protocolKind == .tcp {
            conversation = .raw
            return routeAnew()
        }
        phase = .awaiting(nil)
        readRequest()
        guard case .awaiting(nil) = phase, destination.protocolKind == .auto else { return }
        if destination.serverSpeaksFirst { return routeAnew() }
        phase = .awaiting(loop.after(Connection.silenceLimit) { [self] in stayedSilent() })
    }

    private func stayedSilent() {
        guard case .awaiting = phase, client.earlyBytes.isEmpty else { return }
        routeAnew()
    }

    /// Waits for the next request; it may have come already.
    func awaitRequest() {
        phase = .awaiting(nil)
        if client.canRead || client.ending != nil {
            // Not at once: whoever pipelines must not keep the loop to himself.
            loop.later { [self] in if case .awaiting = phase { readRequest() } }
        }
    }

    /// Reads a request's head. An ordinary one comes whole and is taken from where it was read.
    private func readRequest() {
        // A slow reader is not given more before it has what it asked for.
        guard client.hasRoom else { return }
        if !client.earlyBytes.isEmpty { return readEarlyRequest() }
        guard client.canRead else { return clientEndedBetween() }
        guard case .bytes(let count) = client.read(into: loop.scratch) else { return clientEndedBetween() }
        let bytes = UnsafeRawBufferPointer(rebasing: loop.scratch[..<count])
        if !take(bytes, areEarly: false) {
            client.pushEarly(bytes)
            if client.canRead || client.ending != nil { return readEarlyRequest() }
            expectRest()
        }
    }

    private func readEarlyRequest() {
        client.readEarly(limit: HTTPLimits.standard.head + 1)
        let early = client.earlyBytes
        if early.withBytes({ take($0, areEarly: true) }) { return }
        if client.ending != nil { return close() }
        expectRest()
    }

    private func clientEndedBetween() {
        guard let ending = client.ending else { return }
        if case .broken = ending { close() } else { linger() }
    }

    /// Sends a request, or whatever it is, on its way; false where more bytes are needed to tell.
    private func take(_ bytes: UnsafeRawBufferPointer, areEarly: Bool) -> Bool {
        if conversation == .undecided {
            switch Sniffer.look(bytes) {
            case .needMore: return false
            case .http1: conversation = .http1
            case .http2, .other:
                conversation = .raw
                if !areEarly { client.pushEarly(bytes) }
                routeAnew()
                return true
            }
        }
        let bench = destination.runtime.bench
        if let partial = partialHead { bench.request = partial } else { bench.request.reset() }
        partialHead = nil
        switch bench.request.parse(bytes) {
        case .needMore:
            partialHead = bench.request
            return false
        case .invalid(let problem):
            stopWaiting()
            respond(status: problem.status, problem.description, as: .text)
        case .complete(let length):
            stopWaiting()
            arrival = loop.now
            refusedSince = nil
            exchange.begin(bytes, length, areEarly: areEarly)
        }
        return true
    }

    /// A head has begun, and must be whole before long.
    private func expectRest() {
        guard !isExpectingRest else { return }
        if case .awaiting(let timer?) = phase { timer.cancel() }
        isExpectingRest = true
        phase = .awaiting(
            loop.after(Connection.headLimit) { [self] in
                guard case .awaiting = phase else { return }
                guard conversation == .http1 else { return close(reset: true) }
                respond(status: 408, "the request's head did not come within 10 s", as: .text)
            })
    }

    private func stopWaiting() {
        isExpectingRest = false
        if case .awaiting(let timer?) = phase { timer.cancel() }
        phase = .routing
    }

    /// Sends the connection to where its service is now.
    func routeAnew() {
        stopWaiting()
        arrival = loop.now
        destination.route(self)
    }

    /// A client that was taken for a silent one has spoken: if it is HTTP after all, its requests are routed one by
    /// one, the first to the server that was found for it.
    func decide(_ relay: Relay) {
        if relay.lease.remote?.scheme == .tcp { return conversation = .raw }
        client.readEarly(limit: HTTPLimits.standard.head + 1)
        let early = client.earlyBytes
        switch early.withBytes({ Sniffer.look($0) }) {
        case .needMore: break
        case .http2, .other: conversation = .raw
        case .http1:
            conversation = .http1
            relay.lease.remove(self)
            relay.lease.pool.put(relay.upstream)
            phase = .awaiting(nil)
            readRequest()
        }
    }

    // MARK: Holding

    /// Waits for another state of the service until `deadline`; then says `reason`.
    func hold(until deadline: Instant, reason: String) {
        let ticket = destination.enterQueue(self)
        let timer = loop.after(deadline - .now) { [self] in
            guard case .holding = phase else { return }
            destination.leaveQueue(ticket)
            answer(reason)
        }
        phase = .holding(ticket: ticket, timer)
        noticeGoneClient()
    }

    // MARK: Leaving an instance

    /// Leaves an instance that is taken out of service, if that loses nothing.
    func leaveRetiredInstance() {
        switch phase {
        case .dialling(let upstream, let lease, _):
            // Nothing was sent to it yet.
            phase = .routing
            upstream.close()
            lease.remove(self)
            destination.route(self)
        case .relaying(let relay) where relay.isSilent && client.ending == nil:
            phase = .parked
            relay.upstream.close()
            relay.lease.remove(self)
            if client.canRead { loop.later { [self] in parkedMoved() } }
        default: break
        }
    }

    private func parkedMoved() {
        guard case .parked = phase else { return }
        client.readEarly(limit: 16384)
        if !client.earlyBytes.isEmpty {
            phase = .awaiting(nil)
            conversation == .raw ? routeAnew() : readRequest()
        } else if client.ending != nil {
            close()
        }
    }

    /// Finds a server for a client that is silent, now that there may be one.
    func unparkIfSilent() {
        if case .parked = phase { routeAnew() }
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
        case .routing, .parked: break
        }
        phase = .closed
        client.close(reset: reset)
        destination.forget(self)
    }

    /// How long a client may take to end its side once everything is sent.
    static let lingerLimit = Duration.seconds(5)
}
