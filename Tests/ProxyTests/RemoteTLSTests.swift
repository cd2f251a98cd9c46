import EventLoop
import Platform
import TestSupport
import Testing

@testable import Proxy

@Suite(.enabled(if: OpenSSL.isPresent, "needs the openssl program")) struct RemoteTLSTests {
    private let get = "GET / HTTP/1.1\r\nHost: x\r\nAccept: text/plain\r\n\r\n"

    private func mesh(_ authority: CertificateAuthority, _ port: Int) throws -> Mesh {
        let mesh = try Mesh(["members"], trust: .file(authority.trustFile))
        mesh.set("members", .remote(RemoteTarget(scheme: .https, host: "localhost", port: port)))
        return mesh
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func exchange_withAnHTTPSRemote_passes(_ version: String) throws {
        let authority = CertificateAuthority()
        let server = TLSPeer(authority.issue("DNS:localhost"), options: version)
        let mesh = try mesh(authority, server.port)
        let client = try mesh.call("members")
        try client.send(get)
        #expect(server.wait(for: "GET / HTTP/1.1\r\nHost: localhost:\(server.port)\r\n"))
        #expect(server.wait(for: "Via: 1.1 devmesh\r\n\r\n"))
        let body = String(repeating: "x", count: 100_000) + "END"
        server.say("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body)
        #expect(
            try client.receive(until: "xEND")
                == "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body)
        #expect(mesh.delegate.remotes == ["members works"])
    }

    @Test func upload_toAnHTTPSRemote_isWhole() throws {
        let authority = CertificateAuthority()
        let server = TLSPeer(authority.issue("DNS:localhost"))
        let mesh = try mesh(authority, server.port)
        let client = try mesh.call("members")
        let body = String(repeating: "x", count: 200_000) + "END"
        try client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n")
        try client.send(body)
        #expect(server.wait(for: "xEND"))
        server.say("HTTP/1.1 204 No Content\r\n\r\n")
        #expect(try client.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 204 "))
    }

    @Test func certificate_thatIsRefused_is502WithTheReason() throws {
        let authority = CertificateAuthority()
        let server = TLSPeer(authority.issue("DNS:localhost", days: -1))
        let mesh = try mesh(authority, server.port)
        let client = try mesh.call("members")
        try client.send(get)
        let answer = try client.receiveAll()
        #expect(answer.hasPrefix("HTTP/1.1 502 "))
        #expect(answer.contains("The certificate of localhost expired on "))
        #expect(mesh.delegate.remotes.first?.contains("expired on") == true)
    }

    // MARK: As the manifest says

    @Test func ownAuthorityNameAndCertificate_areUsed() throws {
        let authority = CertificateAuthority()
        let own = authority.issue("DNS:me")
        let server = TLSPeer(
            authority.issue("DNS:members.example"), options: "-Verify", "1", "-verify_return_error", "-CAfile",
            authority.trustFile)
        let mesh = try Mesh(["members"])
        let tls = TLSSettings(trust: .file(authority.trustFile), certificate: own.certificate, key: own.key)
        mesh.set(
            "members",
            .remote(
                RemoteTarget(
                    scheme: .https, host: "127.0.0.1", port: server.port, tls: tls, serverName: "members.example")))
        let client = try mesh.call("members")
        try client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(server.wait(for: "GET / HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\n"))
        #expect(server.wait(for: "Via: 1.1 devmesh\r\n\r\n"))
        server.say("HTTP/1.1 204 No Content\r\n\r\n")
        #expect(try client.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 204 "))
    }

    @Test func clientCertificate_thatTheServerMisses_is502WithTheReason() throws {
        let authority = CertificateAuthority()
        let server = TLSPeer(
            authority.issue("DNS:localhost"), options: "-Verify", "1", "-verify_return_error", "-CAfile",
            authority.trustFile)
        let mesh = try mesh(authority, server.port)
        let client = try mesh.call("members")
        try client.send(get)
        let answer = try client.receiveAll()
        #expect(answer.hasPrefix("HTTP/1.1 502 "))
        #expect(answer.contains("localhost wants a client certificate: name one in"), "\(answer)")
        #expect(mesh.delegate.remotes.first?.contains("wants a client certificate") == true)
    }

    /// Certificates are renewed while a mesh is up.
    @Test func certificateThatIsRenewed_isUsedByTheNextConnection() throws {
        let authority = CertificateAuthority()
        let server = TLSPeer(
            authority.issue("DNS:localhost"), options: "-tls1_2", "-www", "-Verify", "1", "-verify_return_error",
            "-CAfile", authority.trustFile)
        let folder = TemporaryFolder()
        let settings = TLSSettings(
            trust: .file(authority.trustFile), certificate: folder.path + "/me.pem", key: folder.path + "/me.key")
        func install(_ own: CertificateAuthority.Certificate) throws {
            for (from, to) in [(own.certificate, "me.pem"), (own.key, "me.key")] {
                folder.write(to, String(decoding: try Kernel.real.readFile(from), as: UTF8.self))
            }
        }
        let mesh = try Mesh(["members"])
        let another = CertificateAuthority()
        try install(another.issue("DNS:me"))
        mesh.set(
            "members", .remote(RemoteTarget(scheme: .https, host: "localhost", port: server.port, tls: settings)))
        let first = try mesh.call("members")
        try first.send("GET / HTTP/1.0\r\n\r\n")
        #expect(try first.receiveAll().hasPrefix("HTTP/1.1 502 "))
        try install(authority.issue("DNS:me"))
        let second = try mesh.call("members")
        try second.send("GET / HTTP/1.0\r\n\r\n")
        #expect(try second.receiveAll().hasPrefix("HTTP/1.1 200 "))
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"]) func nextConnection_resumesTheSession(_ version: String) throws {
        let authority = CertificateAuthority()
        let server = TLSPeer(authority.issue("DNS:localhost"), options: version, "-www")
        let mesh = try mesh(authority, server.port)
        for wasResumed in [false, true, true] {
            let client = try mesh.call("members")
            try client.send(get)
            // s_server's own page tells.
            #expect(try client.receiveAll().contains(wasResumed ? "\nReused, TLSv1" : "\nNew, TLSv1"))
        }
    }

    @Test func upload_acrossAnotherHandshake_isWhole() throws {
        let authority = CertificateAuthority()
        let server = TLSPeer(authority.issue("DNS:localhost"), options: "-tls1_2", "-legacy_renegotiation", "-state")
        let mesh = try mesh(authority, server.port)
        let client = try mesh.call("members")
        let body = String(repeating: "x", count: 50_000) + "END"
        try client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count + 5)\r\n\r\nfirst")
        #expect(server.wait(for: "first"))
        let isPaused = Handoff<Bool>()
        mesh.thread.remote.post { _ in _ = isPaused.take() }
        server.say("r\n")
        #expect(server.wait(for: "write hello request"))
        server.pause()
        isPaused.give(true)
        // The proxy does what the server wishes, and can't write before it has its answer.
        mesh.settle()
        try client.send(body)
        mesh.settle()
        server.goOn()
        #expect(server.wait(for: "xEND"))
        server.say("HTTP/1.1 204 No Content\r\n\r\n")
        #expect(try client.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 204 "))
    }

    @Test func keyUpdate_ofTheServer_changesNothing() throws {
        let authority = CertificateAuthority()
        let server = TLSPeer(authority.issue("DNS:localhost"), options: "-tls1_3")
        let mesh = try mesh(authority, server.port)
        let client = try mesh.call("members")
        try client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nfirst")
        #expect(server.wait(for: "first"))
        server.say("K\n")
        try client.send("-tail")
        #expect(server.wait(for: "-tail"))
        server.say("HTTP/1.1 204 No Content\r\n\r\n")
        #expect(try client.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 204 "))
    }

    @Test func tcpRemote_withTLS_passesBytes() throws {
        let authority = CertificateAuthority()
        let server = TLSPeer(authority.issue("DNS:localhost"))
        let mesh = try Mesh(["members"])
        let tls = TLSSettings(trust: .file(authority.trustFile))
        mesh.set("members", .remote(RemoteTarget(scheme: .tcp, host: "localhost", port: server.port, tls: tls)))
        let client = try mesh.call("members")
        try client.send("*1\r\n$4\r\nPING\r\n")
        #expect(server.wait(for: "*1\r\n$4\r\nPING\r\n"))
        server.say("+PONG\r\n")
        #expect(try client.receive(until: "\n") == "+PONG\r\n")
    }

    // MARK: HTTP/2

    private let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    @Test func http2_isOfferedAndPassesAsItComes() throws {
        let authority = CertificateAuthority()
        let server = TLSPeer(authority.issue("DNS:localhost"), options: "-alpn", "http/1.1,h2")
        let mesh = try mesh(authority, server.port)
        let client = try mesh.call("members")
        try client.send(preface + "frames")
        #expect(server.wait(for: "ALPN protocols selected: h2"))
        #expect(server.wait(for: preface + "frames"))
        server.say("and back")
        #expect(try client.receive(count: 8) == "and back")
        #expect(mesh.delegate.remotes == ["members works"])
    }

    @Test(arguments: [[], ["-alpn", "http/1.1"]])
    func http2_thatTheServerDoesNotSpeak_isToldInTheFarewell(_ options: [String]) throws {
        let authority = CertificateAuthority()
        let server = TLSPeer(authority.issue("DNS:localhost"), options)
        let mesh = try mesh(authority, server.port)
        let client = try mesh.call("members")
        try client.send(preface)
        let sentence = "localhost does not speak HTTP/2 (it takes no h2 by ALPN): let the client speak HTTP/1.1."
        #expect(try client.receiveAll().hasSuffix(sentence))
        #expect(mesh.delegate.remotes == ["members failed: \(sentence)"])
    }

    @Test func plainServer_behindHTTPS_isTold() throws {
        let server = try Server()
        let authority = CertificateAuthority()
        let mesh = try mesh(authority, server.port)
        let client = try mesh.call("members")
        try client.send(get)
        let upstream = try server.accept()
        try upstream.send("HTTP/1.1 400 Bad Request\r\n\r\n")
        #expect(try client.receiveAll().contains("localhost does not speak TLS on that port"))
    }
}
