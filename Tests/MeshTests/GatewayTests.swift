import JSON
import Platform
import TestSupport
import Testing

// The project's one HTTP port.

extension MeshFixture {
    fileprivate func gatewayPort() throws -> Int {
        let rows = try JSON(parsing: devmesh("ports", "--json", code: 0).output).arrayValue ?? []
        guard let port = rows.first(where: { $0["kind"]?.stringValue == "gateway" })?["port"]?.intValue else {
            throw MeshFailure("`ports` has no gateway: \(rows)")
        }
        return port
    }

    /// One GET to the gateway.
    fileprivate func get(_ path: String, host: String, _ fields: String...) throws -> MeshResponse {
        let client = try MeshClient(port: gatewayPort())
        let lines = ["GET \(path) HTTP/1.1", "Host: \(host)"] + fields
        try client.send(lines.joined(separator: "\r\n") + "\r\n\r\n")
        return try client.response()
    }
}

private let two = """
    {"web": {"run": "fixture serve http", "hosts": ["news.test"], "paths": ["/web"]},
     "my_api": {"run": "fixture serve http", "paths": [{"path": "/api", "strip": true}]},
     "db": {"run": "fixture serve echo", "protocol": "tcp"}}
    """

@Test func gateway_leadsToServices_byHostAndPath() throws {
    try withMesh(two) { mesh in
        mesh.write(two, besides: #""name": "News Room", "#)
        try mesh.up()
        try mesh.ready("web", "my_api", "db")
        for host in ["web.localhost", "WEB.localhost:1", "web.news-room.localhost", "news.test", "web.localhost."] {
            #expect(try mesh.get("/", host: host).body.hasPrefix("web.1 "), "\(host)")
        }
        #expect(try mesh.get("/", host: "my-api.localhost").body.hasPrefix("my_api.1 "))
        #expect(try mesh.get("/web/x", host: "localhost").body.hasPrefix("web.1 "))
        #expect(try mesh.get("/api/x", host: "127.0.0.1").body.hasPrefix("my_api.1 "))
        for host in ["evil.example", "db", "web.localhost.evil.example"] {
            let answer = try mesh.get("/web", host: host)
            #expect(answer.status == 403 && answer.body.contains(host), "\(host)")
        }
        #expect(try mesh.get("/", host: "db.localhost").status == 404)
    }
}

@Test func gateway_listsServicesWithTheirStates() throws {
    try withMesh(two) { mesh in
        try mesh.up()
        try mesh.ready("web", "my_api", "db")
        try mesh.devmesh("stop", "my_api", code: 0)
        let port = try mesh.gatewayPort()
        let list = try mesh.get("/", host: "localhost:\(port)")
        #expect(list.status == 200)
        let services = try JSON(parsing: list.body)["services"]?.arrayValue ?? []
        #expect(services.map { $0["service"]?.stringValue } == ["web", "my_api", "db"])
        #expect(services.map { $0["state"]?.stringValue } == ["ready", "stopped", "ready"])
        #expect(
            services.map { $0["url"]?.stringValue }
                == ["http://web.localhost:\(port)/", "http://my-api.localhost:\(port)/", nil])
        let page = try mesh.get("/", host: "localhost:\(port)", "Accept: text/html")
        #expect(page.head.contains("text/html") && page.body.contains("http://web.localhost:\(port)/"))
        #expect(try mesh.get("/nothing", host: "[::1]:\(port)").status == 404)
    }
}

/// The gateway's port stays open, and a request waits as it would at the service's front.
@Test func gateway_whileAServiceRestarts_refusesNobody() throws {
    try withMesh(two) { mesh in
        try mesh.up()
        try mesh.ready("web", "my_api")
        let kept = try mesh.pids("my_api")
        let port = try mesh.gatewayPort()
        let load = try Load(port: port, path: "/web")
        for _ in 0..<3 { try mesh.devmesh("restart", "web", code: 0) }
        let bodies = try load.stop()
        #expect(bodies.count >= 3)
        #expect(bodies.allSatisfy { $0.hasPrefix("200 web.1 ") }, "\(Set(bodies.filter { !$0.hasPrefix("200 ") }))")
        #expect(try mesh.pids("my_api") == kept)
    }
}

/// What leads where is taken over by `up`, and no process is restarted for it.
@Test func gateway_manifestChanged_isTakenOverWithoutARestart() throws {
    try withMesh(two) { mesh in
        try mesh.up()
        try mesh.ready("web", "my_api", "db")
        let pids = try mesh.pids("web") + mesh.pids("my_api")
        mesh.write(
            """
            {"web": {"run": "fixture serve http", "paths": ["/other"]},
             "my_api": {"run": "fixture serve http", "hosts": ["news.test"]},
             "db": {"run": "fixture serve echo", "protocol": "tcp"}}
            """)
        try mesh.devmesh("up", "-d", code: 0)
        #expect(try mesh.pids("web") + mesh.pids("my_api") == pids)
        #expect(try mesh.get("/", host: "news.test").body.hasPrefix("my_api.1 "))
        #expect(try mesh.get("/other", host: "localhost").body.hasPrefix("web.1 "))
        #expect(try mesh.get("/web", host: "localhost").status == 404)
    }
}

@Test func gateway_portTakenByForeigner_isNamedBeforeAnythingStarts() throws {
    try withMesh(two) { mesh in
        let foreigner = try mesh.foreigner("port", "\(mesh.gatewayPort())", "serve", "echo")
        try foreigner.output.wait(for: "listening")
        let result = try mesh.devmesh("up", code: 1)
        #expect(result.errors.contains("the gateway") && result.errors.contains("\(foreigner.pid)"))
        #expect(mesh.servants().map(\.pid) == [foreigner.pid])
    }
}

/// From when the user has made an authority, without a restart; the client is another service's remote.
@Test func gateway_speaksTLS_onceThereIsAnAuthority() throws {
    let web = #""web": {"run": "fixture serve http"}"#
    try withMesh("{\(web)}") { mesh in
        try mesh.up()
        try mesh.ready("web")
        let gateway = try mesh.gatewayPort()
        let made = try JSON(parsing: mesh.devmesh("trust", "--json", code: 0).output)
        let authority = try #require(made["certificate"]?.stringValue)
        let key = try #require(made["key"]?.stringValue)
        #expect(Kernel.real.status(key)?.mode == 0o600)
        let again = try mesh.devmesh("trust", code: 0).output
        #expect(again.contains("already: \(authority)") && again.contains("curl --cacert '\(authority)'"))
        mesh.write(
            """
            {\(web), "out": {"remote": {"url": "https://localhost:\(gateway)/a", "host": "web.localhost:\(gateway)",
                                       "tls": {"ca": "\(authority)", "serverName": "web.localhost"}}}}
            """)
        try mesh.devmesh("up", "-d", code: 0)
        #expect(try mesh.get("out").body.hasPrefix("web.1 "))
        #expect(try mesh.get("/", host: "web.localhost").body.hasPrefix("web.1 "))
    }
}
