import EventLoop
import Platform
import Testing

@testable import Proxy

@Suite struct RelayTests {
    @Test(arguments: PollerBackend.allCases)
    func bytes_bothWays_arriveInOrder(_ backend: PollerBackend) throws {
        let mesh = try Mesh(["echo"], backend: backend)
        let server = try Server()
        mesh.pass("echo", server)
        let client = try mesh.call("echo")
        let upstream = try server.accept()
        try client.send("hello")
        #expect(try upstream.receive(count: 5) == "hello")
        try upstream.send("world")
        #expect(try client.receive(count: 5) == "world")
    }

    @Test func front_overIPv6_isServedOnTheSamePort() throws {
        let mesh = try Mesh(["echo"])
        let server = try Server()
        mesh.pass("echo", server)
        guard hasLoopback6() else { return }
        let client = try Peer(port: mesh.port("echo"), six: true)
        let upstream = try server.accept()
        try client.send("six")
        #expect(try upstream.receive(count: 3) == "six")
    }

    @Test func backend_onIPv6_isReached() throws {
        guard hasLoopback6() else { return }
        let mesh = try Mesh(["echo"])
        let server = try Server(six: true)
        mesh.set(
            "echo",
            .pass([Backend(instance: "echo.1", host: "::1", port: server.port)], whenRefused: ""))
        let client = try mesh.call("echo")
        let upstream = try server.accept()
        try client.send("six")
        #expect(try upstream.receive(count: 3) == "six")
    }

    @Test func server_thatSpeaksFirst_isHeardAtOnce() throws {
        let mesh = try Mesh(["db"])
        let server = try Server()
        mesh.pass("db", server)
        let client = try mesh.call("db")
        let upstream = try server.accept()
        try upstream.send("+OK ready\r\n")
        #expect(try client.receive(until: "\n") == "+OK ready\r\n")
    }

    @Test(arguments: PollerBackend.allCases)
    func halfClose_ofTheClient_leavesTheWayBackOpen(_ backend: PollerBackend) throws {
        let mesh = try Mesh(["sort"], backend: backend)
        let server = try Server()
        mesh.pass("sort", server)
        let client = try mesh.call("sort")
        let upstream = try server.accept()
        try client.send("b\na\n")
        client.end()
        #expect(try upstream.receiveAll() == "b\na\n")
        try upstream.send("a\nb\n")
        upstream.close()
        #expect(try client.receiveAll() == "a\nb\n")
    }

    @Test(arguments: PollerBackend.allCases)
    func halfClose_ofTheServer_leavesTheWayThereOpen(_ backend: PollerBackend) throws {
        let mesh = try Mesh(["sink"], backend: backend)
        let server = try Server()
        mesh.pass("sink", server)
        let client = try mesh.call("sink")
        let upstream = try server.accept()
        try upstream.send("go")
        upstream.end()
        #expect(try client.receiveAll() == "go")
        try client.send("payload")
        client.end()
        #expect(try upstream.receiveAll() == "payload")
    }

    @Test func lastBytes_withTheEndBehindThem_areNotLost() throws {
        let mesh = try Mesh(["talker"])
        let server = try Server()
        mesh.pass("talker", server)
        for round in 0..<200 {
            let client = try mesh.call("talker")
            let upstream = try server.accept()
            try upstream.send("line \(round)\n")
            upstream.close()
            #expect(try client.receiveAll() == "line \(round)\n")
        }
    }

    @Test func reset_ofTheServer_isPassedOnBehindItsBytes() throws {
        let mesh = try Mesh(["db"])
        let server = try Server()
        mesh.pass("db", server)
        let client = try mesh.call("db")
        let upstream = try server.accept()
        try upstream.send("part")
        #expect(try client.receive(count: 4) == "part")
        upstream.reset()
        #expect(try client.expectReset())
    }

    @Test func reset_ofTheClient_isPassedOn() throws {
        let mesh = try Mesh(["db"])
        let server = try Server()
        mesh.pass("db", server)
        let client = try mesh.call("db")
        let upstream = try server.accept()
        try client.send("x")
        _ = try upstream.receive(count: 1)
        client.reset()
        #expect(try upstream.expectReset())
    }

    @Test func earlyAnswer_toAnUnreadUpload_reachesTheClient() throws {
        let mesh = try Mesh(["upload"])
        let server = try Server()
        mesh.pass("upload", server)
        let client = try mesh.call("upload")
        let upstream = try server.accept()
        try client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\n")
        _ = try upstream.receive(until: "\r\n\r\n")
        let part = [UInt8](repeating: 1, count: 1 << 20)
        var sent = 0
        while true {
            let count = try client.sendSome(part)
            if count == 0 { break }
            sent += count
        }
        try upstream.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        upstream.close()  // with unread bytes: a reset
        #expect(try client.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 413"))
    }

