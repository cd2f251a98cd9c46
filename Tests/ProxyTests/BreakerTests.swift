import Platform
import TestSupport
import Testing

@testable import Proxy

/// A half-open breaker lets one request through at a time: each way that one can end gives its pass back.
@Suite struct BreakerTests {
    private let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
    private let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    private func state(_ mesh: Mesh, of target: String = Proxy.soleTarget) -> CircuitBreaker.State? {
        mesh.on { $0.destination("members").target(target).breaker?.state }
    }

    /// A mesh in which one failure has opened the breaker of members, which is to let a trial through now.
    private func tripped(_ server: Server) throws -> Mesh {
        let mesh = try Mesh(["members"])
        mesh.pass("members", server)
        mesh.on { $0.setResilience("members", Resilience(breaker: .init(failures: 1, open: .milliseconds(1)))) }
        let client = try mesh.call("members")
        try client.send(get)
        try server.accept().answer("HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        try client.receive(until: "\r\n\r\n")
        while case .open(let end) = state(mesh), Instant.now < end { mesh.settle() }
        return mesh
    }

    private func waitForTrial(_ mesh: Mesh) {
        let deadline = Instant.now + patience(.seconds(10))
        while case .open = state(mesh), Instant.now < deadline { mesh.settle() }
    }

    /// Waits until no trial is under way any more.
    private func isGivenBack(_ mesh: Mesh) -> Bool {
        let deadline = Instant.now + patience(.seconds(10))
        while state(mesh) != .halfOpen(trialUntil: nil) {
            guard Instant.now < deadline else { return false }
            mesh.settle()
        }
        return true
    }

    enum WayOut: CaseIterable {
        case resetWhileServed, resetWhileHeld, resetWhileDelayed, badChunk, abortFault, disconnectFault, holdRunsOut
        case endOfTheService
    }

    @Test(arguments: WayOut.allCases)
    func trial_thatTaughtNothing_givesItsPassBack(_ way: WayOut) throws {
        let server = try Server()
        let mesh = try tripped(server)
        switch way {
        case .resetWhileHeld: mesh.hold("members")
        case .resetWhileDelayed: mesh.on { $0.setFaults("members", [Fault(delay: .seconds(60))]) }
        case .abortFault: mesh.on { $0.setFaults("members", [Fault(ending: .abort(status: 418))]) }
        case .disconnectFault: mesh.on { $0.setFaults("members", [Fault(ending: .disconnect)]) }
        case .holdRunsOut: mesh.hold("members", .milliseconds(20))
        case .resetWhileServed, .badChunk, .endOfTheService: break
        }
        let client = try mesh.call("members")
        try client.send(
            way == .badChunk ? "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" : get)
        switch way {
        case .resetWhileServed:
            let upstream = try server.accept()
            try upstream.receive(until: "\r\n\r\n")
            client.reset()
            #expect(try upstream.expectReset())
        case .resetWhileHeld, .resetWhileDelayed:
            waitForTrial(mesh)
            client.reset()
        case .endOfTheService:
            let upstream = try server.accept()
            try upstream.receive(until: "\r\n\r\n")
            mesh.on { $0.closeConnections("members", instance: "members.1") }
            client.reset()
            #expect(try upstream.expectReset())
        case .badChunk: #expect(try client.receiveAll().hasPrefix("HTTP/1.1 400 "))
        case .abortFault: #expect(try client.receiveAll().hasPrefix("HTTP/1.1 418 "))
        case .disconnectFault: #expect(try client.expectReset())
        case .holdRunsOut: #expect(try client.receiveAll().hasPrefix("HTTP/1.1 503 "))
        }
        #expect(isGivenBack(mesh), "\(String(describing: state(mesh)))")
        mesh.on { $0.setFaults("members", []) }
        let next = try Server()
        mesh.pass("members", next)
        let other = try mesh.call("members")
        try other.send(get)
        try next.accept().answer(ok)
        #expect(try other.receive(until: "ok") == ok)
        #expect(state(mesh) == .closed(failures: 0))
    }

    @Test(.enabled(if: OpenSSL.isPresent)) func trial_whoseClientLeavesOnTheWayToARemote_givesItsPassBack() throws {
        let server = try Server()
        let mesh = try tripped(server)
        let remote = try Server()
        mesh.set("members", .remote(RemoteTarget(scheme: .https, host: "127.0.0.1", port: remote.port)))
        let client = try mesh.call("members")
        try client.send(get)
        // It never answers the handshake.
        let upstream = try remote.accept()
        client.reset()
        #expect(isGivenBack(mesh))
        _ = try? upstream.receiveAll()
    }

    @Test func trial_thatIsLedElsewhere_givesItsPassBack() throws {
        let server = try Server()
        let mesh = try tripped(server)
        mesh.hold("members")
        let client = try mesh.call("members")
        try client.send(get)
        waitForTrial(mesh)
        let next = try Server()
        let backend = Backend(instance: "members@next.1", port: next.port)
        mesh.on { proxy in
            proxy.set("members", target: "next", .pass([backend], whenRefused: "it refuses connections."))
            proxy.setRoute("members", Route(to: "next"))
        }
        try next.accept().answer(ok)
        #expect(try client.receive(until: "ok") == ok)
        #expect(state(mesh) == .halfOpen(trialUntil: nil))
        #expect(state(mesh, of: "next") == .closed(failures: 0))
    }

    @Test func trial_thatEveryInstanceRefuses_opensItAgain() throws {
        let server = try Server()
        let mesh = try tripped(server)
        server.close()
        let client = try mesh.call("members")
        try client.send(get)
        #expect(try client.receiveAll().contains("members refuses connections."))
        if case .open = state(mesh) {} else { Issue.record("\(String(describing: state(mesh)))") }
    }

    @Test func upgrade_closesIt_andHowItsConnectionEndsTeachesNothing() throws {
        let server = try Server()
        let mesh = try tripped(server)
        let client = try mesh.call("members")
        try client.send("GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
        let upstream = try server.accept()
        try upstream.answer("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
        try client.receive(until: "\r\n\r\n")
        #expect(state(mesh) == .closed(failures: 0))
        upstream.reset()
        #expect(try client.expectReset())
        mesh.settle()
        #expect(state(mesh) == .closed(failures: 0))
    }
}
