import EventLoop
import HTTP
import Platform

/// The two links of a relayed connection; the client's belongs to the connection.
final class Relay {
    let upstream: Link
    let lease: Lease
    /// Nothing was sent in either direction.
    fileprivate(set) var isSilent: Bool
    /// The client's first bytes are still to be looked at before they pass.
    fileprivate var mustLook: Bool
    fileprivate var isPumping = false
    fileprivate var throttles: Throttles?

    /// - Parameter isSilent: false for a connection that has carried something before.
    init(upstream: Link, lease: Lease, isSilent: Bool = true) {
        self.upstream = upstream
        self.lease = lease
        self.isSilent = isSilent
        mustLook = isSilent
    }

    fileprivate func spend(_ count: Int, _ fromClient: Bool) {
        if fromClient { throttles?.request.spend(count) } else { throttles?.response.spend(count) }
    }
}

extension Connection {
    // MARK: Dialling

    /// Connects to the first of `leases` that accepts.
    func dial(_ leases: ArraySlice<Lease>) {
        var rest = leases
        while let lease = rest.popFirst() {
            guard let address = lease.address else { continue }
            do throws(Errno) {
                let upstream = try destination.runtime.reserve.using { () -> Result<Link, Errno> in
                    do throws(Errno) { return .success(try Link(connectingTo: address, on: loop)) } catch {
                        return .failure(error)
                    }
                }.get()
                upstream.owner = self
                lease.add(self)
                phase = .dialling(upstream, lease, rest: rest)
                if upstream.isConnecting, let limit = destination.resilience.timeouts.connect {
                    dialLimit = loop.after(limit) { [self] in dialMoved(upstream, lease, rest, isTooLate: true) }
                }
                if !upstream.isConnecting { dialMoved(upstream, lease, rest) }
                return
            } catch {
                if error == .tooManyOpenFiles || error == .tooManyOpenFilesInSystem {
                    return destination.ranOutOfDescriptors(self)
                }
                if lease.isRetired { lease.refusedItsCaller() }
            }
        }
        phase = .routing
        if conversation == .http1 {
            exchange.learn(.failure)
            if exchange.failResending() { return }
        }
        target?.refused(self)
    }

    func dialMoved(_ upstream: Link, _ lease: Lease, _ rest: ArraySlice<Lease>, isTooLate: Bool = false) {
        guard case .dialling(let current, _, _) = phase, current === upstream else { return }
        guard !upstream.isConnecting || isTooLate else { return }
        dialLimit?.cancel()
        dialLimit = nil
        guard upstream.connectError == nil, !isTooLate else {
            phase = .routing
            upstream.close()
            lease.remove(self)
            if lease.isRetired { lease.refusedItsCaller() }
            return dial(rest)
        }
        refusedSince = nil
        reached(upstream, lease)
    }

    /// Goes on with a new connection to the server.
    func reached(_ upstream: Link, _ lease: Lease) {
        if conversation == .http1, lease.remote?.scheme != .tcp {
            exchange.start(upstream, lease, isReused: false)
        } else {
            relay(Relay(upstream: upstream, lease: lease))
        }
    }

    // MARK: Relaying

    /// Passes bytes both ways from now on.
    func relay(_ relay: Relay) {
        relay.upstream.owner = self
        phase = .relaying(relay)
        relay.throttles = rate.map { Throttles(rate: $0, at: loop.now) }
        watchIdleness()
        pump(relay)
    }

    /// Moves what can be moved, then looks at what has ended.
    func pump(_ relay: Relay) {
        // Writing may tell the owner; what it would do then is being done.
        guard !relay.isPumping else { return }
        relay.isPumping = true
        let hasMore = move(relay, fromClient: true)
        let hasMoreBack = move(relay, fromClient: false)
        relay.isPumping = false
        if hasMore || hasMoreBack {
            loop.later { [self] in
                if case .relaying(let current) = phase, current === relay { pump(relay) }
            }
        }
        if case .relaying(let current) = phase, current === relay { settle(relay) }
    }

    /// How many reads a turn and direction, so that one connection can't keep the loop to itself.
    private static let readsPerTurn = 16

    /// Returns whether it stopped for the sake of others.
    private func move(_ relay: Relay, fromClient: Bool) -> Bool {
        let source = fromClient ? client : relay.upstream
        let sink = fromClient ? relay.upstream : client
        let scratch = loop.scratch
        // Credentials are lent to no web page, also where the server was the first to speak.
        let isOpen = relay.isSilent && conversation == .undecided
        if fromClient, relay.mustLook, isOpen || relay.lease.addsCredentials, source.canRead {
            client.readEarly(limit: HTTPLimits.standard.head + 1)
            if !client.earlyBytes.isEmpty {
                let before = conversation
                conversation = .undecided
                decide(relay)
                guard conversation == .raw else {
                    if conversation == .undecided { conversation = before }
                    return false
                }
                relay.mustLook = false
            }
        }
        for _ in 0..<Connection.readsPerTurn {
            guard source.canRead, sink.hasRoom else { return false }
            var room = scratch
            if relay.throttles != nil {
                guard let allowed = allowed(relay, fromClient) else { return false }
                room = UnsafeMutableRawBufferPointer(rebasing: scratch[..<min(allowed, scratch.count)])
            }
            guard case .bytes(let count) = source.read(into: room) else { return false }
            relay.spend(count, fromClient)
            if relay.isSilent {
                relay.isSilent = false
                if !fromClient, conversation == .undecided {
                    conversation = .raw
                    destination.serverSpeaksFirst = client.ending == nil
                }
            }
            let bytes = UnsafeRawBufferPointer(rebasing: scratch[..<count])
            sink.write(bytes)
        }
        return source.canRead && sink.hasRoom
    }

    /// How much may pass now; nil where it has to wait, after which `pump` is called.
    private func allowed(_ relay: Relay, _ fromClient: Bool) -> Int? {
        relay.throttles!.allowance(fromClient ? \.request : \.response, on: loop) { [self] in
            if case .relaying(let current) = phase, current === relay { pump(relay) }
        }
    }

    /// Passes on what has ended, and closes when nothing can pass any more.
    ///
    ///     end of one side      → end of the other, behind the bytes that still wait; the way back stays open
    ///     reset of one side    → reset of the other, behind those bytes
    ///     server deaf and done → the client is let finish what it is saying
    private func settle(_ relay: Relay) {
        let upstream = relay.upstream
        if case .broken = client.ending, client.isExhausted { return close(reset: true) }
        if upstream.isExhausted {
            if case .broken = upstream.ending {
                if client.hasRoom { close(reset: true) }
                return
            }
            client.end()
            if client.isExhausted {
                if client.hasRoom, upstream.hasRoom { close() }
                return
            }
            if upstream.isDeaf { finishWithoutServer(relay) }
            return
        }
        if client.isExhausted {
            upstream.end()
            if client.isDeaf, upstream.hasRoom { close() }
        }
    }

    private func finishWithoutServer(_ relay: Relay) {
        relay.upstream.close()
        relay.lease.remove(self)
        linger()
    }
}
