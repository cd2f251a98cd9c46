import EventLoop
import Platform
import TestSupport
import Testing

@testable import Proxy

@Suite final class DrainTests: OneFront {
    @Test func drain_ofAnIdleInstance_isDoneAtOnce() throws {
        let mesh = try Mesh(["reader"])
        let server = try Server()
        mesh.pass("reader", server)
        mesh.hold("reader")
        #expect(mesh.drain("reader", "reader.1").take(within: patience(.seconds(10))) == 0)
        #expect(mesh.drain("reader", "reader.9").take(within: patience(.seconds(10))) == 0)
    }

    @Test func drain_waitsForAnExchangeUnderWay() throws {
        let server = try Server()
        let client = try client(of: server)
        let old = try server.asked(by: client, get)
        mesh.hold("reader")
        let drained = mesh.drain("reader", "reader.1")
        #expect(drained.take(within: .milliseconds(80)) == nil)
        try old.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
        mesh.settle()
        #expect(mesh.on { $0.activeConnections("reader", instance: "reader.1") } == 1)
        try old.send("k")
        #expect(try client.receive(until: "ok").hasPrefix("HTTP/1.1 200 OK"))
        mesh.settle()
        #expect(mesh.on { $0.activeConnections("reader", instance: "reader.1") } == 0)
        // The old instance is let go, the client is not.
        #expect(try old.expectEnd())
        #expect(try client.isQuiet())
    }

    @Test func drain_isToldWhenDone() throws {
        let server = try Server()
        let client = try client(of: server)
        let old = try server.asked(by: client, get)
        mesh.hold("reader")
        let drained = mesh.drain("reader", "reader.1")
        mesh.settle()
        try old.send(ok)
        #expect(drained.take(within: patience(.seconds(10))) == 0)
    }

    @Test func drain_pastItsLimit_tellsHowManyAreCut() throws {
        let server = try Server()
        let client = try client(of: server)
        let old = try server.asked(by: client, get)
        mesh.hold("reader")
        #expect(mesh.drain("reader", "reader.1", limit: .milliseconds(100)).take(within: patience(.seconds(10))) == 1)
        mesh.on { $0.closeConnections("reader", instance: "reader.1") }
        // The program may still answer while it ends.
        try old.send(ok)
        #expect(try client.receive(until: "ok").hasPrefix("HTTP/1.1 200 OK"))
    }

    @Test func keepAliveClient_staysConnectedThroughARestart() throws {
        let first = try Server()
        let client = try client(of: first)
        let old = try first.accept()
        try exchange(client, old)

        mesh.hold("reader")
        #expect(mesh.drain("reader", "reader.1").take(within: patience(.seconds(10))) == 0)
        mesh.on { $0.closeConnections("reader", instance: "reader.1") }
        #expect(try old.expectEnd())
        try client.send(get)  // held meanwhile
        #expect(try client.isQuiet())

        let second = try Server()
        mesh.pass("reader", second)
        let new = try second.accept()
        try new.answer(ok)
        #expect(try client.receive(until: "ok").hasPrefix("HTTP/1.1 200 OK"))
        try exchange(client, new)
    }

    @Test func keepAliveClient_ofAStoppedService_isAnsweredAtItsNextRequest() throws {
        let server = try Server()
        let client = try client(of: server)
        let old = try server.accept()
        try exchange(client, old)
        mesh.set("reader", .answer(reason: "reader was stopped."))
        #expect(try client.isQuiet())
        try client.send(get)
        #expect(try client.receiveAll().contains("reader was stopped."))
    }

    @Test func keepAliveClient_whoseInstanceCrashesWhileIdle_seesNothingOfIt() throws {
        let first = try Server()
        let client = try client(of: first)
        let old = try first.accept()
        try exchange(client, old)
        old.reset()
        mesh.settle()
        let second = try Server()
        mesh.pass("reader", second)
        _ = try second.asked(by: client, get)
    }

    @Test func keepAliveClients_followAFlipToAnotherInstance() throws {
        let first = try Server()
        let idle = try client(of: first)
        let idleServer = try first.accept()
        try exchange(idle, idleServer)
        let busy = try mesh.call("reader")
        let busyServer = try first.accept()
        try busy.send(get)
        try busyServer.receive(until: "\r\n\r\n")

        let second = try Server()
        mesh.set("reader", .pass([Backend(instance: "reader.2", port: second.port)], whenRefused: ""))
        try idle.send(get)
        #expect(try second.accept().receive(until: "\r\n\r\n").hasPrefix("GET "))
        try busyServer.send(ok)
        try busy.receive(until: "ok")
        try busy.send(get)
        #expect(try second.accept().receive(until: "\r\n\r\n").hasPrefix("GET "))
    }

    @Test func silentClient_ofADrainedInstance_getsTheNewOne() throws {
        let mesh = try Mesh(["db"])
        let first = try Server()
        mesh.pass("db", first)
        let client = try mesh.call("db")
        let old = try first.accept()
        mesh.hold("db")
        #expect(mesh.drain("db", "db.1").take(within: patience(.seconds(10))) == 0)
        mesh.on { $0.closeConnections("db", instance: "db.1") }
        #expect(try old.expectEnd())
        let second = try Server()
        mesh.pass("db", second)
        let new = try second.accept()
        try new.send("+hello\r\n")  // the server speaks first
        #expect(try client.receive(until: "\n") == "+hello\r\n")
    }

