import JSON
import Platform
import TestSupport
import Testing

// Remotes that need more than a URL.

/// A remote: `fixture` on a port of its own.
private func remote(_ mesh: MeshFixture) throws -> String {
    try mesh.foreigner("port", "0", "serve", "http").output.rest(after: "listening ")
}

@Test func remote_withHeaders_isLentToTheRightOnesOnly() throws {
    try withMesh("{}") { mesh in
        let port = try remote(mesh)
        mesh.write(
            """
            {"web": {
              "remote": {"url": "http://127.0.0.1:\(port)", "headers": {"authorization": "Bearer hunter2hunter2"}},
              "origins": ["https://app.example"]}}
            """)
        try mesh.up()
        #expect(try mesh.get("web").status == 200)
        let front = try mesh.port("web")
        let foreign = try MeshClient(port: front).get("/", fields: ["Origin: https://evil.example"])
        #expect(foreign.status == 403 && foreign.body.contains("declare the page's origin"))
        let declared = try MeshClient(port: front).get("/", fields: ["Origin: https://app.example"])
        #expect(declared.status == 200)
        let config = try mesh.devmesh("config", code: 0).output
        #expect(config.contains("authorization") && !config.contains("hunter2"))
        #expect(try mesh.devmesh("config", "--reveal", code: 0).output.contains("Bearer hunter2hunter2"))
    }
}

@Test func remote_thatChangesInTheManifest_isCalledAtItsNewPlace() throws {
    try withMesh("{}") { mesh in
        let old = try remote(mesh)
        let new = try remote(mesh)
        mesh.write("{\"web\": {\"remote\": \"http://127.0.0.1:\(old)\"}}")
        try mesh.up()
        let before = try mesh.get("web").body
        mesh.write("{\"web\": {\"remote\": \"http://127.0.0.1:\(new)\"}}")
        try mesh.devmesh("up", "-d", code: 0)
        let after = try mesh.get("web").body
        #expect(before.hasPrefix("fixture.0 ") && after.hasPrefix("fixture.0 ") && before != after)
    }
}

@Test(.enabled(if: OpenSSL.isPresent)) func remote_overTLS_isToldWhereItsCertificateIsWrong() throws {
    try withMesh("{}") { mesh in
        let authority = CertificateAuthority()
        let server = TLSPeer(authority.issue("DNS:members.example"), options: "-www")
        func write(_ tls: String) {
            mesh.write("{\"web\": {\"remote\": {\"url\": \"https://127.0.0.1:\(server.port)\", \"tls\": {\(tls)}}}}")
        }
        write("\"ca\": \"\(authority.trustFile)\"")
        try mesh.up()
        let wrong = try mesh.get("web")
        #expect(wrong.status == 502)
        let sentence = "The certificate of 127.0.0.1 is for DNS:members.example, not for 127.0.0.1"
        #expect(wrong.body.contains(sentence))
        #expect(try mesh.devmesh("why", "web", code: 0).output.contains(sentence))
        #expect(try mesh.state("web") == "unreachable")

        write("\"ca\": \"\(authority.trustFile)\", \"serverName\": \"members.example\"")
        try mesh.devmesh("up", "-d", code: 0)
        let right = try MeshClient(port: mesh.port("web"))
        try right.send("GET / HTTP/1.0\r\n\r\n")
        #expect(try right.readToEnd().hasPrefix("HTTP/1.1 200 "))
        #expect(try mesh.state("web") == "ready")
    }
}

@Test(.enabled(if: OpenSSL.isPresent)) func remote_thatIsNotVerified_saysSoEverywhere() throws {
    try withMesh("{}") { mesh in
        let authority = CertificateAuthority()
        let server = TLSPeer(authority.issue("DNS:other.example"), options: "-www")
        mesh.write(
            """
            {"web": {"remote": {"url": "https://127.0.0.1:\(server.port)", "tls": {"insecure": true}}}}
            """)
        let up = try mesh.up()
        #expect(up.errors.text.contains("warning: services.web.remote.tls.insecure"))
        let client = try MeshClient(port: mesh.port("web"))
        try client.send("GET / HTTP/1.0\r\n\r\n")
        #expect(try client.readToEnd().hasPrefix("HTTP/1.1 200 "))
        #expect(try mesh.ps("web")["insecure"] == true)
        #expect(try mesh.devmesh("ps", code: 0).output.contains("remote!"))
        #expect(try mesh.devmesh("why", "web", code: 0).output.contains("the remote's certificate is not verified"))
    }
}
