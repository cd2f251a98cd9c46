import EventLoop
import HTTP
import Platform

/// A service as callers see it: its targets, which of them requests go to, and everyone who is connected or waits.
final class Destination {
    let name: String
    let loop: EventLoop
    private unowned let proxy: Proxy
    var protocolKind = FrontProtocol.auto
    /// Its server has been seen to speak first: silent clients are connected at once.
    var serverSpeaksFirst = false

    var credentialGuard: CredentialGuard
    private var targets: [String: Target] = [:]
    private var route: Route
    /// Where everything goes, if the route is that simple.
    private var only: Target?
    private(set) var faults: [Fault] = []
    private(set) var resilience = Resilience()
    /// Unchecked: used by one loop only, and calls nobody.
    @exclusivity(unchecked) var retryBudget: RetryBudget
    private var retriesStatuses = false
    private var hasMirror = false
    private(set) var connections: [ObjectIdentifier: Connection] = [:]
    private var queue: [UInt64: Connection] = [:]
    private var nextTicket: UInt64 = 0

    init(_ name: String, proxy: Proxy) {
        self.name = name
        self.proxy = proxy
        loop = proxy.loop
        credentialGuard = CredentialGuard(service: name)
        route = Route(to: Proxy.soleTarget)
        retryBudget = RetryBudget(resilience.retries.budget, at: loop.now)
        only = target(Proxy.soleTarget)
    }

    var runtime: Proxy { proxy }
    var lastLines: [String] { proxy.delegate?.lastLines(name) ?? [] }

    // MARK: State

    func target(_ name: String) -> Target {
        if let known = targets[name] { return known }
        let target = Target(name, of: self)
        targets[name] = target
        return target
    }

    func set(_ name: String, _ state: FrontState) {
        let target = target(name)
        target.set(state)
        // Each is routed by what holds now; that may put it back into the queue.
        let waiting = queue.sorted { $0.key < $1.key }.map(\.value).filter { $0.target === target }
        if case .pass = state {
            target.release.begin(waiting)
        } else {
            target.release.cancel()
            for connection in waiting { reroute(connection) }
        }
        if target.serves || serverSpeaksFirst { unpark() }
    }

    /// Takes nothing new to a target that is no more.
    func removeTarget(_ name: String) {
        targets[name]?.close()
        targets[name] = nil
        if only?.name == name { only = nil }
        rerouteWaiting()
    }

    func setRoute(_ route: Route) {
        guard route != self.route || only == nil else { return }
        self.route = route
        only = route.only.map { target($0) }
        hasMirror = route.mirror != nil
        rerouteWaiting()
        for connection in Array(connections.values) { connection.reconsider() }
        if only?.serves == true { unpark() }
    }

    /// Chooses anew for all that wait; to where requests are served they are let go a few at a time.
    private func rerouteWaiting() {
        let waiting = queue.sorted { $0.key < $1.key }.map(\.value)
        for connection in waiting { connection.target = connection.chooseTarget() }
        for target in Array(targets.values) where target.serves {
            let its = waiting.filter { $0.target === target }
            if !its.isEmpty { target.release.begin(its) }
        }
        for connection in waiting where connection.target?.serves != true { reroute(connection) }
    }

    private func unpark() { for connection in Array(connections.values) { connection.unparkIfSilent() } }

    /// What the faults do to a request, or to a connection that is passed on without a look.
    func faultAction(for connection: Connection) -> FaultAction {
        faults.isEmpty ? .none : faults.decide(caller: connection.caller, dice: proxy.bench.roll())
    }

    func setFaults(_ faults: [Fault]) { self.faults = faults }

    func setResilience(_ resilience: Resilience) {
        if resilience.retries.budget != self.resilience.retries.budget {
            retryBudget = RetryBudget(resilience.retries.budget, at: loop.now)
        }
        self.resilience = resilience
        retriesStatuses = !resilience.retries.statuses.isEmpty
        for target in targets.values { target.adopt(resilience) }
    }

    /// Whether a response with that status is one to try again after.
    func retries(_ status: Int) -> Bool { retriesStatuses && resilience.retries.statuses.contains(status) }

