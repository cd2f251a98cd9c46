import EventLoop
import Platform

/// An instance's time at a service's front: from when connections first go to it until the last of them is gone.
///
///     current ──set, drain──▶ retired: takes no new connections, idle ones are taken off it
///                                └─drain─▶ draining: waits for exchanges under way
final class Lease {
    let backend: Backend
    let address: SocketAddress
    private(set) var isRetired = false
    private(set) var connections: [ObjectIdentifier: Connection] = [:]
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

    /// Nil where the backend's host is no IP literal.
    init?(_ backend: Backend, on loop: EventLoop) {
        self.loop = loop
        guard let address = SocketAddress(literal: backend.host, port: backend.port) else { return nil }
        self.backend = backend
        self.address = address
        pool = UpstreamPool(on: loop)
    }

    func add(_ connection: Connection) { connections[ObjectIdentifier(connection)] = connection }

    func remove(_ connection: Connection) {
        connections[ObjectIdentifier(connection)] = nil
        checkDrained()
    }

    /// Takes it out of service: connections that carry nothing leave it now, the others once they are idle.
    func retire() {
        guard !isRetired else { return }
        isRetired = true
        pool.close()
        for connection in Array(connections.values) { connection.leaveRetiredInstance() }
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
        guard drain != nil, !connections.values.contains(where: { $0.isBusy }) else { return }
        finishDrain()
    }

    private func finishDrain() {
        guard let drain else { return }
        self.drain = nil
        drain.timer.cancel()
        let unfinished = connections.values.count { $0.isBusy }
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
        for connection in Array(connections.values) where !connection.isBusy { connection.abandonInstance() }
    }
}
