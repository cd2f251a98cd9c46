import EventLoop
import Platform
import TestSupport
import Testing

@testable import Proxy

/// The attacks on a front whose remote adds credentials, each through a real connection.
@Suite struct CredentialTests {
    private let key = [RemoteTarget.Header("Authorization", "Bearer ours")]

    private func mesh(_ server: Server, user: UInt32 = ThisProcess.userID) throws -> Mesh {
        let mesh = try Mesh(["members"], edges: ["reader>members"], user: user)
        mesh.set("members", .remote(RemoteTarget(scheme: .http, host: "127.0.0.1", port: server.port, headers: key)))
        return mesh
    }

    private func answer(_ mesh: Mesh, _ lines: String..., from caller: String? = nil) throws -> String {
        let client = try mesh.call("members", from: caller)
        try client.send("GET / HTTP/1.1\r\n" + lines.joined(separator: "\r\n") + "\r\n\r\n")
        return try client.receiveAll()
    }

    @Test func caller_ofTheMesh_isServedOnFrontAndEdge() throws {
        let server = try Server()
        let mesh = try mesh(server)
        for caller in [nil, "reader"] {
            let client = try mesh.call("members", from: caller)
            try client.send("GET / HTTP/1.1\r\nHost: 127.0.0.1:20003\r\n\r\n")
            let upstream = try server.accept()
            #expect(try upstream.receive(until: "\r\n\r\n").contains("\r\nAuthorization: Bearer ours\r\n"))
            upstream.close()
        }
    }

    @Test(arguments: [
        // A page of another site: a link, an image, a form, a fetch, a WebSocket, an old browser.
        "Host: 127.0.0.1:1\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate",
        "Host: 127.0.0.1:1\r\nSec-Fetch-Site: same-site\r\nSec-Fetch-Dest: image",
        "Host: localhost:1\r\nOrigin: https://evil.example\r\nSec-Fetch-Site: cross-site",
        "Host: localhost:1\r\nOrigin: null",
        "Host: localhost:1\r\nOrigin: https://evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket",
        // Its name was rebound to 127.0.0.1, so that the browser takes it for the same site.
        "Host: evil.example:20003\r\nSec-Fetch-Site: same-origin\r\nOrigin: http://evil.example:20003",
    ])
    func attack_isRefusedOnFrontAndEdge_andNothingReachesTheRemote(_ lines: String) throws {
        let server = try Server()
        let mesh = try mesh(server)
        for caller in [nil, "reader"] {
            let answer = try answer(mesh, lines, from: caller)
            #expect(answer.hasPrefix("HTTP/1.1 403 Forbidden\r\n"))
            #expect(answer.contains(#""code": "forbidden""#))
        }
        #expect(try !server.hasVisitor(within: .milliseconds(20)))
    }