    func drain(_ instance: String, limit: Duration, _ done: @escaping (_ unfinished: Int) -> Void) {
        for target in targets.values where target.drain(instance, limit: limit, done) { return }
        loop.later { done(0) }
    }

    func closeConnections(_ instance: String) { for target in targets.values { target.closeConnections(instance) } }

    func activeConnections(_ instance: String?) -> Int {
        guard let instance else { return connections.values.count { $0.isEngaged } }
        return targets.values.reduce(0) { $0 + $1.activeConnections(instance) }
    }

    // MARK: Connections

    /// - Parameter isVouchedFor: whether it is known already that the client is the mesh's own.
    func accept(
        _ descriptor: consuming Descriptor, caller: String?, isV6: Bool, through gateway: Gateway? = nil,
        isVouchedFor: Bool = false
    ) {
        guard let client = try? Link(descriptor, peer: caller ?? "the client", on: loop) else { return }
        let connection = Connection(client, caller: caller, isV6: isV6, to: self, through: gateway)
        // The socket of a container is in no table of this machine.
        if isVouchedFor { connection.clientUser = proxy.user }
        add(connection)
        connection.begin()
    }

    func add(_ connection: Connection) {
        connection.isOneTooMany = resilience.connections.map { connections.count >= $0 } ?? false
        connections[ObjectIdentifier(connection)] = connection
    }

    func remove(_ connection: Connection) { connections[ObjectIdentifier(connection)] = nil }

    func forget(_ connection: Connection) {
        remove(connection)
        proxy.descriptorsWereFreed(by: connection)
    }

    func closeAll() {
        for connection in Array(connections.values) where !connection.returnToGateway() { connection.close() }
        for target in targets.values { target.close() }
    }

    // MARK: Routing

    /// Chooses the target of a request, which `bench.request` has parsed from `bytes`.
    func choose(in bytes: UnsafeRawBufferPointer, for connection: Connection) -> Target {
        if let only { return only }
        let bench = proxy.bench
        return target(route.choose(bench.request, in: bytes, caller: connection.caller, dice: bench.roll()))
    }

    /// What the request that `bench.request` has parsed from `bytes` takes along; nil for most.
    func propagation(in bytes: UnsafeRawBufferPointer) -> Propagation? {
        only == nil ? route.propagation(of: proxy.bench.request, in: bytes) : nil
    }

    /// Chooses the target of a connection that is passed on without a look.
    func choose(for connection: Connection) -> Target {
        only ?? target(route.choose(caller: connection.caller, dice: proxy.bench.roll()))
    }

    /// Which target gets a copy of each request.
    func mirror(besides target: Target?) -> Target? {
        guard hasMirror, let name = route.mirror, name != target?.name else { return nil }
        return targets[name]
    }

    /// Sends a connection that has no server to where its target's state says.
    func route(_ connection: Connection) {
        let target = connection.target ?? connection.chooseTarget()
        connection.target = target
        if connection.conversation == .http1, !connection.exchange.isPassed(by: target) { return }
        target.route(connection)
    }

    var hasRoomToWait: Bool {
        if queue.count < resilience.waiting { return true }
        // Those whose client has gone need not wait.
        let gone = queue.values.filter { $0.conversation == .http1 && $0.client.ending != nil }
        for connection in gone { connection.close() }
        return !gone.isEmpty
    }

    /// Closes a connection that is between two exchanges; false where there is none.
    func evict() -> Bool { targets.values.contains { $0.evict() } }

    func ranOutOfDescriptors(_ connection: Connection) {
        if proxy.evict() { return connection.routeAnew() }
        connection.hold(
            until: loop.now + .seconds(3),
            reason: "devmesh has run out of file descriptors; \(Shortage.openFiles.remedy).")
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

    // MARK: The delegate

    /// Names the cycle if the caller is what this service itself waits for.
    func refusal(of connection: Connection) -> String? {
        guard let caller = connection.caller else { return nil }
        return proxy.delegate?.refusal(caller: caller, target: name)
    }

    func tellRemote(_ failure: ProxyError?) {
        if let failure {
            proxy.delegate?.remoteFailed(name, reason: failure.message)
        } else {
            proxy.delegate?.remoteSucceeded(name)
        }
    }
}
