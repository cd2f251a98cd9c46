import EventLoop
import Platform

/// A place that a service is served from: its instances here, those of one of its versions, or a remote.
final class Target {
    let name: String
    private unowned let destination: Destination
    private let loop: EventLoop

    private(set) var state: FrontState
    /// Those that new connections go to, in turn.
    /// Unchecked, as the breaker: used by one loop only, and values call nobody.
    @exclusivity(unchecked) private var current: [Lease] = []
    /// Those that still have connections, or may be asked to close them.
    private var retired: [Lease] = []
    private var turn = 0
    /// How the last use of the remote went; nil before the first.
    private var remoteWorks: Bool?
    @exclusivity(unchecked) private(set) var breaker: CircuitBreaker?
    private var ejection: OutlierEjection?
    /// Copies of requests that are under way to it.
    var mirrors = 0
    private static let mostMirrors = 64
    let release: Release

    /// How long a connection that every instance refuses waits for another state.
    static let refusalPatience = Duration.seconds(1)

    init(_ name: String, of destination: Destination) {
        self.name = name
        self.destination = destination
        loop = destination.loop
        release = Release(on: destination.loop)
        state = .hold(bound: .seconds(60), reason: "\(destination.name) is about to start.")
        adopt(destination.resilience)
    }

    // MARK: State

    func set(_ state: FrontState) {
        if state != self.state { remoteWorks = nil }
        self.state = state
        let servers: [Lease.Server] =
            switch state {
            case .pass(let backends, _, _): backends.map { .instance($0) }
            case .remote(let target): [.remote(target)]
            case .hold, .answer: []
            }
        // Leases of what goes on serving are kept, those of new servers opened, the others retired.
        let before = current
        current = servers.compactMap { server in
            before.first { $0.server == server } ?? Lease(server, on: loop)
        }
        for lease in before where !current.contains(where: { $0 === lease }) { retire(lease) }
        tellEjection()
    }

    /// Takes policies; what was learned under the same one stays.
    func adopt(_ resilience: Resilience) {
        if breaker?.policy != resilience.breaker { breaker = resilience.breaker.map { CircuitBreaker($0) } }
        if ejection?.policy != resilience.ejection {
            ejection = resilience.ejection.map { OutlierEjection($0) }
            tellEjection()
        }
    }

    /// Whether it takes requests now.
    var serves: Bool {
        switch state {
        case .pass, .remote: true
        case .hold, .answer: false
        }
    }

    /// Whether a client that says nothing may be connected to it: it may speak first.
    var servesSilence: Bool {
        switch state {
        case .pass: true
        case .remote(let remote): remote.scheme == .tcp
        case .hold, .answer: false
        }
    }

    /// Whether anything would come of what is no HTTP/1.
    var takesAnything: Bool { (servesSilence && !lendsCredentials) || isHolding }

    private var lendsCredentials: Bool { current.contains(where: \.addsCredentials) }

    private var isHolding: Bool {
        if case .hold = state { true } else { false }
    }

    var isDown: Bool {
        if case .answer = state { true } else { false }
    }

    private func tellEjection() { ejection?.set(current.compactMap(\.backend)) }

    private func retire(_ lease: Lease) {
        current.removeAll { $0 === lease }
        forgetIdle()
        retired.append(lease)
        lease.retire()
    }

    private func forgetIdle() { retired.removeAll { $0.connections.isEmpty && !$0.servesItsCallers } }

    /// Takes an instance out of service; false where it is not one of this target's.
    func drain(_ instance: String, limit: Duration, _ done: @escaping (_ unfinished: Int) -> Void) -> Bool {
        for lease in current where lease.instance == instance { retire(lease) }
        // The newest is the one that serves; older ones of the name are being closed already.
        guard let lease = retired.last(where: { $0.instance == instance }) else { return false }
        lease.drain(limit, done)
        return true
    }

    func closeConnections(_ instance: String) {
        let old = retired.filter { $0.instance == instance }
        for lease in old.isEmpty ? current.filter({ $0.instance == instance }) : old {
            if !lease.isRetired { retire(lease) }
            lease.closeConnections()
        }
        forgetIdle()
    }

    func activeConnections(_ instance: String) -> Int {
        (current + retired).filter { $0.instance == instance }
            .reduce(0) { $0 + $1.connections.count(where: \.isEngaged) }
    }

    /// Nothing new goes there; what is under way goes on.
    func close() { for lease in current { retire(lease) } }

    /// Closes a connection that is between two exchanges; false where there is none.
    func evict() -> Bool { current.contains { $0.evict() } }

