import EventLoop
import Platform

/// A service as callers see it: its state, its instances, and everyone who is connected or waits.
final class Destination {
    let name: String
    let loop: EventLoop
    private unowned let proxy: Proxy
    var protocolKind = FrontProtocol.auto
    /// Its server has been seen to speak first: silent clients are connected at once.
    var serverSpeaksFirst = false

    var credentialGuard: CredentialGuard

    private(set) var state: FrontState
    /// Those that new connections go to, in turn.
    private var current: [Lease] = []
    /// Those that still have connections, or may be asked to close them.
    private var retired: [Lease] = []
    private var turn = 0
    private(set) var connections: [ObjectIdentifier: Connection] = [:]
    private var queue: [UInt64: Connection] = [:]
    private var nextTicket: UInt64 = 0
    /// How the last use of the remote went; nil before the first.
    private var remoteWorks: Bool?

    /// How many may wait at once; more are answered.
    static let queueLimit = 1024
    /// How long a connection that every instance refuses waits for another state.
    static let refusalPatience = Duration.seconds(1)

    init(_ name: String, proxy: Proxy) {
        self.name = name
        self.proxy = proxy
        loop = proxy.loop
        credentialGuard = CredentialGuard(service: name)
        state = .hold(bound: .seconds(60), reason: "\(name) is about to start.")
    }

    var runtime: Proxy { proxy }
    var lastLines: [String] { proxy.delegate?.lastLines(name) ?? [] }

    // MARK: State

    func set(_ state: FrontState) {
        let before = self.state
        self.state = state
        if state != before { remoteWorks = nil }
        updateLeases()
        // Each is routed by what holds now; that may put it back into the queue.
        for (_, connection) in queue.sorted(by: { $0.key < $1.key }) { reroute(connection) }
        switch state {
        case .pass, .remote: for connection in Array(connections.values) { connection.unparkIfSilent() }
        case .hold, .answer: break
        }
    }

    /// Keeps the leases of instances that go on serving, opens those of new ones, and retires the others.
    private func updateLeases() {
        let servers: [Lease.Server] =
            switch state {
            case .pass(let backends, _): backends.map { .instance($0) }
            case .remote(let target): [.remote(target)]
            case .hold, .answer: []
            }
        let before = current
        current = servers.compactMap { server in
            before.first { $0.server == server } ?? Lease(server, on: loop)
        }
        for lease in before where !current.contains(where: { $0 === lease }) { retire(lease) }
    }

    private func retire(_ lease: Lease) {
        current.removeAll { $0 === lease }
        retired.removeAll { $0.connections.isEmpty && !$0.servesItsCallers }
        retired.append(lease)
        lease.retire()
    }

    private func leases(of instance: String) -> [Lease] {
        let old = retired.filter { $0.instance == instance }
        return old.isEmpty ? current.filter { $0.instance == instance } : old
    }

    func drain(_ instance: String, limit: Duration, _ done: @escaping (_ unfinished: Int) -> Void) {
        for lease in current where lease.instance == instance { retire(lease) }
        // The newest is the one that serves; older ones of the name are being closed already.
        guard let lease = retired.last(where: { $0.instance == instance }) else {
            return loop.later { done(0) }
        }
        lease.drain(limit, done)
    }

    func closeConnections(_ instance: String) {
        for lease in leases(of: instance) {
            if !lease.isRetired { retire(lease) }
            lease.closeConnections()
        }
        retired.removeAll { $0.connections.isEmpty && !$0.servesItsCallers }
    }

    func activeConnections(_ instance: String?) -> Int {
        guard let instance else { return connections.values.count { $0.isEngaged } }
        return (current + retired).filter { $0.instance == instance }
            .reduce(0) { $0 + $1.connections.count(where: \.isEngaged) }
    }

    // MARK: Connections

    func accept(_ descriptor: consuming Descriptor, caller: String?, isV6: Bool) {
        guard let client = try? Link(descriptor, peer: caller ?? "the client", on: loop) else { return }
        let connection = Connection(client, caller: caller, isV6: isV6, to: self)
        connections[ObjectIdentifier(connection)] = connection
        connection.begin()
    }

    func forget(_ connection: Connection) {
        connections[ObjectIdentifier(connection)] = nil
        proxy.descriptorsWereFreed(by: connection)
    }

    func closeAll() {
        for connection in Array(connections.values) { connection.close() }
        for lease in current { lease.pool.close() }
    }

