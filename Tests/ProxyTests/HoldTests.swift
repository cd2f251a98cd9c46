import EventLoop
import Platform
import Testing

@testable import Proxy

@Suite struct HoldTests {
    @Test func heldConnection_isReleasedByPass() throws {
        let mesh = try Mesh(["reader"])
        let server = try Server()
        mesh.hold("reader")
        let client = try mesh.call("reader")
        try client.send("hello")
        #expect(try client.isQuiet())
        mesh.pass("reader", server)
        let upstream = try server.accept()
        #expect(try upstream.receive(count: 5) == "hello")
        try upstream.send("hi")
        #expect(try client.receive(count: 2) == "hi")
    }

    @Test func front_beforeAnyState_holds() throws {
        let mesh = try Mesh(["reader"])
        let client = try mesh.call("reader")
        try client.send("x")
        #expect(try client.isQuiet())
    }

    @Test func heldConnections_areReleasedInTheOrderOfArrival() throws {
        let mesh = try Mesh(["reader"])
        let server = try Server()
        mesh.hold("reader")
        var clients: [Peer] = []
        for number in 0..<5 {
            let client = try mesh.call("reader")
            try client.send("\(number)")
            mesh.settle()
            clients.append(client)
        }
        mesh.pass("reader", server)
        for number in 0..<5 { #expect(try server.accept().receive(count: 1) == "\(number)") }
    }

    @Test func holding_pastItsBound_isAnsweredWithTheReason() throws {
        let mesh = try Mesh(["reader"])
        mesh.hold("reader", .milliseconds(150))
        let start = Instant.now
        let client = try mesh.call("reader")
        try client.send("GET / HTTP/1.1\r\nHost: x\r\nAccept: text/plain\r\n\r\n")
        let answer = try client.receiveAll()
        #expect(Instant.now - start >= .milliseconds(150))
        #expect(answer.hasPrefix("HTTP/1.1 503 "))
        #expect(answer.contains("reader is starting. This request waited 150 ms for it."))
        #expect(answer.contains("\r\nRetry-After: 1\r\n"))
    }

    @Test func holding_whenTheServiceFails_isAnsweredAtOnce() throws {
        let mesh = try Mesh(["reader"])
        mesh.hold("reader")
        let client = try mesh.call("reader")
        try client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try client.isQuiet())
        mesh.set("reader", .answer(reason: "reader has crashed."))
        #expect(try client.receiveAll().contains("reader has crashed."))
    }

    @Test func bound_isCountedFromArrival_throughChangesOfTheHold() throws {
        let mesh = try Mesh(["reader"])
        mesh.hold("reader", .seconds(20))
        let client = try mesh.call("reader")
        try client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try client.isQuiet(for: .milliseconds(60)))
        mesh.hold("reader", .milliseconds(50))
        #expect(try client.receiveAll().hasPrefix("HTTP/1.1 503 "))
    }

    @Test func queue_thatIsFull_answersTheNext() throws {
        let mesh = try Mesh(["reader"])
        mesh.hold("reader")
        let port = mesh.port("reader")
        var clients: [Peer] = []
        for _ in 0..<Resilience().waiting {
            let client = try Peer(port: port)
            try client.send("x\r\n")
            clients.append(client)
        }
        let late = try Peer(port: port)
        try late.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try late.receiveAll().contains("1024 others wait already"))
        let server = try Server()
        mesh.pass("reader", server)
        for _ in clients { _ = try server.accept() }
    }

    @Test func client_thatResetsWhileHeld_isForgotten() throws {
        let mesh = try Mesh(["reader"])
        let server = try Server()
        mesh.hold("reader")
        let client = try mesh.call("reader")
        try client.send("x")
        mesh.settle()
        client.reset()
        let second = try mesh.call("reader")
        try second.send("y")
        mesh.settle()
        mesh.pass("reader", server)
        #expect(try server.accept().receive(count: 1) == "y")
        #expect(try !server.hasVisitor())
    }

    @Test func client_thatEndsItsSideWhileHeld_isStillServed() throws {
        let mesh = try Mesh(["reader"])
        let server = try Server()
        mesh.hold("reader")
        let client = try mesh.call("reader")
        try client.send("question")
        client.end()
        mesh.settle()
        mesh.pass("reader", server)
        let upstream = try server.accept()
        #expect(try upstream.receiveAll() == "question")
        try upstream.send("answer")
        upstream.close()
        #expect(try client.receiveAll() == "answer")
    }

    @Test func everyInstanceRefusing_waitsForAnotherState() throws {
        let mesh = try Mesh(["reader"])
        let dead = try Server()
        let alive = try Server()
        mesh.pass("reader", dead)
        dead.close()
        let client = try mesh.call("reader")
        try client.send("hello")
        #expect(try client.isQuiet(for: .milliseconds(50)))
        mesh.pass("reader", alive)
        #expect(try alive.accept().receive(count: 5) == "hello")
    }

    @Test func everyInstanceRefusing_forASecond_isAnswered() throws {
        let mesh = try Mesh(["reader"])
        let dead = try Server()
        mesh.pass("reader", dead)
        dead.close()
        let start = Instant.now
        let client = try mesh.call("reader")
        try client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try client.receiveAll().contains("reader refuses connections."))
        #expect(Instant.now - start >= .seconds(1))
    }

    // MARK: The first deadlock of contract §6

    @Test func call_fromWhatTheTargetWaitsFor_isAnsweredAtOnceNamingTheCycle() throws {
        let mesh = try Mesh(["members", "db"], edges: ["db>members", "reader>members"])
        let sentence = "db calls members, which waits for db to be ready."
        mesh.delegate.refuse("db", "members", sentence)
        mesh.hold("members")
        let call = try mesh.call("members", from: "db")
        try call.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try call.receiveAll().contains(sentence))
        let other = try mesh.call("members", from: "reader")
        try other.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try other.isQuiet())
    }

    /// What was ready may be going down; of what is known to be unready nothing is to be expected.
    @Test func unready_thatRefuses_isAnsweredForAtOnce() throws {
        let mesh = try Mesh(["reader"])
        let server = try Server()
        let backend = Backend(instance: "reader.1", port: server.port)
        server.close()
        mesh.hold("reader")
        let client = try mesh.call("reader")
        try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        mesh.settle()
        let began = Instant.now
        mesh.set("reader", .pass([backend], whenRefused: "reader is unready: slow", areReady: false))
        #expect(try client.receiveAll().contains("reader is unready: slow"))
        #expect(Instant.now - began < Target.refusalPatience)
    }
}
