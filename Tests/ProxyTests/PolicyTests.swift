import Platform
import Testing

@testable import Proxy

/// Routes, faults, limits and retries, as clients and servers see them.
@Suite struct PolicyTests {
    private let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
    private let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    private func backend(_ name: String, _ server: Server) -> FrontState {
        .pass([Backend(instance: name, port: server.port)], whenRefused: "it refuses connections.")
    }

    /// Takes the next connection, reads a request and answers it.
    @discardableResult
    private func serve(_ server: Server, _ response: String? = nil) throws -> Peer {
        let upstream = try server.accept()
        try upstream.receive(until: "\r\n\r\n")
        try upstream.send(response ?? ok)
        return upstream
    }

    // MARK: Routes

    @Test func headerMatch_goesToItsTarget_otherRequestsOfTheConnectionDoNot() throws {
        let mesh = try Mesh(["members"])
        let (local, next) = (try Server(), try Server())
        let states = (backend("members.1", local), backend("members@next.1", next))
        mesh.on { proxy in
            proxy.set("members", states.0)
            proxy.set("members", target: "next", states.1)
            proxy.setRoute(
                "members", Route(.init("local"), matches: [.init(header: "x-user", "me", target: "next")]))
        }
        let client = try mesh.call("members")
        try client.send(get)
        try serve(local)
        #expect(try client.receive(until: "ok") == ok)
        try client.send("GET /b HTTP/1.1\r\nHost: x\r\nX-User: me\r\n\r\n")
        try serve(next)
        #expect(try client.receive(until: "ok") == ok)
    }

    @Test func caller_hasATargetOfItsOwn_forRawConnectionsToo() throws {
        let mesh = try Mesh(["members"], edges: ["reader>members"])
        let (local, next) = (try Server(), try Server())
        let states = (backend("members.1", local), backend("members@next.1", next))
        mesh.on { proxy in
            proxy.set("members", states.0)
            proxy.set("members", target: "next", states.1)
            proxy.setRoute("members", Route(.init("local"), callers: [.init("reader", .init("next"))]))
        }
        let reader = try mesh.call("members", from: "reader")
        try reader.send("*1\r\n")
        #expect(try next.accept().receive(count: 4) == "*1\r\n")
        let other = try mesh.call("members")
        try other.send("*2\r\n")
        #expect(try local.accept().receive(count: 4) == "*2\r\n")
    }

    @Test func requestHeld_followsTheRoute() throws {
        let mesh = try Mesh(["members"])
        let next = try Server()
        let state = backend("members@next.1", next)
        mesh.hold("members")
        let client = try mesh.call("members")
        try client.send(get)
        mesh.on { proxy in
            proxy.set("members", target: "next", state)
            proxy.setRoute("members", Route(to: "next"))
        }
        try serve(next)
        #expect(try client.receive(until: "ok") == ok)
    }

    @Test func mirror_getsACopy_whichNeverDelaysOrFailsTheOriginal() throws {
        let mesh = try Mesh(["members"])
        let (local, next) = (try Server(), try Server())
        let states = (backend("members.1", local), backend("members@next.1", next))
        mesh.on { proxy in
            proxy.set("members", states.0)
            proxy.set("members", target: "next", states.1)
            proxy.setRoute("members", Route(.init("local"), mirror: "next"))
        }
        let client = try mesh.call("members")
        try client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbo")
        let upstream = try local.accept()
        try upstream.receive(until: "bo")
        let copy = try next.accept()
        #expect(try copy.receive(until: "bo").hasPrefix("POST /a HTTP/1.1\r\n"))
        try client.send("dy")
        #expect(try copy.receive(count: 2) == "dy")
        #expect(try upstream.receive(count: 2) == "dy")
        try upstream.send(ok)
        #expect(try client.receive(until: "ok") == ok)
        copy.reset()
        try client.send(get)
        try upstream.answer(ok)
        #expect(try client.receive(until: "ok") == ok)
    }

