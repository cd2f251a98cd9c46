import EventLoop
import Platform
import TestSupport
import Testing

@testable import Proxy

@Suite struct RemoteTests {
    private let get = "GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:20003\r\nAccept: text/plain\r\n\r\n"

    private func mesh(_ port: Int, _ scheme: RemoteTarget.Scheme = .http, path: String = "") throws -> Mesh {
        let mesh = try Mesh(["members"])
        mesh.set(
            "members",
            .remote(
                RemoteTarget(scheme: scheme, host: "127.0.0.1", port: port, path: path, hostHeader: "members.example")))
        return mesh
    }

    @Test func request_isRewrittenAndItsResponseComesBack() throws {
        let server = try Server()
        let mesh = try mesh(server.port, path: "/base/")
        let client = try mesh.call("members")
        try client.send(get)
        let upstream = try server.accept()
        #expect(
            try upstream.receive(until: "\r\n\r\n")
                == "GET /base/a?b=c HTTP/1.1\r\nHost: members.example\r\nAccept: text/plain\r\n"
                + "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: 127.0.0.1:20003\r\nX-Forwarded-Proto: http\r\n"
                + "Via: 1.1 devmesh\r\n\r\n")
        try upstream.send("HTTP/1.1 200 Fine\r\nX-A: 1\r\nKeep-Alive: timeout=5\r\nContent-Length: 5\r\n\r\nhello")
        #expect(
            try client.receive(until: "hello") == "HTTP/1.1 200 Fine\r\nX-A: 1\r\nContent-Length: 5\r\n\r\nhello")
        #expect(mesh.delegate.remotes == ["members works"])
    }

    @Test func requestBody_streams_andWhatIsBehindItIsARequestOfItsOwn() throws {
        let server = try Server()
        let mesh = try mesh(server.port)
        let client = try mesh.call("members")
        try client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel")
        let upstream = try server.accept()
        try upstream.receive(until: "\r\n\r\n")
        #expect(try upstream.receive(count: 3) == "hel")
        try client.send("loGET /next HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try upstream.receive(count: 2) == "lo")
        #expect(try upstream.isQuiet())
        try upstream.send("HTTP/1.1 204 No Content\r\n\r\n")
        #expect(try client.receive(until: "\r\n\r\n") == "HTTP/1.1 204 No Content\r\n\r\n")
        #expect(try upstream.receive(until: "\r\n\r\n").hasPrefix("GET /next HTTP/1.1\r\n"))
    }

    @Test func chunkedBodies_passWithTrailersBothWays() throws {
        let server = try Server()
        let mesh = try mesh(server.port)
        let client = try mesh.call("members")
        let body = "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"
        try client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
        let upstream = try server.accept()
        #expect(try upstream.receive(until: "\r\n\r\n").contains("\r\nTransfer-Encoding: chunked\r\n"))
        #expect(try upstream.receive(until: "X-Sum: 1\r\n\r\n") == body)
        try upstream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
        #expect(
            try client.receive(until: "X-Sum: 1\r\n\r\n")
                == "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
    }

    @Test func chunkedResponse_toHTTP10_isPlain() throws {
        let server = try Server()
        let mesh = try mesh(server.port)
        let client = try mesh.call("members")
        try client.send("GET / HTTP/1.0\r\n\r\n")
        let upstream = try server.accept()
        try upstream.receive(until: "\r\n\r\n")
        try upstream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        #expect(try client.receiveAll() == "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcde")
    }

    @Test func interimResponses_andExpectContinue_pass() throws {
        let server = try Server()
        let mesh = try mesh(server.port)
        let client = try mesh.call("members")
        try client.send("PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        let upstream = try server.accept()
        #expect(try upstream.receive(until: "\r\n\r\n").contains("\r\nExpect: 100-continue\r\n"))
        try upstream.send("HTTP/1.1 100 Continue\r\n\r\n")
        #expect(try client.receive(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
        try client.send("ok")
        #expect(try upstream.receive(count: 2) == "ok")
        try upstream.send("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        #expect(try client.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 201 Created\r\n"))
    }

    @Test func interimResponsesWithoutEnd_forASlowReader_areHeldBack() throws {
        let server = try Server()
        let mesh = try mesh(server.port)
        let client = try mesh.call("members")
        let upstream = try server.asked(by: client, get)
        // Nobody reads: what can be sent is what the kernel holds and one buffer of the exchange.
        let block = Array(String(repeating: "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n", count: 20_000).utf8)
        let stuffed = try upstream.stuff(block, into: mesh)
        #expect(stuffed < 32 << 20)
    }

    @Test func upgrade_becomesARawConnection() throws {
        let server = try Server()
        let mesh = try mesh(server.port)
        let client = try mesh.call("members")
        try client.send("GET /ws HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n")
        let upstream = try server.accept()
        let head = try upstream.receive(until: "\r\n\r\n")
        #expect(head.contains("\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"))
        try upstream.send(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst")
        #expect(try client.receive(until: "\r\n\r\n").contains("\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"))
        #expect(try client.receive(count: 5) == "first")
        try client.send("frame")
        #expect(try upstream.receive(count: 5) == "frame")
        client.end()
        #expect(try upstream.expectEnd())
        try upstream.send("last")
        upstream.close()
        #expect(try client.receiveAll() == "last")
    }

    @Test func bodyUntilClose_isPassedToItsEnd() throws {
        let server = try Server()
        let mesh = try mesh(server.port)
        let client = try mesh.call("members")
        let upstream = try server.asked(by: client, get)
        try upstream.send("HTTP/1.0 200 OK\r\n\r\nuntil the end")
        upstream.close()
        #expect(try client.receiveAll().hasSuffix("\r\n\r\nuntil the end"))
    }

    @Test func bodyCutShort_isNotPassedForWhole() throws {
        let server = try Server()
        let mesh = try mesh(server.port)
        let client = try mesh.call("members")
        let upstream = try server.asked(by: client, get)
        try upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        _ = try client.receive(until: "half")
        upstream.close()
        #expect(try client.expectReset())
    }

    @Test func largeBodies_inBoundedMemory() throws {
        let server = try Server()
        let mesh = try mesh(server.port)
        let client = try mesh.call("members")
        let upstream = try server.asked(by: client, get)
        let block = [UInt8](repeating: 7, count: 1 << 20)
        try upstream.send("HTTP/1.1 200 OK\r\nContent-Length: \(1 << 30)\r\n\r\n")
        let stuffed = try upstream.stuff(block, into: mesh)
        #expect(stuffed < 32 << 20)
        client.reset()
        #expect(try upstream.expectReset())
    }

    @Test func lastBytes_forASlowReader_areNotCut() throws {
        let server = try Server()
        let mesh = try mesh(server.port)
        let client = try mesh.call("members")
        let upstream = try server.asked(by: client, get)
        try upstream.send("HTTP/1.0 200 OK\r\n\r\n")
        try client.receive(until: "\r\n\r\n")
        let block = [UInt8](repeating: 7, count: 1 << 20)
        let stuffed = try upstream.stuff(block, into: mesh)
        upstream.close()
        let (count, areAll) = try client.countAll(of: 7)
        #expect(count == stuffed)
        #expect(areAll)
    }

    @Test func headers_takeThePlaceOfTheClients() throws {
        let server = try Server()
        let mesh = try Mesh(["members"])
        let headers = [
            RemoteTarget.Header("Authorization", "Bearer ours"), .init("x-forwarded-proto", "https"),
        ]
        mesh.set(
            "members", .remote(RemoteTarget(scheme: .http, host: "127.0.0.1", port: server.port, headers: headers)))
        let client = try mesh.call("members")
        for _ in 0..<2 {
            try client.send(
                "GET / HTTP/1.1\r\nHost: localhost\r\nauthorization: Bearer theirs\r\nX-B: 1\r\nAUTHORIZATION: x\r\n"
                    + "Connection: authorization\r\n\r\n")
        }
        let upstream = try server.accept()
        for _ in 0..<2 {
            #expect(
                try upstream.receive(until: "\r\n\r\n")
                    == "GET / HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\nX-B: 1\r\nX-Forwarded-For: 127.0.0.1\r\n"
                    + "X-Forwarded-Host: localhost\r\nVia: 1.1 devmesh\r\nAuthorization: Bearer ours\r\n"
                    + "x-forwarded-proto: https\r\n\r\n")
            try upstream.send("HTTP/1.1 204 No Content\r\n\r\n")
            try client.receive(until: "\r\n\r\n")
        }
    }

    /// To a plain remote HTTP/2 goes with prior knowledge, as it came.
    @Test func http2_toAPlainRemote_passesAsItComes() throws {
        let server = try Server()
        let mesh = try mesh(server.port)
        let client = try mesh.call("members")
        try client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nframes")
        let upstream = try server.accept()
        #expect(try upstream.receive(until: "frames") == "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nframes")
        try upstream.send("and back")
        #expect(try client.receive(count: 8) == "and back")
        #expect(mesh.delegate.remotes == ["members works"])
    }

    @Test func http2_whereEachRequestWouldHaveToBeRewritten_isToldWhyNot() throws {
        let server = try Server()
        let withPath = try mesh(server.port, path: "/base")
        let client = try withPath.call("members")
        try client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        #expect(try client.receiveAll().contains("a path to be added to each request"))
        #expect(try !server.hasVisitor(within: .milliseconds(20)))
    }

    // MARK: Refusals and failures

    @Test(arguments: [
        ("CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n", "HTTP/1.1 405 "),
        ("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n", "HTTP/1.1 400 "),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 400 "),
    ])
    func badRequest_neverReachesTheRemote(_ request: String, _ status: String) throws {
        let server = try Server()
        let mesh = try mesh(server.port)
        let client = try mesh.call("members")
        try client.send(request)
        #expect(try client.receiveAll().hasPrefix(status))
        #expect(try !server.hasVisitor(within: .milliseconds(20)))
    }

    @Test func absoluteTarget_losesItsAuthority() throws {
        let server = try Server()
        let mesh = try mesh(server.port)
        let client = try mesh.call("members")
        try client.send("GET http://evil.example/a HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        let upstream = try server.accept()
        #expect(try upstream.receive(until: "\r\n\r\n").hasPrefix("GET /a HTTP/1.1\r\nHost: members.example\r\n"))
    }

    @Test func remote_thatRefuses_is502AndTold() throws {
        let server = try Server()
        let port = server.port
        server.close()
        let mesh = try mesh(port)
        let client = try mesh.call("members")
        try client.send(get)
        let sentence = "127.0.0.1:\(port) refused the connection: nothing listens there; check the address."
        let answer = try client.receiveAll()
        #expect(answer.hasPrefix("HTTP/1.1 502 Bad Gateway\r\n"))
        #expect(answer.contains(sentence))
        #expect(mesh.delegate.remotes == ["members failed: \(sentence)"])
    }

    @Test func remote_thatRecovers_isTold() throws {
        let server = try Server()
        let mesh = try mesh(server.port)
        for works in [true, true, false, true] {
            let client = try mesh.call("members")
            let upstream = try server.asked(by: client, get)
            if works { try upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") }
            upstream.close()
            #expect(try client.receive(until: "\r\n\r\n").hasPrefix(works ? "HTTP/1.1 200 " : "HTTP/1.1 502 "))
        }
        #expect(
            mesh.delegate.remotes == [
                "members works", "members failed: 127.0.0.1 closed the connection without an answer.", "members works",
            ])
    }

    @Test func remote_thatSpeaksNoHTTP_is502() throws {
        let server = try Server()
        let mesh = try mesh(server.port)
        let client = try mesh.call("members")
        try client.send(get)
        let upstream = try server.accept()
        try upstream.send("220 smtp.example ESMTP\r\n")
        #expect(try client.receiveAll().contains("127.0.0.1 sent what is no HTTP/1.1 response"))
    }

    @Test func remote_withAnUnknownName_is502NamingIt() throws {
        let mesh = try Mesh(["members"])
        mesh.set("members", .remote(RemoteTarget(scheme: .http, host: "nobody.invalid", port: 80)))
        let client = try mesh.call("members")
        try client.send(get)
        #expect(try client.receiveAll().contains("nobody.invalid can't be found"))
    }

    @Test func name_isResolvedAndAllItsAddressesTried() throws {
        // localhost may be ::1 first, where nobody listens.
        let server = try Server()
        let mesh = try Mesh(["members"])
        mesh.set("members", .remote(RemoteTarget(scheme: .http, host: "localhost", port: server.port)))
        let client = try mesh.call("members")
        try client.send(get)
        let upstream = try server.accept()
        #expect(try upstream.receive(until: "\r\n\r\n").contains("\r\nHost: localhost:\(server.port)\r\n"))
    }

    @Test func flip_toLocal_takesTheNextConnection() throws {
        let remote = try Server()
        let local = try Server()
        let mesh = try mesh(remote.port)
        let first = try mesh.call("members")
        let atRemote = try remote.asked(by: first, get)
        mesh.pass("members", local)
        let second = try mesh.call("members")
        try second.send(get)
        #expect(try local.accept().receive(until: "\r\n\r\n").hasPrefix("GET "))
        // What was under way ends where it began.
        try atRemote.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        #expect(try first.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 200 OK"))
    }

    // MARK: TCP

    @Test func tcp_passesBytes() throws {
        let server = try Server()
        let mesh = try mesh(server.port, .tcp)
        let client = try mesh.call("members")
        let upstream = try server.accept()
        try upstream.send("+OK\r\n")
        #expect(try client.receive(until: "\n") == "+OK\r\n")
        try client.send("QUIT\r\n")
        client.end()
        #expect(try upstream.receiveAll() == "QUIT\r\n")
    }

    @Test func tcp_thatRefuses_isResetAndTold() throws {
        let server = try Server()
        let port = server.port
        server.close()
        let mesh = try mesh(port, .tcp)
        let client = try mesh.call("members")
        #expect(try client.expectReset())
        #expect(mesh.delegate.remotes.first?.hasPrefix("members failed: 127.0.0.1:\(port) refused") == true)
    }
}
