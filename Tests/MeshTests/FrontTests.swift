import Platform
import TestSupport
import Testing

// What callers see at a service's front while things happen behind it.

@Test func restart_underLoad_noConnectionRefused() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}, "other": {"run": "fixture serve http"}}"#) { mesh in
        try mesh.up()
        try mesh.ready("web", "other")
        let kept = try mesh.pids("other")
        let before = try mesh.pids("web")
        let load = try Load(port: mesh.port("web"))
        for _ in 0..<5 { try mesh.devmesh("restart", "web", code: 0) }
        let bodies = try load.stop()
        #expect(bodies.count >= 5)
        #expect(bodies.allSatisfy { $0.hasPrefix("200 web.1 ") }, "\(Set(bodies.filter { !$0.hasPrefix("200 ") }))")
        #expect(try mesh.pids("other") == kept)
        #expect(try mesh.pids("web") != before)
    }
}

/// A client's connection to the front outlives the program behind it.
@Test func restart_keepAliveConnection_staysOpen() throws {
    try withMesh(#"{"web": {"run": "fixture serve http", "protocol": "http"}}"#) { mesh in
        try mesh.up()
        try mesh.ready("web")
        let client = try MeshClient(port: mesh.port("web"))
        let first = try client.get("/")
        try mesh.devmesh("restart", "web", code: 0)
        let second = try client.get("/")
        #expect(first.status == 200 && second.status == 200 && first.body != second.body)
    }
}

@Test func restart_requestInFlight_finishesWithTheOldOne() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}}"#) { mesh in
        let up = try mesh.up()
        try mesh.ready("web")
        let old = try #require(try mesh.pids("web").first)
        let client = try MeshClient(port: mesh.port("web"))
        try client.request("/slow/400")
        // What has not reached it by then goes to the new one.
        try up.output.wait(for: "GET /slow/400")
        try mesh.devmesh("restart", "web", code: 0)
        let answer = try client.response()
        #expect(answer.status == 200 && answer.body.contains(" \(old) "), "\(answer)")
        #expect(try !mesh.get("web").body.contains(" \(old) "))
    }
}

@Test func front_ofStopped_answers503AtOnce() throws {
    try withMesh(#"{"web": {"run": "fixture say 'last seen' serve http"}}"#) { mesh in
        try mesh.up()
        try mesh.ready("web")
        try mesh.devmesh("stop", "web", code: 0)
        let port = try mesh.port("web")
        let page = try MeshClient(port: port).get("/", fields: ["Accept: text/html,*/*;q=0.8"])
        #expect(page.status == 503 && page.head.contains("text/html") && page.body.contains("last seen"))
        let document = try MeshClient(port: port).get("/", fields: ["Accept: */*"])
        #expect(document.status == 503 && document.head.contains("application/json"))
        #expect(document.body.contains("last seen") && document.body.contains("stopped"))
        try mesh.devmesh("start", "web", code: 0)
        #expect(try mesh.get("web").status == 200)
    }
}