    // MARK: Faults

    @Test func fault_aborts_disconnects_delays_andIsLifted() throws {
        let mesh = try Mesh(["members"], edges: ["reader>members"])
        let server = try Server()
        mesh.pass("members", server)
        mesh.on { $0.setFaults("members", [Fault(caller: "reader", ending: .abort(status: 503))]) }
        let reader = try mesh.call("members", from: "reader")
        try reader.send(get)
        let answer = try reader.receiveAll()
        #expect(answer.hasPrefix("HTTP/1.1 503 ") && answer.contains("devmesh fault"))

        mesh.on { $0.setFaults("members", [Fault(ending: .disconnect)]) }
        let other = try mesh.call("members")
        try other.send(get)
        #expect(try other.expectReset())
        let raw = try mesh.call("members")
        try raw.send("*1\r\n")
        #expect(try raw.expectReset())

        mesh.on { $0.setFaults("members", [Fault(delay: .milliseconds(80))]) }
        let client = try mesh.call("members")
        let began = Instant.now
        try client.send(get)
        let upstream = try serve(server)
        #expect(Instant.now - began >= .milliseconds(80))
        #expect(try client.receive(until: "ok") == ok)

        mesh.on { $0.setFaults("members", []) }
        try client.send(get)
        try upstream.answer(ok)
        #expect(try client.receive(until: "ok") == ok)
    }

    @Test(arguments: [true, false])
    func fault_slowsDownWhatPasses(isHTTP: Bool) throws {
        let mesh = try Mesh(["members"])
        let server = try Server()
        mesh.pass("members", server)
        mesh.on { $0.setFaults("members", [Fault(rate: 100_000)]) }
        let client = try mesh.call("members")
        try client.send(isHTTP ? get : "*1\r\n")
        let upstream = try server.accept()
        try upstream.receive(until: "\r\n")
        let began = Instant.now
        let head = isHTTP ? "HTTP/1.1 200 OK\r\nContent-Length: 30000\r\n\r\n" : ""
        try upstream.send(head + String(repeating: "x", count: 30_000))
        #expect(try client.receive(count: head.utf8.count + 30_000).hasSuffix("x"))
        #expect(Instant.now - began >= .milliseconds(200))
    }

    @Test func fault_slowerThanAHead_letsItThrough() throws {
        let mesh = try Mesh(["members"])
        let server = try Server()
        mesh.pass("members", server)
        mesh.on { $0.setFaults("members", [Fault(rate: 1000)]) }
        let client = try mesh.call("members")
        try client.send(get)
        let long = String(repeating: "x", count: 150)
        let upstream = try serve(server, "HTTP/1.1 200 OK\r\nX: \(long)\r\nContent-Length: 2\r\n\r\nok")
        #expect(try client.receive(until: "ok").hasSuffix("\r\n\r\nok"))
        upstream.close()
    }

    // MARK: Timeouts, retries, limits

    @Test func response_thatTakesTooLong_is504() throws {
        let mesh = try Mesh(["members"])
        let server = try Server()
        mesh.pass("members", server)
        mesh.on { $0.setResilience("members", Resilience(timeouts: .init(response: .milliseconds(50)))) }
        let client = try mesh.call("members")
        try client.send(get)
        let upstream = try server.accept()
        let answer = try client.receiveAll()
        #expect(answer.hasPrefix("HTTP/1.1 504 ") && answer.contains("did not begin to answer within 50 ms"))
        try upstream.receive(until: "\r\n\r\n")
        #expect(try upstream.expectReset())
    }

    @Test(arguments: [true, false])
    func silence_longerThanItMayBe_endsTheConnection(isHTTP: Bool) throws {
        let mesh = try Mesh(["members"])
        let server = try Server()
        mesh.pass("members", server)
        mesh.on { $0.setResilience("members", Resilience(timeouts: .init(idle: .milliseconds(60)))) }
        let client = try mesh.call("members")
        try client.send(isHTTP ? get : "*1\r\n")
        let upstream = try server.accept()
        #expect(try client.expectReset())
        try upstream.receive(until: "\r\n")
    }

