import Platform
import Testing

@testable import Proxy

/// What an attack on the relay found, each as it was found.
@Suite final class AbuseTests: OneFront {
    @Test(arguments: ["Content-Length", "Via", "Host", "Expect"])
    func fieldThatSteers_namedByConnection_stays(_ name: String) throws {
        let server = try Server()
        let client = try client(of: server)
        try client.send(
            "POST /a HTTP/1.1\r\nHost: x\r\nVia: 1.1 a\r\nExpect: 100-continue\r\nConnection: \(name)\r\n"
                + "Content-Length: 3\r\n\r\nabc")
        let head = try server.accept().receive(until: "abc")
        #expect(head.contains("\r\n\(name): "))
    }

    @Test func responsesLength_namedByConnection_stays() throws {
        let server = try Server()
        let client = try client(of: server)
        let upstream = try server.asked(by: client, get)
        try upstream.send("HTTP/1.1 200 OK\r\nConnection: content-length\r\nContent-Length: 2, 2\r\n\r\nok")
        #expect(try client.receive(until: "ok") == ok)
    }

    @Test func serverThatReadsOneConnectionAtATime_isNotStarvedByAnIdleOne() throws {
        let server = try Server()
        let first = try client(of: server)
        let second = try mesh.call("reader")
        let one = try server.asked(by: first, get)
        try second.send(get)
        let two = try server.accept()
        try one.send(ok)
        try first.receive(until: "ok")
        // It looks at the second only once the first has ended.
        #expect(try one.expectEnd())
        try two.answer(ok)
        #expect(try second.receive(until: "ok") == ok)
    }

    @Test(arguments: [true, false])
    func bodyThatTheServerLeavesUnread_isNobodyElsesRequest(clientCloses: Bool) throws {
        let server = try Server()
        let client = try client(of: server)
        let close = clientCloses ? "Connection: close\r\n" : ""
        try client.send("POST /login HTTP/1.1\r\nHost: x\r\n\(close)Content-Length: 4\r\n\r\njoey")
        let upstream = try server.accept()
        try upstream.receive(until: "\r\n\r\n")
        try upstream.send("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")
        try client.receive(until: "\r\n\r\n")
        let other = try mesh.call("reader")
        try other.send(get)
        let second = try server.accept()
        #expect(try second.receive(until: "\r\n\r\n").hasPrefix("GET /a "))
    }

    @Test func oneClientsBodies_goByOneConnection() throws {
        let server = try Server()
        let client = try client(of: server)
        let upstream = try exchangeAnew(client, server)
        for _ in 0..<2 { try exchange(client, upstream) }
        for _ in 0..<3 {
            try client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody")
            try upstream.receive(until: "body")
            try upstream.send(ok)
            #expect(try client.receive(until: "ok") == ok)
        }
        // The instance goes: what is kept for the client goes with it, and the client stays.
        mesh.hold("reader")
        #expect(try upstream.expectEnd())
        #expect(try client.isQuiet(for: .milliseconds(20)))
    }

    @Test func silentClientThatLeaves_teachesNothing() throws {
        let server = try Server()
        let silent = try client(of: server)
        let upstream = try server.accept()
        silent.end()
        #expect(try upstream.expectEnd())
        upstream.close()
        #expect(try silent.expectEnd())
        mesh.set("reader", .answer(reason: "reader is stopped."))
        let client = try mesh.call("reader")
        #expect(try client.isQuiet(for: .milliseconds(20)))
        try client.send(get)
        #expect(try client.receiveAll().hasPrefix("HTTP/1.1 503 "))
    }

    @Test func silentClientThatSaysHalfAWordAndLeaves_isForgotten() throws {
        let server = try Server()
        let silent = try client(of: server)
        let upstream = try server.accept()
        try silent.send("GE")
        silent.end()
        #expect(try upstream.receiveAll() == "GE")
        upstream.close()
        #expect(try silent.expectEnd())
        mesh.settle()
        #expect(mesh.on { $0.activeConnections("reader") } == 0)
    }

    @Test func wordThatCouldBeAMethod_isPassedOn() throws {
        let server = try Server()
        let client = try client(of: server)
        try client.send("HELLO")
        let upstream = try server.accept()
        #expect(try upstream.receive(count: 5) == "HELLO")
    }

    @Test func herdThatWaited_isLetGoAFewAtATime() throws {
        mesh = try Mesh(["reader"])
        mesh.hold("reader")
        let clients = try (0..<12).map { _ in try mesh.call("reader") }
        for client in clients { try client.send(get) }
        mesh.settle()
        let server = try Server()
        let backend = Backend(instance: "reader.1", port: server.port)
        let first = mesh.on { proxy in
            proxy.set("reader", .pass([backend], whenRefused: "it refuses connections."))
            return proxy.activeConnections("reader")
        }
        #expect(first == 4)
        let upstream = try server.accept()
        // One is answered, and the next goes, by its connection or another; the rest after a while in any case.
        try upstream.answer(ok)
        for _ in 1..<11 { _ = try server.accept() }
    }

