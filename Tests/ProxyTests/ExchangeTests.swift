import Platform
import Testing

@testable import Proxy

/// HTTP/1 exchanges with instances, one after another on connections that stay.
@Suite final class ExchangeTests: OneFront {
    @Test func requests_oneAfterAnother_useTheSameConnections() throws {
        let server = try Server()
        let client = try client(of: server)
        try client.send(get)
        let upstream = try server.accept()
        for _ in 0..<3 {
            try upstream.answer(ok)
            #expect(try client.receive(until: "ok") == ok)
            try client.send(get)
        }
        // Another client's request takes the connection that is free.
        try upstream.answer(ok)
        try client.receive(until: "ok")
        let other = try mesh.call("reader")
        try other.send(get)
        try upstream.receive(until: "\r\n\r\n")
        #expect(try !server.hasVisitor(within: .milliseconds(20)))
    }

    @Test func requests_pipelined_areAnsweredInOrder() throws {
        let server = try Server()
        let client = try client(of: server)
        try client.send(
            "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none" + "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
        let upstream = try server.accept()
        #expect(try upstream.receive(until: "one").hasPrefix("POST /1 "))
        #expect(try upstream.isQuiet(for: .milliseconds(30)), "the second waits for the first one's response")
        try upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1")
        #expect(try upstream.receive(until: "\r\n\r\n").hasPrefix("GET /2 "))
        try upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2")
        #expect(try client.receive(until: "\r\n\r\n1").hasSuffix("1"))
        #expect(try client.receive(until: "\r\n\r\n2").hasSuffix("2"))
    }

    /// Short messages leave at the end of the turn, when whoever wrote them has gone on.
    @Test func responseThatCanNotBeSent_cancelsTheServersWork() throws {
        let faults = FaultPlan()
        mesh = try Mesh(["reader"], kernel: Kernel(faults: faults))
        let server = try Server()
        mesh.pass("reader", server)
        let client = try mesh.call("reader")
        try client.send(get)
        let upstream = try server.accept()
        try upstream.receive(until: "\r\n\r\n")
        faults.injectNext(.send, times: 1, .fails(.connectionReset))
        try upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart")
        #expect(throws: Peer.Failure.broken(.connectionReset)) { try upstream.receiveAll() }
        #expect(throws: Peer.Failure.broken(.connectionReset)) { try client.receiveAll() }
    }

    @Test func head_isWrittenAnew_withoutWhatEndsHere() throws {
        let server = try Server()
        let client = try client(of: server)
        try client.send(
            "GET http://other.example/a HTTP/1.1\r\nHost: x\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\n"
                + "X-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nTE: trailers, gzip\r\nAccept:  */*  \r\n\r\n")
        let upstream = try server.accept()
        #expect(
            try upstream.receive(until: "\r\n\r\n")
                == "GET /a HTTP/1.1\r\nHost: other.example\r\nAccept: */*\r\nX-Forwarded-For: 127.0.0.1\r\n"
                + "X-Forwarded-Host: x\r\nX-Forwarded-Proto: http\r\nVia: 1.1 devmesh\r\n"
                + "TE: trailers\r\nConnection: TE\r\n\r\n")
    }

    @Test func forwarding_toldByAServiceOnItsEdge_isKept() throws {
        let server = try Server()
        _ = try client(of: server)
        let client = try mesh.call("reader", from: "purge")
        try client.send("GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n")
        let head = try server.accept().receive(until: "\r\n\r\n")
        #expect(head == "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6\r\nVia: 1.1 devmesh\r\n\r\n")
    }

    @Test func request_thatHasPassedTooOften_is508() throws {
        let server = try Server()
        let client = try client(of: server)
        try client.send(
            "GET / HTTP/1.1\r\nHost: x\r\n" + String(repeating: "Via: 1.0 a, 1.1 devmesh\r\n", count: 16) + "\r\n")
        #expect(try client.receiveAll().hasPrefix("HTTP/1.1 508 Loop Detected\r\n"))
        #expect(try !server.hasVisitor(within: .milliseconds(20)))
    }