    @Test(arguments: [
        ("PING\r\n", "+PONG\r\n"),
        (
            "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        ),
        (
            "GET /events HTTP/1.1\r\nHost: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n"
        ),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "settings"),
    ])
    func otherConversations_areNotWaitedForAndCloseWithTheSignal(_ hello: String, _ reply: String) throws {
        let server = try Server()
        let client = try client(of: server)
        let old = try server.accept()
        try client.send(hello)
        if hello.hasPrefix("GET") {
            try old.receive(until: "\r\n\r\n")
        } else {
            _ = try old.receive(count: hello.utf8.count)
        }
        try old.send(reply)
        try client.receive(until: reply.hasSuffix("\r\n\r\n") ? "\r\n\r\n" : String(reply.suffix(4)))
        mesh.hold("reader")
        #expect(mesh.drain("reader", "reader.1").take(within: patience(.seconds(10))) == 0)
        // Still open until the signal is sent.
        try old.send("more")
        #expect(try client.receive(count: 4) == "more")
        mesh.on { $0.closeConnections("reader", instance: "reader.1") }
        #expect(try client.expectEnd())
        #expect(try old.expectEnd())
    }

    @Test func oneOfTwoInstances_drains_whileTheOtherServes() throws {
        let mesh = try Mesh(["reader"])
        let one = try Server()
        let two = try Server()
        mesh.pass("reader", one, two)
        #expect(mesh.drain("reader", "reader.1").take(within: patience(.seconds(10))) == 0)
        for _ in 0..<3 {
            let client = try mesh.call("reader")
            try client.send("x")
            #expect(try two.accept().receive(count: 1) == "x")
        }
        #expect(try !one.hasVisitor(within: .milliseconds(20)))
    }

    // MARK: The second deadlock of contract §6

    /// reader serves a request, for which it calls members, which calls reader back; then reader is restarted.
    @Test func callBack_forARequestThatADrainingInstanceServes_goesToThatInstance() throws {
        let mesh = try Mesh(
            ["reader", "members", "purge"], edges: ["reader>members", "members>reader", "purge>reader"])
        let reader = try Server()
        let members = try Server()
        mesh.pass("reader", reader)
        mesh.pass("members", members)
        let client = try mesh.call("reader")
        let atReader = try reader.accept()
        try client.send(get)
        try atReader.receive(until: "\r\n\r\n")
        let readerCalls = try mesh.call("members", from: "reader")
        let atMembers = try members.accept()
        try readerCalls.send(get)
        try atMembers.receive(until: "\r\n\r\n")

        mesh.hold("reader")
        let drained = mesh.drain("reader", "reader.1")
        let membersCallsBack = try mesh.call("reader", from: "members")
        let back = try reader.asked(by: membersCallsBack, get)
        // Who is not called by reader waits for the new one.
        let unrelated = try mesh.call("reader", from: "purge")
        try unrelated.send(get)
        let outside = try mesh.call("reader")
        try outside.send(get)
        #expect(try !reader.hasVisitor())

        try back.send(ok)
        try membersCallsBack.receive(until: "ok")
        try atMembers.send(ok)
        try readerCalls.receive(until: "ok")
        #expect(drained.take(within: .milliseconds(50)) == nil)
        try atReader.send(ok)
        try client.receive(until: "ok")
        #expect(drained.take(within: patience(.seconds(10))) == 0)

        // After the signal nobody is sent to the old instance any more.
        mesh.on { $0.closeConnections("reader", instance: "reader.1") }
        let late = try mesh.call("reader", from: "members")
        try late.send(get)
        #expect(try !reader.hasVisitor())
    }

    @Test func callBack_overTwoHops_goesToTheDrainingInstance() throws {
        let mesh = try Mesh(["a", "b", "c"], edges: ["a>b", "b>c", "c>a"])
        var servers: [String: Server] = [:]
        for name in ["a", "b", "c"] {
            servers[name] = try Server()
            mesh.pass(name, servers[name]!)
        }
        var held: [Peer] = []
        for (caller, target) in [(nil, "a"), ("a", "b"), ("b", "c")] {
            let call = try mesh.call(target, from: caller)
            try call.send(get)
            let served = try servers[target]!.accept()
            try served.receive(until: "\r\n\r\n")
            held += [call, served]
        }
        mesh.hold("a")
        let drained = mesh.drain("a", "a.1")
        let callBack = try mesh.call("a", from: "c")
        try callBack.send(get)
        #expect(try servers["a"]!.accept().receive(until: "\r\n\r\n").hasPrefix("GET "))
        #expect(drained.take(within: .milliseconds(20)) == nil)
    }
}

@Suite struct CallGraphTests {
    @Test func reaches_followsCallsAndEndsInCycles() {
        let graph = CallGraph([
            .init(caller: "a", target: "b"), .init(caller: "b", target: "c"), .init(caller: "c", target: "b"),
        ])
        #expect(graph.reaches("c", from: "a"))
        #expect(graph.reaches("b", from: "a"))
        #expect(!graph.reaches("a", from: "a"))
        #expect(!graph.reaches("d", from: "a"))
        #expect(graph.reaches("b", from: "b"))
    }
}