    @Test func attack_behindAGoodRequest_isRefused() throws {
        let server = try Server()
        let mesh = try mesh(server)
        let client = try mesh.call("members")
        try client.send(
            "GET /good HTTP/1.1\r\nHost: localhost\r\n\r\nGET /bad HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        let upstream = try server.accept()
        try upstream.receive(until: "\r\n\r\n")
        try upstream.send("HTTP/1.1 204 No Content\r\n\r\n")
        #expect(try client.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 204 "))
        #expect(try client.receiveAll().hasPrefix("HTTP/1.1 403 "))
        #expect(try upstream.expectEnd())
    }

    /// It was let wait while nobody knew where it would go.
    @Test func attack_thatWasHeld_isRefusedOnceItsRemoteIsKnown() throws {
        let server = try Server()
        let mesh = try Mesh(["members"])
        mesh.hold("members")
        let client = try mesh.call("members")
        try client.send("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        mesh.settle()
        mesh.set("members", .remote(RemoteTarget(scheme: .http, host: "127.0.0.1", port: server.port, headers: key)))
        #expect(try client.receiveAll().hasPrefix("HTTP/1.1 403 "))
        #expect(try !server.hasVisitor(within: .milliseconds(20)))
    }

    @Test func declaredOrigin_isServed() throws {
        let server = try Server()
        let mesh = try mesh(server)
        mesh.on { $0.setOrigins("members", ["https://app.example"]) }
        let client = try mesh.call("members")
        try client.send(
            "GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: https://app.example\r\nSec-Fetch-Site: cross-site\r\n\r\n")
        #expect(try server.accept().receive(until: "\r\n\r\n").contains("Bearer ours"))
    }

    @Test func remote_thatAddsNothing_isOpenToAll() throws {
        let server = try Server()
        let mesh = try Mesh(["members"], user: 4711)
        mesh.set("members", .remote(RemoteTarget(scheme: .http, host: "127.0.0.1", port: server.port)))
        let client = try mesh.call("members")
        try client.send("GET / HTTP/1.1\r\nHost: evil.example\r\nOrigin: null\r\n\r\n")
        #expect(try server.accept().receive(until: "\r\n\r\n").hasPrefix("GET / "))
    }

    // MARK: Other users

    @Test func connection_ofAnotherUser_isRefused() throws {
        let server = try Server()
        if ThisProcess.userID != 0 {
            // We are the other user.
            let mesh = try mesh(server, user: ThisProcess.userID + 1)
            #expect(try answer(mesh, "Host: localhost").contains("the caller is user \(ThisProcess.userID)"))
        } else {
            let mesh = try mesh(server)
            let script =
                #"exec 3<>/dev/tcp/127.0.0.1/$0; printf 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n' >&3; cat <&3"#
            let output = try run(
                "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "bash", "-c", script,
                "\(mesh.port("members"))")
            #expect(output.hasPrefix("HTTP/1.1 403 "), "\(output)")
            #expect(output.contains("of user 0, and the caller is user 65534"))
        }
        #expect(try !server.hasVisitor(within: .milliseconds(20)))
    }

    /// Nobody here knows the user of a container's socket: that it is the caller's own container is enough.
    @Test func connection_ofTheCallersContainer_isServedWhoeverItsUserIs() throws {
        let server = try Server()
        let isRoot = ThisProcess.userID == 0
        let mesh = try mesh(server, user: isRoot ? 0 : ThisProcess.userID + 1)
        mesh.delegate.setContainer("reader", at: "127.0.0.1")
        let port = try #require(mesh.containerPort("members", from: "reader", at: "127.0.0.9"))
        let other = isRoot ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []
        let script = #"exec 3<>/dev/tcp/127.0.0.9/$0; printf 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n' >&3; cat <&3"#
        let client = try ChildTable.spawn(
            SpawnRequest(
                path: "/usr/bin/env", arguments: ["env"] + other + ["bash", "-c", script, "\(port)"],
                environment: ThisProcess.environment))
        let upstream = try server.accept()
        #expect(try upstream.receive(until: "\r\n\r\n").contains("\r\nAuthorization: Bearer ours\r\n"))
        try upstream.send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        upstream.close()
        mesh.on { $0.close() }
        #expect(ChildTable.wait(client).isSuccess)
    }

    /// The kernel no longer knows whose the socket was, and calls it root's.
    @Test func connection_thatItsClientHasClosed_isRefused() throws {
        let server = try Server()
        let mesh = try mesh(server)
        let client = try mesh.call("members")
        mesh.settle()
        let closed = Handoff<Bool>()
        mesh.thread.remote.post { _ in _ = closed.take() }
        try client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        client.close()
        closed.give(true)
        mesh.settle()
        #expect(try !server.hasVisitor(within: .milliseconds(50)))
    }

    // MARK: What is no HTTP/1

    @Test func http2_whereHeadersWouldHaveToBeAdded_isToldWhyNot() throws {
        let server = try Server()
        let mesh = try mesh(server)
        let client = try mesh.call("members")
        try client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        #expect(try client.receiveAll().contains("headers to be added to each request"))
        #expect(try !server.hasVisitor(within: .milliseconds(20)))
    }

    /// A web page can send HTTP to any port; a client certificate must not make a server of another protocol read it.
    @Test(.enabled(if: OpenSSL.isPresent)) func http_toATCPRemoteWithACertificate_isRefused() throws {
        let authority = CertificateAuthority()
        let own = authority.issue("DNS:me")
        let server = try Server()
        let mesh = try Mesh(["cache"])
        mesh.set(
            "cache",
            .remote(
                RemoteTarget(
                    scheme: .tcp, host: "127.0.0.1", port: server.port,
                    tls: TLSSettings(certificate: own.certificate, key: own.key))))
        let client = try mesh.call("cache")
        try client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
        #expect(try client.receiveAll().hasPrefix("HTTP/1.1 403 "))
        #expect(try !server.hasVisitor(within: .milliseconds(20)))
    }

    /// Cut as it likes, HTTP does not get the certificate: neither before the remote is dialled nor when a client that
    /// was silent, and has been connected therefore, speaks in the end.
    @Test(
        .enabled(if: OpenSSL.isPresent),
        arguments: [
            ["GE", "T / HTTP/1.1\r\nHost: localhost\r\n\r\n"], ["", "POST / HTTP/1.1\r\nHost: localhost\r\n\r\n"],
            ["", "GE", "T / HTTP/1.1\r\n"], ["", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
            ["PRI * HT", "TP/2.0\r\n\r\nSM\r\n\r\n"],
        ])
    func http_inPieces_toATCPRemoteWithACertificate_isRefused(_ pieces: [String]) throws {
        try withCertificate(for: "cache") { mesh, server in
            let client = try mesh.call("cache")
            for piece in pieces.dropLast() {
                try client.send(piece)
                // Longer than devmesh waits for what tells what a client speaks; one that says nothing is connected then.
                if piece.isEmpty { #expect(server.wait(for: "CIPHER is")) } else { #expect(try client.isQuiet()) }
            }
            try client.send(pieces.last!)
            let answer = try? client.receiveAll()
            #expect(answer?.hasPrefix("HTTP/1.1 200") != true)
            mesh.settle()
            // What is no HTTP still passes, behind what has not.
            let other = try mesh.call("cache")
            try other.send("*1\r\n$4\r\nPING\r\n")
            #expect(server.wait(for: "PING"))
            // What it says of itself before that holds the certificates, random letters among them.
            let lines = server.heard.split(separator: "\n").drop { !$0.hasPrefix("CIPHER is") }
            for word in ["GE", "HTTP", "localhost", "SM"] {
                #expect(!lines.contains { $0.hasPrefix(word) || $0.contains("T / ") }, "\(server.heard)")
            }
        }
    }

    /// A page may wait until a server that speaks first has spoken.
    @Test(.enabled(if: OpenSSL.isPresent), arguments: ["POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", "EHLO me\r\n"])
    func behindAGreeting_ofATCPRemoteWithACertificate_onlyHTTPIsRefused(_ said: String) throws {
        try withCertificate(for: "mail") { mesh, server in
            let client = try mesh.call("mail")
            #expect(server.wait(for: "CIPHER is"))
            server.say("220 mail\n")
            #expect(try client.receive(until: "mail\n") == "220 mail\n")
            try client.send(said)
            if said.hasPrefix("EHLO") {
                #expect(server.wait(for: "EHLO me"))
            } else {
                #expect(try client.expectReset())
                #expect(!server.heard.contains("POST"))
            }
        }
    }

    /// With a service at a tcp remote that wants to see our certificate.
    private func withCertificate(for service: String, _ body: (Mesh, TLSPeer) throws -> Void) throws {
        let authority = CertificateAuthority()
        let own = authority.issue("DNS:me")
        let server = TLSPeer(authority.issue("IP:127.0.0.1"), options: "-Verify", "1", "-CAfile", authority.trustFile)
        let mesh = try Mesh([service])
        let tls = TLSSettings(
            trust: .file(authority.trustFile), certificate: own.certificate, key: own.key)
        mesh.set(service, .remote(RemoteTarget(scheme: .tcp, host: "127.0.0.1", port: server.port, tls: tls)))
        // Its files go with it.
        try withExtendedLifetime(authority) { try body(mesh, server) }
    }

    /// Runs a program to its end and returns what it said.
    private func run(_ words: String...) throws -> String {
        let program = try Executable.find(words[0], path: ThisProcess.environment["PATH"], directory: "/")
        let pipe = try Kernel.real.pipe()
        let pid = try ChildTable.spawn(
            SpawnRequest(path: program, arguments: words, environment: ThisProcess.environment), stdout: pipe.writer.raw
        )
        pipe.writer.close()
        let reader = pipe.reader
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case .bytes(let count) = try buffer.withUnsafeMutableBytes({ try Kernel.real.read(reader, into: $0) }
        ) {
            output += buffer[..<count]
        }
        _ = ChildTable.wait(pid)
        return String(decoding: output, as: UTF8.self)
    }
}
