import JSON
import Platform
import TestSupport
import Testing

// What `devmesh route` and `devmesh fault` choose: what it starts, shows, keeps and forgets.

private let services = """
    {"web": {"run": "fixture serve http", "ready": {"http": "/healthz"}, "remote": "http://127.0.0.1:9",
             "versions": {"next": {"run": "fixture env HOME serve http"}, "crash": {"run": "fixture exit 3", "restart": "never"}}},
     "reader": {"run": "fixture serve http", "uses": ["web"]},
     "db": {"run": "fixture serve http", "protocol": "tcp"},
     "worker": {"run": "sleep 1000", "listens": false}}
    """

extension MeshFixture {
    fileprivate func route(_ service: String) throws -> JSON {
        try JSON(parsing: devmesh("route", service, "--json", code: 0).output)
    }

    fileprivate func rows(_ words: String...) throws -> [String] {
        let result = try start(words).result()
        guard result.code == 0 else { throw MeshFailure("\(words): \(result)") }
        return result.output.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
    }
}

@Test func route_toAVersion_startsItFirst_andStopsItWhenItIsNeededNoMore() throws {
    try withMesh(services) { mesh in
        try mesh.up()
        try mesh.ready("web", "reader")
        let pid = try mesh.pid("web", instance: "web.1")
        #expect(try mesh.rows("route", "web") == ["REQUESTS TARGET", "all local"])

        try mesh.devmesh("route", "web", "local=90", "next=10", code: 0)
        #expect(try mesh.pid("web", instance: "web@next.1") != nil)
        #expect(try mesh.rows("route", "web").dropFirst().first == "all local 90%, next 10%")
        #expect(try mesh.ps("web")["shares"]?.stringValue == "local 90, next 10")
        #expect(try mesh.ps("web")["target"]?.stringValue == "local")
        #expect(try mesh.ps("web")["differs"] == true)
        #expect(try mesh.devmesh("why", "web", code: 0).output.contains("its requests go to local 90, next 10"))
        // The remote needs nothing to be started.
        try mesh.devmesh("route", "WEB", "--from", "READER", "REMOTE", "--header", "x-user: me=Next", code: 0)
        let rules = try mesh.route("web")
        #expect(rules["route"]?["from"] == ["reader": ["remote": 1]])
        #expect(rules["route"]?["headers"] == [["name": "x-user", "value": "me", "target": "next"]])
        #expect(rules["route"]?["weights"] == ["local": 90, "next": 10])
        #expect(rules["source"] == "command")

        try mesh.devmesh("route", "web", "--clear", code: 0)
        #expect(try mesh.ps("web")["differs"] == false)
        #expect(try mesh.ps("web")["shares"] == nil)
        #expect(try mesh.rows("route", "web") == ["REQUESTS TARGET", "all local"])
        #expect(try mesh.pid("web", instance: "web.1") == pid)
    }
}

@Test func route_toWhatFails_leavesTheRouteAsItWas() throws {
    try withMesh(services) { mesh in
        try mesh.up()
        try mesh.ready("web")
        try mesh.devmesh("route", "web", "local=1", "remote=1", code: 0)
        let crash = try mesh.devmesh("route", "web", "crash=1", code: 1)
        #expect(
            crash.errors.contains("web could not be routed so, and its route is as it was: it exited with status 3"))
        #expect(try mesh.ps("web")["shares"]?.stringValue == "local 1, remote 1")
        for (words, sentence) in [
            (["web", "nxt=1"], "Did you mean \"next\"?"),
            (["wbe", "next"], "There is no service \"wbe\". Did you mean \"web\"?"),
            (["web", "--from", "redaer", "next"], "There is no service \"redaer\". Did you mean \"reader\"?"),
            (["web", "--from", "db", "next"], "name web in the \"uses\" of db"),
            (["db", "--header", "a: b=local"], "need HTTP"), (["worker", "local"], "listens nowhere"),
        ] {
            let result = try mesh.start(["route"] + words).result()
            #expect(result.code == 1 && result.errors.contains(sentence), "\(words): \(result)")
        }
    }
}