    @Test(arguments: [true, false])
    func largeTransfer_withASlowReader_isWholeAndBounded(fromClient: Bool) throws {
        let mesh = try Mesh(["bulk"])
        let server = try Server()
        mesh.pass("bulk", server)
        let client = try mesh.call("bulk")
        let upstream = try server.accept()
        let (writer, reader) = fromClient ? (client, upstream) : (upstream, client)
        let block = [UInt8](repeating: 7, count: 1 << 20)
        // Nobody reads: what can be sent is what the kernel holds and one buffer of the relay.
        let stuffed = try writer.stuff(block, into: mesh)
        #expect(stuffed < 32 << 20)
        let before = residentBytes()
        let total = 200 << 20
        let rest = total - stuffed
        let box = Sender(writer)
        let thread = try PlatformThread("writer") { box.send(rest, block) }
        let (count, areAll) = try reader.countAll(of: 7)
        thread.join()
        #expect(count == total)
        #expect(areAll)
        // What the tests beside it need is among it.
        #expect(residentBytes() - before < 120 << 20)
    }

    @Test(arguments: PollerBackend.allCases)
    func shortWrites_loseNothing(_ backend: PollerBackend) throws {
        let faults = FaultPlan()
        let mesh = try Mesh(["echo"], kernel: Kernel(faults: faults), backend: backend)
        let server = try Server()
        mesh.pass("echo", server)
        let client = try mesh.call("echo")
        let upstream = try server.accept()
        faults.injectNext(.send, times: 1000, .short(3))
        // A short read from a socket means that it is empty, which epoll relies on.
        if backend == .poll { faults.injectNext(.read, times: 1000, .short(5)) }
        let text = (0..<100).map { "line \($0)\n" }.joined()
        try client.send(text)
        client.end()
        #expect(try upstream.receiveAll() == text)
        faults.clear()
        upstream.close()
        #expect(try client.expectEnd())
    }

    /// Data and end in one, when the server has ended its side already and has no room for the moment: only then is the
    /// relay over as soon as the data is on its way.
    @Test func lastWords_whoseServerHasNoRoom_areDelivered() throws {
        let faults = FaultPlan()
        // This poller tells of room again, though there was no lack of it.
        let mesh = try Mesh(["echo"], kernel: Kernel(faults: faults), backend: .poll)
        let server = try Server()
        mesh.pass("echo", server)
        let client = try mesh.call("echo")
        let upstream = try server.accept()
        try client.send("first")
        #expect(try upstream.receive(count: 5) == "first")
        upstream.end()
        #expect(try client.expectEnd())
        let gate = Handoff<Void>()
        mesh.thread.remote.post { _ in gate.take() }
        try client.send("last words")
        client.end()
        faults.injectNext(.send, times: 1, .fails(.again))
        gate.give(())
        #expect(try upstream.receiveAll() == "last words")
    }

    @Test func instances_areTakenInTurn() throws {
        let mesh = try Mesh(["reader"])
        let servers = [try Server(), try Server()]
        mesh.pass("reader", servers[0], servers[1])
        var clients: [Peer] = []
        for _ in 0..<4 { clients.append(try mesh.call("reader")) }
        for server in servers {
            for _ in 0..<2 { _ = try server.accept() }
            #expect(try !server.hasVisitor(within: .milliseconds(20)))
        }
    }

    @Test func instance_thatRefuses_isPassedOver() throws {
        let mesh = try Mesh(["reader"])
        let dead = try Server()
        let alive = try Server()
        mesh.pass("reader", dead, alive)
        dead.close()
        for _ in 0..<4 {
            let client = try mesh.call("reader")
            try client.send("x")
            #expect(try alive.accept().receive(count: 1) == "x")
        }
    }
}

/// Lends a test's socket to another thread.
private final class Sender: @unchecked Sendable {
    // The test's own thread leaves it alone until this one has been joined.
    private let peer: Peer

    init(_ peer: Peer) { self.peer = peer }

    func send(_ count: Int, _ block: [UInt8]) {
        var left = count
        while left > 0 {
            try? peer.send(left >= block.count ? block : Array(block[..<left]))
            left -= block.count
        }
        peer.end()
    }
}

private func residentBytes() -> Int { ProcessTable.entry(ThisProcess.id)?.resident ?? 0 }
