import EventLoop
import Platform
import Synchronization
import Testing

@testable import Proxy

/// When servers' connections are kept for the next exchange, and when no longer.
@Suite final class PoolTests: OneFront {
    /// One exchange on a new connection, which its server ends soon after the answer unless it is left before.
    private func isLeft(_ client: Peer, _ server: Server) throws -> Bool {
        let upstream = try exchangeAnew(client, server)
        mesh.settle()
        let isLeft = try !upstream.isQuiet(for: .milliseconds(5))
        upstream.close()
        mesh.settle()
        return isLeft
    }

    @Test func serverThatEndsEachConnectionUnasked_isGivenANewOneEachTime() throws {
        let server = try Server()
        let client = try client(of: server)
        // An end that comes together with the answer, or late on a busy machine, is none of those that count.
        var rounds = 0
        repeat { rounds += 1 } while try !isLeft(client, server) && rounds < 100
        #expect((4..<100).contains(rounds))
        #expect(try isLeft(client, server))
    }

    @Test func serverThatHasServedTwice_mayEndConnectionsAsItLikes() throws {
        let server = try Server()
        let client = try client(of: server)
        let first = try exchangeAnew(client, server)
        try exchange(client, first)
        first.close()
        mesh.settle()
        for _ in 0..<5 { #expect(try !isLeft(client, server)) }
        let upstream = try exchangeAnew(client, server)
        for _ in 0..<3 { try exchange(client, upstream) }
        #expect(try !server.hasVisitor(within: .milliseconds(20)))
    }

    @Test func connectionsFromBeforeTheMachineSlept_areNotUsed() throws {
        let server = try Server()
        mesh = try Mesh(["reader"])
        let hoursAsleep = Atomic(0)
        let address = SocketAddress.loopback(server.port)
        let pool = mesh.on { proxy in
            LoopBound(
                UpstreamPool(on: proxy.loop) { .seconds(3600 * hoursAsleep.load(ordering: .relaxed)) }, proxy.loop)
        }
        func connect() throws -> (LoopBound<Link>, Peer) {
            let link = mesh.on { proxy in
                LoopBound(try! Link(connectingTo: address, on: proxy.loop), proxy.loop)
            }
            defer { mesh.settle() }
            return (link, try server.accept())
        }
        let (before, first) = try connect()
        let (after, second) = try connect()
        defer { for peer in [first, second] { peer.close() } }
        mesh.on { _ in
            pool.value.put(before.value)
            #expect(pool.value.take(isSure: false) === before.value)
            pool.value.put(before.value)
        }
        mesh.on { _ in
            hoursAsleep.store(8, ordering: .relaxed)
            // What is put there now has just carried something.
            pool.value.put(after.value)
            #expect(pool.value.take(isSure: false) === after.value)
            #expect(pool.value.take(isSure: false) == nil)
            #expect(!before.value.isOpen)
            after.value.close()
            pool.value.close()
        }
    }

    /// Two requests at once to a server that looks at one connection until that ends: the first is answered, and its
    /// connection given up. Returns the one that the second waits on.
    private func starve(_ first: Peer, _ second: Peer, _ server: Server, idle: Peer?) throws -> Peer {
        try first.send(get)
        let one = try idle ?? server.accept()
        try one.receive(until: "\r\n\r\n")
        try second.send(get)
        let two = try server.accept()
        try one.send(ok)
        try first.receive(until: "ok")
        #expect(try one.expectEnd())
        return two
    }

    /// Its idle connections are given up after 100 ms without an answer; that this one comes much later shows that they
    /// were not what it waited for.
    @Test func serverThatIsSlow_isNotTakenForOneThatServesOneAtATime() throws {
        let server = try Server()
        let first = try client(of: server)
        let second = try mesh.call("reader")
        var idle: Peer?
        for _ in 0..<3 {
            let two = try starve(first, second, server, idle: idle)
            #expect(try second.isQuiet(for: .milliseconds(60)))
            try two.answer(ok)
            #expect(try second.receive(until: "ok") == ok)
            idle = two
        }
        try exchange(first, idle!)
        #expect(try !server.hasVisitor(within: .milliseconds(20)))
    }

    @Test func serverThatServesOneAtATime_isGivenNewConnections() throws {
        let server = try Server()
        let first = try client(of: server)
        let second = try mesh.call("reader")
        var idle: Peer?
        for round in 0..<3 {
            let two = try starve(first, second, server, idle: idle)
            // At once, now that the other has ended.
            try two.answer(ok)
            #expect(try second.receive(until: "ok") == ok)
            if round > 0 {
                #expect(try two.expectEnd(), "none is kept any more")
                idle = nil
            } else {
                idle = two
            }
        }
    }
}
