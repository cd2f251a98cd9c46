import EventLoop
import Platform

/// A server's time at a service's front, be it an instance of this machine or a remote: from when connections first go
/// to it until the last of them is gone.
///
///     current ──set, drain──▶ retired: takes no new connections, idle ones are taken off it
///                                └─drain─▶ draining: waits for exchanges under way
final class Lease {
    enum Server: Equatable {
        case instance(Backend)
        case remote(RemoteTarget)
    }

    let server: Server
    /// What errors call it.
    let name: String
    /// Of an instance.
    let address: SocketAddress?
    /// Of a remote that speaks HTTP.
    let remote: RemoteTarget?
    /// Has answered on two connections at once, or is a remote: nobody starves for an idle one.
    var servesSeveral = false
    /// Stands before each request's path.
    let basePath: String
    /// What each request carries in place of the client's lines of these names.
    let headers: [RemoteTarget.Header]
    /// Whether it lets those who call do what they could not do by themselves: its fronts must be guarded.
    let addsCredentials: Bool
    private(set) var isRetired = false
    /// Those that use it now, in no order; each knows its place.
    /// Unchecked: used by one loop only, and an array calls nobody.
    @exclusivity(unchecked) private(set) var connections: [Connection] = []
    /// Connections to it that are between two exchanges.
    let pool: UpstreamPool
    private let loop: EventLoop
    private var drain: Drain?
    /// Whether calls on behalf of what it still serves come here: from `drain` until its connections are closed.
    private(set) var servesItsCallers = false

    private struct Drain {
        var done: (_ unfinished: Int) -> Void
        var timer: Timer
    }

    /// Nil where an instance's host is no IP literal.
    init?(_ server: Server, on loop: EventLoop) {
        self.loop = loop
        self.server = server
        switch server {
        case .instance(let backend):
            guard let address = SocketAddress(literal: backend.host, port: backend.port) else { return nil }
            self.address = address
            pool = UpstreamPool(on: loop)
            name = backend.name
            remote = nil
            basePath = ""
            headers = []
            addsCredentials = false
        case .remote(let target):
            address = nil
            pool = UpstreamPool(on: loop) { Instant.timeAsleep }
            name = target.host
            remote = target
            servesSeveral = true
            var path = target.path
            while path.hasSuffix("/") { path.removeLast() }
            basePath = path
            headers = target.headers
            addsCredentials = target.addsCredentials
        }
    }

    /// Nil for a remote.
    var backend: Backend? {
        if case .instance(let backend) = server { backend } else { nil }
    }

    /// As `reader.1#7`; nil for a remote.
    var instance: String? { backend?.instance }

    func add(_ connection: Connection) {
        connection.place = connections.count
        connections.append(connection)
    }

    func remove(_ connection: Connection) {
        let place = connection.place
        guard place < connections.count, connections[place] === connection else { return }
        let last = connections.removeLast()
        if last !== connection {
            connections[place] = last
            last.place = place
        }
        if drain != nil { checkDrained() }
    }

    /// Closes connections that carry nothing; false where there are none.
    func closeIdle() -> Bool {
        var hasClosed = pool.closeIdle()
        for connection in connections where connection.begunExchange?.dropKept() == true { hasClosed = true }
        return hasClosed
    }

    /// Closes one of those for the sake of its descriptor; false where there is none.
    func evict() -> Bool { pool.evict() || connections.contains { $0.begunExchange?.dropKept() == true } }

    /// Takes it out of service: connections that carry nothing leave it now, the others once they are idle.
    func retire() {
        guard !isRetired else { return }
        isRetired = true
        pool.close()
        for connection in connections { connection.leaveRetiredInstance() }
    }

    /// Calls `done` once no exchange is under way, or after `limit` with the number of those that still are.
    func drain(_ limit: Duration, _ done: @escaping (_ unfinished: Int) -> Void) {
        finishDrain()
        servesItsCallers = true
        let timer = loop.after(limit) { [weak self] in self?.finishDrain() }
        drain = Drain(done: done, timer: timer)
        retire()
        checkDrained()
    }

    /// To be called when a connection may have become idle.
    func checkDrained() {
        guard drain != nil, !connections.contains(where: \.isBusy) else { return }
        finishDrain()
    }

    private func finishDrain() {
        guard let drain else { return }
        self.drain = nil
        drain.timer.cancel()
        let unfinished = connections.count(where: \.isBusy)
        // Told later: whoever asked is in the middle of its own work.
        loop.later { drain.done(unfinished) }
    }

    /// It no longer listens.
    func refusedItsCaller() { servesItsCallers = false }

    /// Closes what is not an HTTP/1 exchange under way; those may still be answered while the program ends.
    func closeConnections() {
        servesItsCallers = false
        retire()
        finishDrain()
        for connection in connections where !connection.isBusy { connection.abandonInstance() }
    }
}