/// One unit is both local and remote to the supervisor; a route may need both at once.
@Test func route_toLocal_ofAServiceThatIsRemote_startsIt_andTheRestStaysRemote() throws {
    try withMesh(#"{"web": {"run": "fixture serve http", "remote": "http://127.0.0.1:9", "target": "remote"}}"#) {
        mesh in
        try mesh.up()
        #expect(try mesh.pids("web") == [])
        try mesh.devmesh("route", "web", "--header", "x-user: me=local", code: 0)
        #expect(try mesh.pids("web").count == 1)
        #expect(try mesh.ps("web")["target"]?.stringValue == "remote")
        #expect(try mesh.get("web").status == 502 || mesh.get("web").status == 503, "all others go to the remote")
        try mesh.devmesh("use", "web", "local", code: 0)
        #expect(try mesh.get("web").status == 200)
        #expect(try mesh.rows("route", "web") == ["REQUESTS TARGET", "all local"], "use replaces the route")
        #expect(try mesh.ps("web")["differs"] == true)
    }
}

@Test func route_ofTheManifest_holdsUntilUseReplacesIt_andComesBackWithReset() throws {
    let routed = services.replacing(
        #""remote": "http://127.0.0.1:9""#,
        with: #""remote": "http://127.0.0.1:9", "route": {"weights": {"local": 3, "next": 1}}"#)
    try withMesh(routed) { mesh in
        try mesh.up()
        try mesh.ready("web", "web@next")
        #expect(try mesh.ps("web")["differs"] == false)
        #expect(try mesh.rows("route", "web") == ["REQUESTS TARGET", "all local 75%, next 25%"])
        let pid = try mesh.pid("web", instance: "web.1")
        try mesh.devmesh("use", "web", "local", code: 0)
        #expect(try mesh.rows("route", "web").first { $0.hasPrefix("all") } == "all local")
        #expect(try mesh.ps("web")["differs"] == true)
        // An edit of the manifest doesn't undo what a command chose, and a route restarts nothing.
        mesh.write(routed.replacing(#""next": 1}"#, with: #""next": 2}"#))
        try mesh.devmesh("up", "-d", code: 0)
        #expect(try mesh.rows("route", "web").first { $0.hasPrefix("all") } == "all local")
        try mesh.devmesh("use", "web", "--reset", code: 0)
        #expect(try mesh.rows("route", "web") == ["REQUESTS TARGET", "all local 60%, next 40%"])
        try mesh.ready("web@next")
        #expect(try mesh.pid("web", instance: "web.1") == pid)
    }
}

@Test func choices_ofRouteAndFault_liveThroughACrash_andDownForgetsThem() throws {
    try withMesh(services) { mesh in
        let up = try mesh.up()
        try mesh.ready("web")
        try mesh.devmesh("route", "web", "local=1", "next=1", "--mirror", "next", code: 0)
        try mesh.devmesh("fault", "web", "--delay", "1ms", code: 0)
        try mesh.devmesh("fault", "web", "--abort", "503", "--percent", "10", "--from", "reader", code: 0)
        let faults = [
            "CALLS OF HOW MANY DELAY THEN", "all others 100% 1ms go on", "reader 10% answer 503",
        ]
        #expect(try mesh.rows("fault", "web") == faults)
        up.signal(.kill)
        _ = try up.exit()
        mesh.killAll()
        try mesh.up()
        try mesh.ready("web", "web@next")
        #expect(try mesh.ps("web")["shares"]?.stringValue == "local 1, next 1")
        #expect(try mesh.route("web")["route"]?["mirror"] == "next")
        #expect(try mesh.rows("fault", "web") == faults)
        #expect(try mesh.devmesh("why", "web", code: 0).output.contains("answered with 503"))

        try mesh.devmesh("fault", "web", "--clear", "--from", "reader", code: 0)
        #expect(try mesh.rows("fault", "web") == ["CALLS OF HOW MANY DELAY THEN", "all 100% 1ms go on"])
        try mesh.devmesh("down", code: 0)
        try mesh.up()
        #expect(try mesh.rows("fault", "web") == ["Nothing is made to go wrong with requests to web."])
        #expect(try mesh.ps("web")["shares"] == nil && mesh.ps("web")["differs"] == false)
    }
}

@Test func fault_thatCannotBe_isRefused() throws {
    try withMesh(services) { mesh in
        try mesh.up()
        for (words, sentence) in [
            (["wbe", "--abort", "503"], "Did you mean \"web\"?"), (["worker", "--abort", "503"], "listens nowhere"),
            (["web", "--abort", "503", "--from", "db"], "can't be told from others"),
        ] {
            let result = try mesh.start(["fault"] + words).result()
            #expect(result.code == 1 && result.errors.contains(sentence), "\(words): \(result)")
        }
    }
}
