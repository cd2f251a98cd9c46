import EventLoop
import HTTP
import Platform

/// Finding out what a client speaks, and reading the heads of its requests.
///
///     first bytes ──▶ HTTP/1 (its requests go one by one) or anything else (a relay)
///     none in 50 ms ──▶ a server is dialled, as it may be the one to speak first; who waits for none is parked
extension Connection {
    /// How long to wait for what tells what a client speaks.
    static let silenceLimit = Duration.milliseconds(50)
    /// How long a client may be silent whose service is down.
    static let reserveLimit = Duration.seconds(2)
    /// How long a client may take for its head.
    static let headLimit = Duration.seconds(10)

    func begin() {
        if destination.protocolKind == .tcp {
            conversation = .raw
            return routeAnew()
        }
        phase = .awaiting(nil)
        readRequest()
        guard case .awaiting(nil) = phase, destination.protocolKind == .auto else { return }
        if destination.serverSpeaksFirst, destination.choose(for: self).servesSilence { return stayedSilent() }
        phase = .awaiting(loop.after(Connection.silenceLimit) { [self] in stayedSilent() })
    }

    /// The server may be the one to speak first: connects the client to it. Where nothing could come of that, the
    /// client may just be one that keeps a connection in reserve, and is left alone.
    func stayedSilent() {
        guard case .awaiting = phase, client.earlyBytes.isEmpty else { return }
        let target = destination.choose(for: self)
        if target.servesSilence || (destination.serverSpeaksFirst && target.isDown) {
            self.target = target
            routeAnew()
        } else if target.isDown {
            // One that waits for a server to speak should learn before long that there is none.
            phase = .awaiting(
                loop.after(Connection.reserveLimit) { [self] in
                    guard case .awaiting = phase, client.earlyBytes.isEmpty else { return }
                    if destination.choose(for: self).isDown { close(reset: true) } else { stayedSilent() }
                })
        } else {
            stopWaiting()
            phase = .parked
        }
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
    func readRequest() {
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
        switch client.ending {
        case nil: expectRest()
        case .inOrder where conversation == .undecided: becomeRaw()
        case .inOrder, .broken: close()
        }
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
            // What is no HTTP is told so, where it should be.
            case .other where destination.protocolKind == .http && gateway == nil: conversation = .http1
            case .other where secure(bytes, areEarly: areEarly): return true
            case .http2, .other:
                if !areEarly { client.pushEarly(bytes) }
                becomeRaw()
                return true
            }
        }
        let bench = destination.runtime.bench
        if partialHead != nil {
            bench.request = partialHead.take()!
        } else if isEmptyLine(bytes) {
            // Old clients end a body with one (RFC 9112 §2.2).
            if areEarly { client.dropEarly(bytes.count) }
            return true
        } else {
            bench.request.reset()
        }
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

    private func isEmptyLine(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.count <= 2 && bytes.allSatisfy { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }
    }

    private func becomeRaw() {
        conversation = .raw
        target = nil
        if gateway != nil {
            stopWaiting()
            return answer(Gateway.speaksHTTP1, status: 505)
        }
        routeAnew()
    }

    /// A head has begun, and must be whole before long. What might yet be something else is that before longer.
    private func expectRest() {
        guard !isExpectingRest else { return }
        if case .awaiting(let timer?) = phase { timer.cancel() }
        isExpectingRest = true
        let isOpen = conversation == .undecided && destination.protocolKind == .auto
        phase = .awaiting(
            loop.after(isOpen && !hasHesitated ? Connection.silenceLimit : Connection.headLimit) { [self] in
                guard case .awaiting = phase else { return }
                guard conversation == .undecided else {
                    return respond(status: 408, "the request's head did not come within 10 s", as: .text)
                }
                guard isOpen, !hasHesitated else { return close(reset: true) }
                isExpectingRest = false
                if destination.choose(for: self).takesAnything { return becomeRaw() }
                hasHesitated = true
                expectRest()
            })
    }

    func stopWaiting() {
        isExpectingRest = false
        if case .awaiting(let timer?) = phase { timer.cancel() }
        phase = .routing
    }

    /// A client that was taken for a silent one has spoken: if it is HTTP after all, its requests are routed one by
    /// one, the first to the server that was found for it.
    func decide(_ relay: Relay) {
        let early = client.earlyBytes
        let verdict = early.withBytes { Sniffer.look($0) }
        if relay.lease.remote?.scheme == .tcp, relay.lease.addsCredentials, verdict != .other {
            // A web page may have sent it; what may yet be anything waits.
            if verdict != .needMore || client.ending != nil { close(reset: true) }
            return
        }
        guard relay.lease.remote?.scheme != .tcp, verdict == .http1 else { return conversation = .raw }
        conversation = .http1
        destination.serverSpeaksFirst = false
        exchange.keep(relay.upstream, relay.lease, since: Instant(nanoseconds: 0))
        phase = .awaiting(nil)
        readRequest()
    }
}
