import Platform
import TestSupport
import Testing

@testable import Proxy

/// Copies of requests: what becomes of them is nobody's business but their target's.
@Suite struct MirrorTests {
    private let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
    private let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    /// Requests go to `local`, copies of them to `next`.
    private func mesh(_ local: Server, _ next: FrontState) throws -> Mesh {
        let mesh = try Mesh(["members"])
        mesh.pass("members", local)
        mesh.on { proxy in
            proxy.set("members", target: "next", next)
            proxy.setRoute("members", Route(.init("local"), mirror: "next"))
        }
        return mesh
    }

    private func pass(_ server: Server) -> FrontState {
        .pass([Backend(instance: "members@next.1", port: server.port)], whenRefused: "it refuses connections.")
    }

    private func copies(_ mesh: Mesh) -> Int { mesh.on { $0.destination("members").target("next").mirrors } }

    /// Waits until there are so many copies under way.
    private func waits(_ mesh: Mesh, for count: Int) -> Bool {
        let deadline = Instant.now + patience(.seconds(10))
        while copies(mesh) != count {
            guard Instant.now < deadline else { return false }
            mesh.settle()
        }
        return true
    }

    @Test func copy_forWhoReadsNothing_isGivenUp_whileTheOriginalIsWhole() throws {
        let (local, next) = (try Server(), try Server())
        let mesh = try mesh(local, pass(next))
        let client = try mesh.call("members")
        let size = 24 << 20
        try client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: \(size)\r\n\r\n")
        let upstream = try local.accept()
        let copy = try next.accept()
        try upstream.receive(until: "\r\n\r\n")
        #expect(try client.send(size, to: upstream))
        try upstream.send(ok)
        #expect(try client.receive(until: "ok") == ok)
        #expect(waits(mesh, for: 0))
        // What the kernel held is there, and no more.
        let head = try copy.receive(until: "\r\n\r\n")
        #expect(head.contains("Connection: close\r\n"))
        #expect((try? copy.countAll(of: 0x61))?.count ?? 0 < size)
    }

    @Test func copy_takesChunksAndAnswersAsItLikes() throws {
        let (local, next) = (try Server(), try Server())
        let mesh = try mesh(local, pass(next))
        let client = try mesh.call("members")
        try client.send("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        let upstream = try local.accept()
        try upstream.receive(until: "0\r\n\r\n")
        let copy = try next.accept()
        #expect(try copy.receive(until: "0\r\n\r\n").hasSuffix("\r\n\r\n3\r\nabc\r\n0\r\n\r\n"))
        try copy.send("220 what is no HTTP\r\n\r\n" + String(repeating: "x", count: 200_000))
        copy.end()
        #expect(waits(mesh, for: 0))
        try upstream.send(ok)
        #expect(try client.receive(until: "ok") == ok)
    }

    @Test func copies_beyondTheLimit_areLeftOut_untilOthersAreOver() throws {
        let (local, next) = (try Server(), try Server())
        let mesh = try mesh(local, pass(next))
        let client = try mesh.call("members")
        var upstream: Peer?
        func exchange() throws {
            try client.send(get)
            let server = try upstream ?? local.accept()
            upstream = server
            try server.answer(ok)
            #expect(try client.receive(until: "ok") == ok)
        }
        for _ in 0..<70 { try exchange() }
        #expect(copies(mesh) == 64)
        let visitors = try (0..<64).map { _ in try next.accept() }
        #expect(try !next.hasVisitor(within: .milliseconds(20)))
        visitors[7].reset()
        visitors[9].end()
        #expect(waits(mesh, for: 62))
        try exchange()
        try next.accept().receive(until: "\r\n\r\n")
    }

    @Test func copy_ofARequestThatIsCutShort_ends() throws {
        let (local, next) = (try Server(), try Server())
        let mesh = try mesh(local, pass(next))
        let client = try mesh.call("members")
        try client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nbo")
        let upstream = try local.accept()
        try upstream.receive(until: "bo")
        let copy = try next.accept()
        try copy.receive(until: "bo")
        client.reset()
        #expect(try upstream.expectReset())
        #expect(try copy.expectEnd())
        #expect(waits(mesh, for: 0))
    }

    @Test func copy_goesOnWithoutItsClient_onceItIsWhole() throws {
        let (local, next) = (try Server(), try Server())
        let mesh = try mesh(local, pass(next))
        let client = try mesh.call("members")
        let upstream = try local.asked(by: client, get)
        let copy = try next.accept()
        client.reset()
        #expect(try upstream.expectReset())
        #expect(try copy.receive(until: "\r\n\r\n").hasPrefix("GET /a "))
        #expect(try copy.isQuiet(for: .milliseconds(20)))
        try copy.send(ok)
        copy.end()
        #expect(waits(mesh, for: 0))
    }

    @Test func copies_forWhoIsNotThere_areNone() throws {
        let (local, next) = (try Server(), try Server())
        let mesh = try mesh(local, pass(next))
        next.close()
        let client = try mesh.call("members")
        try client.send(get)
        let upstream = try local.accept()
        try upstream.answer(ok)
        #expect(try client.receive(until: "ok") == ok)
        #expect(waits(mesh, for: 0))
        for state in [FrontState.answer(reason: "stopped"), .hold(bound: .seconds(20), reason: "starting")] {
            mesh.on { $0.set("members", target: "next", state) }
            try client.send(get)
            try upstream.answer(ok)
            #expect(try client.receive(until: "ok") == ok)
            #expect(copies(mesh) == 0)
        }
    }

    @Test func copy_toARemoteThatAddsCredentials_isGuarded() throws {
        let (local, next) = (try Server(), try Server())
        let key = [RemoteTarget.Header("Authorization", "Bearer ours")]
        let mesh = try mesh(
            local, .remote(RemoteTarget(scheme: .http, host: "127.0.0.1", port: next.port, headers: key)))
        let client = try mesh.call("members")
        try client.send("GET /a HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n\r\n")
        let upstream = try local.accept()
        try upstream.answer(ok)
        #expect(try client.receive(until: "ok") == ok)
        #expect(try copies(mesh) == 0 && !next.hasVisitor(within: .milliseconds(20)))
        try client.send("GET /b HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(try !upstream.receive(until: "\r\n\r\n").contains("Bearer"))
        let copy = try next.accept()
        #expect(try copy.receive(until: "\r\n\r\n").contains("\r\nAuthorization: Bearer ours\r\n"))
    }

    @Test func copy_ofARequestThatIsTriedAgain_isOne() throws {
        let (local, next) = (try Server(), try Server())
        let mesh = try mesh(local, pass(next))
        mesh.on { $0.setResilience("members", Resilience(retries: .init(attempts: 1, statuses: [503]))) }
        let client = try mesh.call("members")
        try client.send(get)
        try local.accept().answer("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
        try local.accept().answer(ok)
        #expect(try client.receive(until: "ok") == ok)
        try next.accept().receive(until: "\r\n\r\n")
        #expect(try !next.hasVisitor(within: .milliseconds(20)))
    }
}