/// What a program says is stored as it is, and masked where it is shown beside what devmesh itself says.
@Test func secret_inLastLinesReasonsAndBuilds_isMasked() throws {
    let env = #""env": {"API_TOKEN": "s3cr3t/value"}, "restart": "never""#
    let services = #"""
        {"web": {"run": "echo \"token $API_TOKEN.\"; exit 3", \#(env)},
         "lost": {"run": ["./s3cr3t/value"], \#(env)},
         "bad": {"run": "fixture wait", "build": "echo \"built with $API_TOKEN.\"; exit 4", \#(env)}}
        """#
    try withMesh(services) { mesh in
        try mesh.up()
        try mesh.wait(["web", "lost"], for: "stopped")
        let lines = try mesh.get("web")
        #expect(lines.status == 503 && lines.body.contains("token ********.") && !lines.body.contains("s3cr3t"))
        let reason = try mesh.get("lost")
        #expect(reason.status == 503 && reason.body.contains("/******** does not exist"))
        #expect(try mesh.devmesh("logs", "lost", code: 0).output.contains("/******** does not exist"))
        let build = try mesh.devmesh("build", "bad", code: 1)
        #expect(build.errors.contains("built with ********.") && !build.errors.contains("s3cr3t"))
    }
}

@Test func front_ofFailed_answers503WithTheReason() throws {
    try withMesh(#"{"web": {"run": "fixture complain 'no such table' exit 3", "restart": "never"}}"#) { mesh in
        try mesh.up()
        try mesh.wait(["web"], for: "stopped")
        let answer = try mesh.get("web")
        #expect(answer.status == 503)
        #expect(answer.body.contains("status 3") && answer.body.contains("no such table"))
        #expect(try mesh.state("web") == "failed")
        #expect(try mesh.devmesh("why", "web", code: 0).output.contains("no such table"))
    }
}

@Test func front_ofStoppedOtherProtocol_resets() throws {
    try withMesh(#"{"db": {"run": "fixture serve echo", "protocol": "tcp"}}"#) { mesh in
        try mesh.up()
        try mesh.ready("db")
        let port = try mesh.port("db")
        let client = try MeshClient(port: port)
        try client.send("ping")
        #expect(try client.read(until: "ping") == "ping")
        client.finish()
        #expect(try client.readToEnd() == "")
        try mesh.devmesh("stop", "db", code: 0)
        #expect(throws: Errno.connectionReset) {
            let client = try MeshClient(port: port)
            _ = try client.readToEnd()
        }
    }
}

@Test func front_serverSpeaksFirst_isHeard() throws {
    try withMesh(#"{"db": {"run": "fixture serve greet"}}"#) { mesh in
        try mesh.up()
        try mesh.ready("db")
        let client = try MeshClient(port: mesh.port("db"))
        #expect(try client.read(until: "\n") == "hello db.1\n")
        try client.send("x")
        #expect(try client.read(until: "x") == "x")
    }
}

@Test func hold_whileStarting_passesOnOnceReady() throws {
    let ready = #"{"command": "test -e open", "interval": "20ms"}"#
    try withMesh("{\"web\": {\"run\": \"fixture serve http\", \"ready\": \(ready)}}") { mesh in
        try mesh.up()
        let client = try MeshClient(port: mesh.port("web"))
        try client.request("/")
        #expect(try mesh.state("web") == "starting")
        mesh.folder.write("open", "")
        #expect(try client.response().status == 200)
    }
}

@Test func hold_boundedByReadyTimeout() throws {
    // Its own program answers: nothing is, so the front must. (After the timeout it is `unready`: what it accepts
    // would be passed on.)
    let ready = #"{"command": "false", "timeout": "600ms", "interval": "50ms"}"#
    try withMesh("{\"web\": {\"run\": \"fixture wait\", \"ready\": \(ready)}}") { mesh in
        try mesh.up()
        let began = Instant.now
        let answer = try mesh.get("web")
        #expect(answer.status == 503)
        #expect(Instant.now - began < patience(.seconds(10)))
        try mesh.wait(["web"], for: "started")
        #expect(try mesh.get("web").status == 503)
    }
}

/// The caller is what the target waits for: held until the target is ready, the call would hold itself.
@Test func call_toOneThatWaitsForTheCaller_answeredAtOnceNamingTheCycle() throws {
    let services = """
        {"reader": {"run": "fixture serve http", "dependsOn": {"members": "ready"}},
         "members": {"run": "fixture serve http", "uses": ["reader"], "ready": {"command": "test -e open", "interval": "20ms"}}}
        """
    try withMesh(services) { mesh in
        try mesh.up()
        let answer = try MeshClient(port: mesh.port("reader", from: "members")).get("/")
        #expect(answer.status == 503)
        #expect(answer.body.contains("members → reader → members"))
        // Others wait.
        let other = try MeshClient(port: mesh.port("reader"))
        try other.request("/")
        mesh.folder.write("open", "")
        #expect(try other.response().status == 200)
    }
}

/// While an instance drains, what is called on behalf of a request that it is serving still goes to it.
@Test func call_backDuringDrain_goesToTheOldInstance() throws {
    let services = """
        {"reader": {"run": "fixture trap TERM 0 0 serve http", "uses": ["members"]},
         "members": {"run": "fixture serve http", "uses": ["reader"]}}
        """
    try withMesh(services) { mesh in
        try mesh.up()
        try mesh.ready("reader", "members")
        let old = try #require(try mesh.pids("reader").first)
        // The user's request to reader; its request to members on behalf of that; and members calls back.
        let user = try MeshClient(port: mesh.port("reader"))
        try user.request("/slow/900")
        let reader = try MeshClient(port: mesh.port("members", from: "reader"))
        try reader.request("/slow/900")
        let events = try mesh.start("events", "-f")
        let restart = try mesh.start("restart", "reader")
        try events.output.wait(for: "stopping")
        let members = try MeshClient(port: mesh.port("reader", from: "members")).get("/back")
        #expect(members.status == 200 && members.body.contains(" \(old) "))
        #expect(try user.response().body.contains(" \(old) "))
        #expect(try reader.response().status == 200)
        #expect(try restart.result().code == 0)
        #expect(try mesh.pids("reader") != [old])
    }
}

@Test func secret_ofSeveralLines_andOneThatIsAServicesName() throws {
    let env = #""env": {"TLS_KEY": "-----BEGIN\nMIIsecretsecret\n-----END", "DB_PASSWORD": "web"}, "restart": "never""#
    try withMesh(#"{"web": {"run": "echo \"$TLS_KEY\"; exit 3", \#(env)}}"#) { mesh in
        try mesh.up()
        try mesh.wait(["web"], for: "stopped")
        let page = try mesh.get("web").body
        #expect(page.contains("********") && !page.contains("MIIsecretsecret"))
        #expect(page.contains("web is failed"), "a name is no secret: \(page)")
    }
}
