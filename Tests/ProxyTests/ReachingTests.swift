import Platform
import TestSupport
import Testing

@testable import Proxy

/// Requests on their way to a remote that has not been reached yet: it accepts, and never answers the handshake.
@Suite(.enabled(if: OpenSSL.isPresent)) struct ReachingTests {
    private let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
    private let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    private func mesh(_ remote: Server, _ local: Server) throws -> Mesh {
        let mesh = try Mesh(["members"])
        let state = FrontState.remote(RemoteTarget(scheme: .https, host: "127.0.0.1", port: remote.port))
        mesh.pass("members", local)
        mesh.on { proxy in
            proxy.set("members", target: "remote", state)
            proxy.setRoute("members", Route(to: "remote"))
        }
        return mesh
    }

    /// Whether nothing comes before the end but perhaps the beginning of a handshake.
    private func isLeft(_ upstream: Peer) throws -> Bool { try upstream.receiveAll().utf8.first ?? 0x16 == 0x16 }

    @Test(arguments: [true, false])
    func request_whoseRouteChanges_goesElsewhere(isRouted: Bool) throws {
        let (remote, local) = (try Server(), try Server())
        let mesh = try mesh(remote, local)
        let client = try mesh.call("members")
        try client.send("POST /a HTTP/1.1\r\nHost: x\r\nx-user: me\r\nContent-Length: 4\r\n\r\nbody")
        let upstream = try remote.accept()
        mesh.on { proxy in
            // By `devmesh route`, and by `devmesh use`.
            proxy.setRoute(
                "members",
                isRouted
                    ? Route(.init("remote"), matches: [.init(header: "x-user", "me", target: "local")])
                    : Route(to: "local"))
        }
        #expect(try isLeft(upstream))
        let server = try local.accept()
        #expect(try server.receive(until: "\r\n\r\nbody").hasPrefix("POST /a HTTP/1.1\r\n"))
        try server.send(ok)
        #expect(try client.receive(until: "ok") == ok)
        #expect(mesh.delegate.remotes == [], "nothing was learned of the remote")
    }

    @Test func request_thatTheNewRouteHolds_waitsThere() throws {
        let (remote, local) = (try Server(), try Server())
        let mesh = try mesh(remote, local)
        mesh.hold("members")
        let client = try mesh.call("members")
        try client.send(get)
        let upstream = try remote.accept()
        mesh.on { $0.setRoute("members", Route(to: "local")) }
        #expect(try isLeft(upstream))
        mesh.pass("members", local)
        try local.accept().answer(ok)
        #expect(try client.receive(until: "ok") == ok)
    }

    @Test func request_whoseTargetStays_goesOn() throws {
        let (remote, local) = (try Server(), try Server())
        let mesh = try mesh(remote, local)
        let client = try mesh.call("members")
        try client.send(get)
        let upstream = try remote.accept()
        mesh.on { $0.setRoute("members", Route(.init("remote"), mirror: "local")) }
        mesh.settle()
        let begun = try upstream.receive(count: 6)
        #expect(begun.utf8.first == 0x16)
        // It waits for its answer still, and gets one.
        try upstream.send("HTTP/1.1 400 Bad Request\r\n\r\n")
        #expect(try client.receiveAll().contains("does not speak TLS on that port"))
    }

    @Test func client_thatLeaves_isNotDialledForAnyMore() throws {
        let (remote, local) = (try Server(), try Server())
        let mesh = try mesh(remote, local)
        let client = try mesh.call("members")
        try client.send(get)
        let upstream = try remote.accept()
        client.reset()
        #expect(try isLeft(upstream))
        mesh.settle()
        #expect(mesh.on { $0.destination("members").connections.isEmpty })
    }
}
