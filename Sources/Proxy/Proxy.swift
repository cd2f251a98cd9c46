import EventLoop
import Platform

/// What the fronts need to know and have to tell. Every call comes on the proxy's loop.
public protocol ProxyDelegate: AnyObject {
    /// Why a call must not wait for `target`: the sentence that names the cycle if `caller` is what `target` itself
    /// transitively waits for; nil if it may wait.
    func refusal(caller: String, target: String) -> String?
    /// What the service wrote last, oldest first; a handful.
    func lastLines(_ service: String) -> [String]
    func remoteFailed(_ service: String, reason: String)
    /// Told at the first success, and at the first after a failure.
    func remoteSucceeded(_ service: String)
    /// Whether a connection from that address comes from one of the caller's containers; `done` is called once.
    func isContainer(of caller: String, at address: String, _ done: @escaping (Bool) -> Void)
    /// What the gateway shows to who asks for no service in particular.
    func overview() -> GatewayOverview
}

/// The fronts and edges of a mesh: listens for as long as the mesh is up, and passes on, holds or answers.
///
///     client ──▶ Front ──▶ Destination ──▶ Connection ──▶ instance or remote
///                (port)    (service)       (one a client)
///
/// Belongs to its loop. What it knows of instances it is told: `set` moves a service, `drain` and `closeConnections`
/// are the steps of stopping an instance.
public final class Proxy {
    public weak var delegate: (any ProxyDelegate)?
    let loop: EventLoop
    let resolver: Resolver
    let bench = Workbench()
    /// For servers' connections, when clients' have taken all other descriptors.
    let reserve = DescriptorReserve(size: 8)
    let tls: TLSRuntime
    /// Whom credentials are lent to.
    let user: UInt32
    private var fronts: [Front] = []
    /// Those that containers call, beside the ones of the loopback.
    var containerFronts: [Front] = []
    private var destinations: [String: Destination] = [:]
    private(set) lazy var gateway = Gateway(self)
    /// Connections for which no descriptor was left.
    /// Unchecked: used by one loop only, and an array calls nobody.
    @exclusivity(unchecked) var starved: [Connection] = []

    /// Makes a proxy without any front.
    /// - Parameters:
    ///   - trust: whose certificates `https` remotes may show, where they don't say themselves.
    ///   - user: who may call where a remote's credentials are added; root may, too.
    ///   - authority: issues the gateway's certificates, once there is one in these files; nil: it speaks no TLS.
    public init(
        on loop: EventLoop, trust: TLSTrust = .system, user: UInt32 = ThisProcess.userID,
        authority: TLSAuthority.Files? = nil
    ) {
        self.loop = loop
        self.user = user
        tls = TLSRuntime(trust: trust, authority: authority, kernel: loop.kernel)
        resolver = Resolver(loop)
        reserve.keep()
    }

    // MARK: Fronts

    /// Listens on all of them, or on none where one can't be opened. Until `set` they hold.
    public func open(_ specs: [FrontSpec]) throws(ProxyError) {
        var opened: [Front] = []
        for spec in specs {
            do throws(ProxyError) {
                opened.append(try listen(spec))
            } catch {
                for front in opened { front.close() }
                throw error
            }
        }
        fronts += opened
    }

    public func add(_ spec: FrontSpec) throws(ProxyError) { try open([spec]) }

    private func listen(_ spec: FrontSpec) throws(ProxyError) -> Front {
        let gateway = spec.service == nil ? gateway : nil
        let destination = gateway?.home ?? destination(spec.service ?? "")
        let mayAccept = { [unowned self] in starved.isEmpty }
        return try Front(spec, on: loop, mayAccept: mayAccept) { descriptor, isV6 in
            destination.accept(descriptor, caller: spec.caller, isV6: isV6, through: gateway)
        }
    }

    /// What it listens on.
    public var specs: [FrontSpec] { fronts.map(\.spec) }

    /// Stops listening on one port. Connections stay.
    public func close(_ spec: FrontSpec) {
        for front in fronts where front.spec == spec { front.close() }
        fronts.removeAll { $0.spec == spec }
    }

    /// Stops listening for one caller, or on the service's front where `caller` is nil. Connections stay.
    public func remove(_ service: String, caller: String?) {
        for front in fronts where front.spec.service == service && front.spec.caller == caller { front.close() }
        fronts.removeAll { $0.spec.service == service && $0.spec.caller == caller }
    }

    /// Forgets a service: its front and edges stop listening, its connections close.
    public func remove(service: String) {
        for front in fronts where front.spec.service == service { front.close() }
        fronts.removeAll { $0.spec.service == service }
        destinations.removeValue(forKey: service)?.closeAll()
    }