    @Test func herdThatWaited_isLetGoAFewAtATime_whenTheRouteChanges() throws {
        mesh = try Mesh(["reader"])
        mesh.hold("reader")
        let server = try Server()
        let backend = Backend(instance: "reader@next.1", port: server.port)
        mesh.on { $0.set("reader", target: "next", .pass([backend], whenRefused: "it refuses connections.")) }
        let clients = try (0..<12).map { _ in try mesh.call("reader") }
        for client in clients { try client.send(get) }
        mesh.settle()
        let first = mesh.on { proxy in
            proxy.setRoute("reader", Route(to: "next"))
            return proxy.activeConnections("reader")
        }
        #expect(first == 4)
    }

    @Test func serverThatEndsConnectionsNowAndThen_isKeptAliveStill() throws {
        let server = try Server()
        let client = try client(of: server)
        for _ in 0..<2 {
            try client.send(get)
            let upstream = try server.accept()
            try upstream.answer(ok)
            #expect(try client.receive(until: "ok") == ok)
            upstream.close()
            mesh.settle()
        }
        try client.send(get)
        let upstream = try server.accept()
        for _ in 0..<3 {
            try upstream.answer(ok)
            #expect(try client.receive(until: "ok") == ok)
            try client.send(get)
        }
        #expect(try !server.hasVisitor(within: .milliseconds(20)))
    }

    @Test func requestOfAClientThatHasGone_isNotSentLater() throws {
        mesh = try Mesh(["reader"])
        mesh.hold("reader")
        let client = try mesh.call("reader")
        try client.send("POST /order HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        client.end()
        #expect(try client.expectReset())
        let server = try Server()
        mesh.pass("reader", server)
        #expect(try !server.hasVisitor(within: .milliseconds(20)))
    }

    @Test func emptyLineBehindARequest_isNoRequest() throws {
        let server = try Server()
        let client = try client(of: server)
        let upstream = try exchangeAnew(client, server)
        try client.send("\r\n")
        mesh.settle()
        try client.send(get)
        try upstream.answer(ok)
        #expect(try client.receive(until: "ok") == ok)
    }

    @Test func clientThatEndsItsSide_isGivenTheRestOfItsResponse() throws {
        let server = try Server()
        let client = try client(of: server)
        let upstream = try server.asked(by: client, get)
        try upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok")
        try client.receive(until: "ok")
        client.end()
        // Longer than a client is waited for that has not got anything yet.
        #expect(try client.isQuiet(for: .milliseconds(1100)))
        try upstream.send("ay")
        #expect(try client.receiveAll() == "ay")
    }

    @Test func malformedChunk_beforeAnyAnswer_is400() throws {
        let server = try Server()
        let client = try client(of: server)
        try client.send("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
        #expect(try client.receiveAll().hasPrefix("HTTP/1.1 400 "))
    }

    @Test func malformedChunk_inTheResponse_is502() throws {
        let server = try Server()
        let client = try client(of: server)
        let upstream = try server.asked(by: client, get)
        try upstream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
        #expect(try client.receiveAll().hasPrefix("HTTP/1.1 502 "))
    }

    @Test func codingBeneathTheChunks_isRefused() throws {
        let server = try Server()
        let client = try client(of: server)
        try client.send("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        #expect(try client.receiveAll().hasPrefix("HTTP/1.1 501 "))
    }

    @Test func switchOfProtocols_thatNobodyAskedFor_is502() throws {
        let server = try Server()
        let client = try client(of: server)
        let upstream = try server.asked(by: client, get)
        try upstream.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
        #expect(try client.receiveAll().hasPrefix("HTTP/1.1 502 "))
    }

    @Test func whatIsNoHTTP_onADeclaredHTTPService_isTold() throws {
        let server = try Server()
        mesh = try Mesh(["reader"])
        mesh.on { $0.setProtocol("reader", .http) }
        mesh.pass("reader", server)
        let client = try mesh.call("reader")
        try client.send("\u{16}\u{3}\u{1} hello\r\n\r\n")
        #expect(try client.receiveAll().hasPrefix("HTTP/1.1 400 "))
        #expect(try !server.hasVisitor(within: .milliseconds(20)))
    }

    @Test func requestThatEndsItsServer_isNotSentToTheNext() throws {
        let server = try Server()
        let client = try client(of: server)
        let upstream = try exchangeAnew(client, server)
        try client.send("GET /exit HTTP/1.1\r\nHost: x\r\n\r\n")
        try upstream.receive(until: "\r\n\r\n")
        server.close()
        upstream.close()
        #expect(try client.receiveAll().hasPrefix("HTTP/1.1 502 "))
        let next = try Server()
        mesh.pass("reader", next)
        #expect(try !next.hasVisitor(within: .milliseconds(20)))
    }

    @Test(arguments: ["X-Forwarded-Server", "X-Forwarded-Prefix", "X-Real-IP", "Forwarded"])
    func whoCalled_isNotForTheClientToSay(_ name: String) throws {
        let server = try Server()
        let client = try client(of: server)
        try client.send("GET /a HTTP/1.1\r\nHost: x\r\n\(name): 10.0.0.1\r\n\r\n")
        #expect(try !server.accept().receive(until: "\r\n\r\n").contains("10.0.0.1"))
    }
}