    // MARK: Routing

    /// The server whose turn it is, if a connection to it is open that can take a request at once.
    func readyLease() -> Lease? {
        guard !current.isEmpty else { return nil }
        turn = turn + 1 < current.count ? turn + 1 : 0
        return current[turn].pool.isEmpty ? nil : current[turn]
    }

    /// Sends a connection that has no server to where the service's state says.
    func route(_ connection: Connection) {
        switch state {
        case .hold(let bound, let reason):
            connection.refusedSince = nil
            if let lease = leaseForItsCaller(connection) { return connection.dial([lease]) }
            if let refusal = refusal(of: connection) { return connection.answer(refusal) }
            hold(connection, until: connection.arrival + bound, reason: reason, bound: bound)
        case .pass:
            guard !current.isEmpty else { return refused(connection) }
            if connection.conversation != .http1 { turn = (turn + 1) % current.count }
            turn %= current.count
            connection.dial((current[turn...] + current[..<turn])[...])
        case .answer(let reason):
            if let lease = leaseForItsCaller(connection) { return connection.dial([lease]) }
            connection.answer(reason)
        case .remote(let target):
            if let lease = current.first { connection.reach(target, lease) }
        }
    }

    private func hold(_ connection: Connection, until deadline: Instant, reason: String, bound: Duration) {
        guard queue.count < Destination.queueLimit else {
            return connection.answer("\(reason) \(Destination.queueLimit) others wait already.")
        }
        guard deadline > loop.now else { return connection.answer(reason) }
        connection.hold(until: deadline, reason: "\(reason) This request waited \(sentence(bound)) for it.")
    }

    /// Every instance refused, or is being drained: the program may just be going down, which its supervisor will tell in a moment.
    func refused(_ connection: Connection) {
        guard case .pass(_, let reason) = state else { return route(connection) }
        let since = connection.refusedSince ?? loop.now
        connection.refusedSince = since
        let deadline = since + Destination.refusalPatience
        guard deadline > loop.now, queue.count < Destination.queueLimit else { return connection.answer(reason) }
        connection.hold(until: deadline, reason: reason)
    }

    /// Closes a connection that is between two exchanges; false where there is none.
    func evict() -> Bool { current.contains { $0.pool.evict() } }

    func ranOutOfDescriptors(_ connection: Connection) {
        if proxy.evict() { return connection.routeAnew() }
        connection.hold(
            until: loop.now + Destination.refusalPatience,
            reason: "devmesh has run out of file descriptors: raise `ulimit -n` and start it again.")
        proxy.starved.append(connection)
    }

    func reroute(_ connection: Connection) {
        guard case .holding(let ticket, let timer) = connection.phase else { return }
        timer.cancel()
        leaveQueue(ticket)
        connection.phase = .routing
        route(connection)
    }

    func enterQueue(_ connection: Connection) -> UInt64 {
        nextTicket += 1
        queue[nextTicket] = connection
        return nextTicket
    }

    func leaveQueue(_ ticket: UInt64) { queue[ticket] = nil }

    // MARK: The two deadlocks of contract §6

    /// Names the cycle if the caller is what this service itself waits for.
    private func refusal(of connection: Connection) -> String? {
        guard let caller = connection.caller else { return nil }
        return proxy.delegate?.refusal(caller: caller, target: name)
    }

    /// The old instance, if the call is made on behalf of a request that it is still serving.
    private func leaseForItsCaller(_ connection: Connection) -> Lease? {
        guard let caller = connection.caller, let lease = retired.last(where: { $0.servesItsCallers }) else {
            return nil
        }
        return proxy.callGraph().reaches(caller, from: name) ? lease : nil
    }

    // MARK: Remotes

    /// Tells the delegate how the remote's last use went, when that has changed.
    func remoteWasUsed(_ failure: ProxyError?) {
        guard case .remote = state, remoteWorks != (failure == nil) || failure != nil else { return }
        remoteWorks = failure == nil
        if let failure {
            proxy.delegate?.remoteFailed(name, reason: failure.message)
        } else {
            proxy.delegate?.remoteSucceeded(name)
        }
    }
}

/// A duration for people: `30 s` or `250 ms`.
private func sentence(_ duration: Duration) -> String {
    let milliseconds = duration.nanoseconds / 1_000_000
    return milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(milliseconds) ms"
}