    /// Stops listening and closes every connection.
    public func close() {
        for front in fronts + containerFronts { front.close() }
        fronts = []
        containerFronts = []
        for destination in destinations.values { destination.closeAll() }
        destinations = [:]
        gateway.home.closeAll()
    }

    /// The port of an open front or edge, or of the gateway.
    public func port(of service: String?, caller: String? = nil) -> Int? {
        fronts.first { $0.spec.service == service && $0.spec.caller == caller }?.port
    }

    /// Whether a front, an edge or the gateway is there.
    func listens(on port: Int) -> Bool { fronts.contains { $0.port == port } }

    // MARK: Services

    /// The target of services that have one only.
    public static let soleTarget = "local"

    /// What a service's front and edges do from now on with what goes to a target, those who wait included. Until
    /// told they hold it.
    public func set(_ service: String, target: String = soleTarget, _ state: FrontState) {
        destination(service).set(target, state)
    }

    /// Forgets a target: nothing new goes there, what is under way goes on.
    public func remove(_ service: String, target: String) { destinations[service]?.removeTarget(target) }

    /// Which targets requests go to from now on, those that wait included; until told, all to `soleTarget`.
    public func setRoute(_ service: String, _ route: Route) { destination(service).setRoute(route) }

    /// What is made to go wrong from the next request, or connection, on.
    public func setFaults(_ service: String, _ faults: [Fault]) { destination(service).setFaults(faults) }

    public func setResilience(_ service: String, _ resilience: Resilience) {
        destination(service).setResilience(resilience)
    }

    /// What the service's clients speak; `auto` until told.
    public func setProtocol(_ service: String, _ kind: FrontProtocol) { destination(service).protocolKind = kind }

    /// The origins of web pages (`https://app.example`, or `*` for all) that may call a service by the gateway, and also
    /// where its remote's credentials are added, and further host names that it is called by then; none until told.
    public func setOrigins(_ service: String, _ origins: [String], hosts: [String] = []) {
        destination(service).credentialGuard = CredentialGuard(service: service, origins: origins, hosts: hosts)
    }

    /// Which services the gateway leads to from the next request on; until told, to none.
    public func setHosts(_ table: HostTable) { gateway.table = table }

    /// Takes an instance out of service and waits for the HTTP/1 exchanges that it is serving, not for idle keep-alive
    /// connections, event streams, upgraded connections, HTTP/2 and other protocols.
    ///
    /// Until `closeConnections` calls made on behalf of what it serves still go to it.
    /// - Parameter done: called once, never before this returns: with the number of exchanges that `limit` cut off.
    public func drain(
        _ service: String, instance: String, limit: Duration, done: @escaping (_ unfinished: Int) -> Void
    ) {
        destination(service).drain(instance, limit: limit, done)
    }

    /// Closes the connections of an instance that is about to be signalled, except exchanges under way: those end with
    /// the program, or by its answer. Clients of idle keep-alive connections stay connected to the front.
    public func closeConnections(_ service: String, instance: String) {
        destination(service).closeConnections(instance)
    }

    /// How many connections to a service, or to one of its instances, carry something now.
    public func activeConnections(_ service: String, instance: String? = nil) -> Int {
        destinations[service]?.activeConnections(instance) ?? 0
    }

    func destination(_ service: String) -> Destination {
        if let known = destinations[service] { return known }
        let destination = Destination(service, proxy: self)
        destinations[service] = destination
        return destination
    }

    // MARK: For the destinations

    /// Gives a descriptor back that nothing needs right now; false where there is none.
    func evict() -> Bool { destinations.values.contains { $0.evict() } }

    /// Who is calling whom through edges right now.
    func callGraph() -> CallGraph {
        CallGraph(
            destinations.values.flatMap { destination in
                destination.connections.values.compactMap { connection in
                    guard let caller = connection.caller, connection.isEngaged else { return nil }
                    return CallGraph.Call(caller: caller, target: destination.name)
                }
            })
    }

    /// Lets the connection that has waited longest for a descriptor try again, now that there is one: `gone` has given
    /// up its own, or a server's is no longer needed.
    func descriptorsWereFreed(by gone: Connection?) {
        reserve.refill()
        guard !starved.isEmpty else { return }
        starved.removeAll { connection in
            if case .holding = connection.phase { connection === gone } else { true }
        }
        guard !starved.isEmpty else { return }
        let next = starved.removeFirst()
        loop.later { next.destination.reroute(next) }
    }
}