    func owns(_ lease: Lease) -> Bool { current.contains { $0 === lease } }

    // MARK: Routing

    /// The server whose turn it is, if a connection to it is open that can take a request at once.
    func readyLease() -> Lease? {
        guard let lease = nextLease(), !lease.pool.isEmpty else { return nil }
        return lease
    }

    /// Leaves out the server whose turn it is.
    func skip() { _ = nextLease() }

    private func nextLease() -> Lease? {
        guard current.count > 1 else { return current.first }
        for _ in current {
            turn = turn + 1 < current.count ? turn + 1 : 0
            if mayTake(turn) { break }
        }
        return current[turn]
    }

    private func mayTake(_ index: Int) -> Bool { ejection?.admits(index, at: loop.now) ?? true }

    /// Sends a connection that has no server to where the state says.
    func route(_ connection: Connection) {
        switch state {
        case .hold(let bound, let reason):
            connection.refusedSince = nil
            if let lease = leaseForItsCaller(connection) { return connection.dial([lease]) }
            if let refusal = destination.refusal(of: connection) { return connection.answer(refusal) }
            hold(connection, until: connection.arrival + bound, reason: reason, bound: bound)
        case .pass:
            guard !current.isEmpty else { return refused(connection) }
            if connection.conversation != .http1 { _ = nextLease() }
            turn %= current.count
            let admitted = current.indices.filter { mayTake(($0 + turn) % current.count) }
            let order = (admitted.isEmpty ? Array(current.indices) : admitted).map { ($0 + turn) % current.count }
            connection.dial(order.map { current[$0] }[...])
        case .answer(let reason):
            if let lease = leaseForItsCaller(connection) { return connection.dial([lease]) }
            connection.answer(reason)
        case .remote(let remote):
            if let lease = current.first { connection.reach(remote, lease) }
        }
    }

    private func hold(_ connection: Connection, until deadline: Instant, reason: String, bound: Duration) {
        guard destination.hasRoomToWait else {
            return connection.answer("\(reason) \(destination.resilience.waiting) others wait already.")
        }
        guard deadline > loop.now else { return connection.answer(reason) }
        connection.hold(until: deadline, reason: "\(reason) This request waited \(sentence(bound)) for it.")
    }

    /// Every instance refused, or is being drained: the program may just be going down, which its supervisor will tell
    /// in a moment.
    func refused(_ connection: Connection) {
        guard case .pass(_, let reason, let areReady) = state else { return route(connection) }
        guard areReady else { return connection.answer(reason) }
        let since = connection.refusedSince ?? loop.now
        connection.refusedSince = since
        let deadline = since + Target.refusalPatience
        guard deadline > loop.now, destination.hasRoomToWait else { return connection.answer(reason) }
        connection.hold(until: deadline, reason: reason)
    }

    /// The old instance, if the call is made on behalf of a request that it is still serving.
    private func leaseForItsCaller(_ connection: Connection) -> Lease? {
        guard let caller = connection.caller, let lease = retired.last(where: { $0.servesItsCallers }) else {
            return nil
        }
        return destination.runtime.callGraph().reaches(caller, from: destination.name) ? lease : nil
    }

    /// The server for a copy of a request; nil where there is none now, and then there is no copy.
    func readyMirror() -> Lease? {
        guard mirrors < Target.mostMirrors, let lease = nextLease(), lease.remote?.scheme != .tcp else { return nil }
        return lease
    }

    // MARK: Learning

    /// Lets a request through to be tried; nil where the breaker is open.
    func admit() -> CircuitBreaker.Pass? { breaker?.admit(at: loop.now) }

    func record(_ outcome: CircuitBreaker.Outcome, _ pass: CircuitBreaker.Pass) {
        breaker?.record(pass, outcome, at: loop.now)
    }

    func learn(_ outcome: CircuitBreaker.Outcome, from lease: Lease) {
        guard current.count > 1, let backend = lease.backend else { return }
        switch outcome {
        case .success: ejection?.record(backend, failed: false, at: loop.now)
        case .failure: ejection?.record(backend, failed: true, at: loop.now)
        case .unknown: break
        }
    }

    /// Tells the delegate how the remote's last use went, when that has changed.
    func remoteWasUsed(_ failure: ProxyError?) {
        guard case .remote = state, remoteWorks != (failure == nil) || failure != nil else { return }
        remoteWorks = failure == nil
        destination.tellRemote(failure)
    }
}

/// A duration for people: `30 s` or `250 ms`.
func sentence(_ duration: Duration) -> String {
    let milliseconds = duration.nanoseconds / 1_000_000
    return milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(milliseconds) ms"
}