    @Test func chunks_areWrittenAnew_withoutExtensions() throws {
        let server = try Server()
        let client = try client(of: server)
        let upstream = try server.asked(by: client, get)
        try upstream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n00A;x=y\r\n0123456789\r\n0\r\n\r\n")
        #expect(try client.receive(until: "\r\n0\r\n\r\n").hasSuffix("\r\n\r\na\r\n0123456789\r\n0\r\n\r\n"))
    }

    @Test func clientOfOld_isKeptAliveWhereItAsksForIt() throws {
        let server = try Server()
        let client = try client(of: server)
        try client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        let upstream = try server.accept()
        #expect(try upstream.receive(until: "\r\n\r\n").contains("\r\nHost: reader\r\n"))
        try upstream.send(ok)
        #expect(try client.receive(until: "ok").contains("\r\nConnection: keep-alive\r\n"))
        try client.send("GET / HTTP/1.0\r\n\r\n")
        try upstream.answer(ok)
        #expect(try client.receiveAll().contains("\r\nConnection: close\r\n"))
    }

    // MARK: Connections that the server has ended

    @Test func pooledConnection_endedByTheServer_safeRequestIsSentAgain() throws {
        let server = try Server()
        let client = try client(of: server)
        let first = try exchangeAnew(client, server)
        try client.send(get)
        // Taken and ended without a word, as if both had crossed.
        try first.receive(until: "\r\n\r\n")
        first.close()
        let second = try server.accept()
        #expect(try second.receive(until: "\r\n\r\n").hasPrefix("GET /a "))
        try second.send(ok)
        #expect(try client.receive(until: "ok") == ok)
    }

    @Test func pooledConnection_endedByTheServer_otherRequestsAreNot() throws {
        let server = try Server()
        let client = try client(of: server)
        let first = try exchangeAnew(client, server)
        for _ in 0..<2 { try exchange(client, first) }
        try client.send("POST /order HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        try first.receive(until: "\r\n\r\n")
        first.close()
        #expect(try client.receiveAll().hasPrefix("HTTP/1.1 502 "))
        #expect(try !server.hasVisitor(within: .milliseconds(20)))
    }

    @Test func pooledConnection_endedWhileIdle_isNotUsed() throws {
        let server = try Server()
        let client = try client(of: server)
        let first = try exchangeAnew(client, server)
        first.close()
        mesh.settle()
        try client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        #expect(try server.accept().receive(until: "\r\n\r\n").hasPrefix("POST / "))
    }

    @Test func wordsBehindAResponse_areNotTheNextOnes() throws {
        let server = try Server()
        let client = try client(of: server)
        let first = try server.asked(by: client, get)
        try first.send(ok + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        #expect(try client.receive(until: "ok") == ok)
        #expect(try first.expectEnd())
        _ = try exchangeAnew(client, server)
    }

    // MARK: Clients that go

    @Test func client_thatResets_cancelsTheServersWork() throws {
        let server = try Server()
        let client = try client(of: server)
        let upstream = try server.asked(by: client, get)
        client.reset()
        #expect(try upstream.expectReset())
    }

    @Test func client_thatCloses_cancelsTheServersWork() throws {
        let server = try Server()
        let client = try client(of: server)
        let upstream = try server.asked(by: client, get)
        client.close()
        #expect(try upstream.expectReset())
    }

    @Test func client_thatEndsItsSide_isAnsweredIfItIsSoon() throws {
        let server = try Server()
        let client = try client(of: server)
        try client.send(get)
        client.end()
        let upstream = try server.accept()
        try upstream.answer(ok)
        #expect(try client.receiveAll() == ok)
    }

    @Test func earlyResponse_toAnUnreadUpload_isDeliveredAndTheConnectionEnds() throws {
        let server = try Server()
        let client = try client(of: server)
        try client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nbegin")
        let upstream = try server.accept()
        try upstream.receive(until: "begin")
        try upstream.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig")
        let answer = try client.receiveAll()
        #expect(answer.hasPrefix("HTTP/1.1 413 ") && answer.hasSuffix("\r\nConnection: close\r\n\r\nbig"))
    }
}