    @Test func body_ofWhichNothingComesForTooLong_isTimedOut() throws {
        let mesh = try Mesh(["members"])
        let server = try Server()
        mesh.pass("members", server)
        mesh.on { $0.setResilience("members", Resilience(timeouts: .init(idle: .milliseconds(60)))) }
        let client = try mesh.call("members")
        try client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhello")
        let upstream = try server.accept()
        try upstream.receive(until: "hello")
        let answer = try client.receiveAll()
        #expect(answer.hasPrefix("HTTP/1.1 408 ") && answer.contains("body came within 60 ms"))
        #expect(try upstream.expectReset())
    }

    // MARK: Bodies that don't come

    private let upload = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"

    private func mesh(body limit: Duration, _ server: Server) throws -> Mesh {
        let mesh = try Mesh(["members"])
        mesh.pass("members", server)
        mesh.on { $0.setResilience("members", Resilience(timeouts: .init(body: limit))) }
        return mesh
    }

    @Test func body_isGivenAMinuteUnlessSaidOtherwise() {
        #expect(Resilience().timeouts.body == .seconds(60))
    }

    @Test(arguments: ["", "hello"])
    func body_thatPausesForTooLong_is408_andItsServerIsLeft(_ beginning: String) throws {
        let server = try Server()
        let mesh = try mesh(body: .milliseconds(60), server)
        let client = try mesh.call("members")
        // One that is whole is what it was, and the limit holds for the next one on the connection, too.
        try client.send(upload + "its ")
        let upstream = try server.accept()
        try upstream.receive(until: "its ")
        try client.send("whole")
        try upstream.receive(until: "whole")
        try upstream.send(ok)
        #expect(try client.receive(until: "ok") == ok)
        try client.send(upload + beginning)
        // A connection that was idle for a moment only is not trusted with it.
        let second = try server.hasVisitor(within: .milliseconds(30)) ? server.accept() : upstream
        try second.receive(until: "\r\n\r\n" + beginning)
        let answer = try client.receiveAll()
        #expect(
            answer.hasPrefix("HTTP/1.1 408 ") && answer.contains("within 60 ms, which is members's `timeouts.body`"))
        #expect(try second.expectReset())
    }

    @Test func body_thatComesSlowlyButComes_isPassedOn() throws {
        let server = try Server()
        let mesh = try mesh(body: .seconds(1), server)
        let client = try mesh.call("members")
        let upstream = try server.asked(by: client, upload)
        for letter in "slowbody!" {
            try client.send(String(letter))
            #expect(try upstream.receive(count: 1) == String(letter))
            #expect(try client.isQuiet(for: .milliseconds(150)))
        }
        try upstream.send(ok)
        #expect(try client.receive(until: "ok") == ok)
    }

    @Test func body_thatItsServerDoesNotTake_isNoFaultOfTheClients() throws {
        let server = try Server()
        let mesh = try mesh(body: .milliseconds(60), server)
        let client = try mesh.call("members")
        let size = 128 << 20
        try client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: \(size)\r\n\r\n")
        let upstream = try server.accept()
        try upstream.receive(until: "\r\n\r\n")
        let stuffed = try client.stuff([UInt8](repeating: UInt8(ascii: "a"), count: 1 << 20), into: mesh)
        #expect(stuffed < size)
        #expect(try !server.hasVisitor(within: .milliseconds(300)))
        #expect(try client.send(size, sent: stuffed, to: upstream))
        try upstream.send(ok)
        #expect(try client.receive(until: "ok") == ok)
    }

    @Test(arguments: ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", ""])
    func silence_onceTheServerSpeaksOrWork_isTheirs(_ beginning: String) throws {
        let server = try Server()
        let mesh = try mesh(body: .milliseconds(60), server)
        let client = try mesh.call("members")
        try client.send(beginning.isEmpty ? upload + "all of it" : upload + "part")
        let upstream = try server.accept()
        try upstream.receive(until: beginning.isEmpty ? "all of it" : "part")
        if !beginning.isEmpty {
            try upstream.send(beginning)
            try client.receive(until: "ok\r\n")
        }
        #expect(try client.isQuiet(for: .milliseconds(200)))
        if beginning.isEmpty {
            try upstream.send(ok)
        } else {
            try client.send("later")
            #expect(try upstream.receive(count: 5) == "later")
            try upstream.send("0\r\n\r\n")
        }
        try client.receive(until: beginning.isEmpty ? "ok" : "0\r\n\r\n")
    }

    @Test func silence_behindAnUpgrade_isTheirs() throws {
        let server = try Server()
        let mesh = try mesh(body: .milliseconds(60), server)
        let client = try mesh.call("members")
        try client.send("GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
        let upstream = try serve(
            server, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
        try client.receive(until: "\r\n\r\n")
        #expect(try client.isQuiet(for: .milliseconds(200)))
        try client.send("frame")
        #expect(try upstream.receive(count: 5) == "frame")
    }

    // MARK: Retries, limits

    @Test func status_thatIsToBeTriedAgain_goesToAnotherInstance() throws {
        let mesh = try Mesh(["members"])
        let (one, two) = (try Server(), try Server())
        mesh.pass("members", one, two)
        mesh.on { $0.setResilience("members", Resilience(retries: .init(attempts: 1, statuses: [503]))) }
        let client = try mesh.call("members")
        try client.send(get)
        let (first, second) = try one.hasVisitor() ? (one, two) : (two, one)
        try serve(first, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
        try serve(second)
        #expect(try client.receive(until: "ok") == ok)
        // What can't be sent twice is not.
        try client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx")
        let third = try one.hasVisitor() ? one : two
        try serve(third, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
        #expect(try client.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 503 No"))
    }

    @Test func breaker_opensAfterFailures() throws {
        let mesh = try Mesh(["members"])
        let server = try Server()
        mesh.pass("members", server)
        mesh.on { $0.setResilience("members", Resilience(breaker: .init(failures: 2, open: .seconds(60)))) }
        for _ in 0..<2 {
            let client = try mesh.call("members")
            try client.send(get)
            try serve(server, "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            try client.receive(until: "\r\n\r\n")
        }
        let client = try mesh.call("members")
        try client.send(get)
        #expect(try client.receiveAll().contains("its circuit breaker lets nothing through"))
    }

    @Test func instance_thatFails_isLeftOut() throws {
        let mesh = try Mesh(["members"])
        let (bad, good) = (try Server(), try Server())
        mesh.pass("members", bad, good)
        mesh.on { $0.setResilience("members", Resilience(ejection: .init(failures: 1, time: .seconds(60)))) }
        var failures = 0
        for _ in 0..<6 {
            let client = try mesh.call("members")
            try client.send("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            let isBad = try bad.hasVisitor(within: .milliseconds(30))
            failures += isBad ? 1 : 0
            let status = isBad ? "500 No" : "200 OK"
            try serve(isBad ? bad : good, "HTTP/1.1 \(status)\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            _ = try client.receiveAll()
        }
        #expect(failures == 1)
    }

    @Test func connections_beyondTheLimit_areTold() throws {
        let mesh = try Mesh(["members"])
        let server = try Server()
        mesh.pass("members", server)
        mesh.on { $0.setResilience("members", Resilience(connections: 1)) }
        let first = try mesh.call("members")
        try first.send(get)
        let upstream = try serve(server)
        try first.receive(until: "ok")
        let second = try mesh.call("members")
        try second.send(get)
        #expect(try second.receiveAll().contains("members has 1 connections, as many as its `limits` allow."))
        try first.send(get)
        try upstream.answer(ok)
        #expect(try first.receive(until: "ok") == ok)
    }
}
