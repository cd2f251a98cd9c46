import Platform
import TestSupport
import Testing

@testable import Proxy

/// TLS at the gateway's port. The client is another proxy's remote, which believes nobody but the authority.
@Suite struct GatewayTLSTests {
    private let folder = TemporaryFolder()
    private let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    private var files: TLSAuthority.Files {
        TLSAuthority.Files(certificate: folder.path + "/ca.pem", key: folder.path + "/ca.key")
    }

    private func makeAuthority() throws {
        let made = try TLSAuthority.make(named: "Test")
        try Kernel.real.replaceFile(files.certificate, with: made.certificate)
        try Kernel.real.replaceFile(files.key, with: made.key)
    }

    private func gateway() throws -> Mesh {
        let mesh = try Mesh(["members", "reader"], authority: files)
        mesh.on { proxy in
            let services = ["members", "reader"].map { HostTable.Entry(service: $0, ownHosts: ["\($0).localhost"]) }
            proxy.setHosts(HostTable(services))
            try! proxy.add(FrontSpec(service: nil, port: 0))
        }
        return mesh
    }

    private func port(_ gateway: Mesh) -> Int { gateway.on { $0.port(of: nil) ?? 0 } }

    /// Clients of its front speak TLS with the gateway, whom they ask for a host.
    private func client(_ gateway: Mesh, host: String) throws -> Mesh {
        let mesh = try Mesh(["out"], trust: .file(files.certificate))
        let port = port(gateway)
        mesh.set(
            "out",
            .remote(
                RemoteTarget(
                    scheme: .https, host: "127.0.0.1", port: port, hostHeader: "\(host):\(port)", serverName: host)))
        return mesh
    }

    @Test func exchanges_byTLS_reachTheService_whichIsToldSo() throws {
        try makeAuthority()
        let (gateway, server) = (try gateway(), try Server())
        gateway.pass("members", server)
        let mesh = try client(gateway, host: "members.localhost")
        let peer = try mesh.call("out")
        let body = String(repeating: "x", count: 300_000) + "END"
        try peer.send("PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body)
        let upstream = try server.accept()
        let head = try upstream.receive(until: "\r\n\r\n")
        #expect(head.contains("\r\nHost: members.localhost:\(port(gateway))\r\n"))
        #expect(head.contains("\r\nX-Forwarded-Proto: https\r\n"))
        #expect(try upstream.receive(count: body.utf8.count) == body)
        try upstream.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body)
        #expect(try peer.receive(until: "xEND").hasSuffix(body))
        // And once more on the connection that stays.
        try peer.send("GET /b HTTP/1.1\r\nHost: x\r\n\r\n")
        let next = try server.hasVisitor(within: .milliseconds(20)) ? try server.accept() : upstream
        #expect(try next.receive(until: "\r\n\r\n").hasPrefix("GET /b "))
        try next.send(ok)
        #expect(try peer.receive(until: "ok") == ok)
    }

    @Test func upgrade_byTLS_becomesARawRelay() throws {
        try makeAuthority()
        let (gateway, server) = (try gateway(), try Server())
        gateway.pass("members", server)
        let mesh = try client(gateway, host: "members.localhost")
        let peer = try mesh.call("out")
        try peer.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
        let upstream = try server.accept()
        try upstream.receive(until: "\r\n\r\n")
        try upstream.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n")
        try peer.receive(until: "\r\n\r\n")
        try peer.send("there")
        #expect(try upstream.receive(until: "there") == "there")
        try upstream.send("back")
        #expect(try peer.receive(until: "back") == "back")
    }

    @Test func list_byTLS_isTheSame() throws {
        try makeAuthority()
        let gateway = try gateway()
        let mesh = try client(gateway, host: "localhost")
        let peer = try mesh.call("out")
        try peer.send("GET / HTTP/1.1\r\nHost: x\r\nAccept: text/plain\r\n\r\n")
        #expect(try peer.receive(until: "(<b> & \"c\")\n").contains("reader: failed"))
    }

    @Test func name_thatTheGatewayDoesNotServe_getsNoCertificate() throws {
        try makeAuthority()
        let gateway = try gateway()
        let mesh = try client(gateway, host: "members.test")
        let peer = try mesh.call("out")
        try peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try peer.receiveAll().hasPrefix("HTTP/1.1 502 "))
    }

    @Test func withoutAnAuthority_isReset_andWithOneMadeLater_isServed() throws {
        let gateway = try gateway()
        let hello = "\u{16}\u{3}\u{1}"
        let early = try Peer(port: port(gateway))
        try early.send(hello)
        #expect(try early.expectReset())
        try makeAuthority()
        let mesh = try client(gateway, host: "localhost")
        let caller = try mesh.call("out")
        try caller.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try caller.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 200 "))
    }

    /// However its bytes come; and the port goes on speaking plain HTTP.
    @Test func handshake_thatIsNone_endsTheConnection() throws {
        try makeAuthority()
        let gateway = try gateway()
        let peer = try Peer(port: port(gateway))
        try peer.send("\u{16}")
        gateway.settle()
        try peer.send("\u{3}\u{1}\u{0}\u{5}hello")
        // An alert (RFC 8446 §6) and the end.
        #expect(try peer.receiveAll().utf8.first == 0x15)
        let plain = try Peer(port: port(gateway))
        try plain.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(try plain.receiveAll().hasPrefix("HTTP/1.1 200 "))
    }
}
