import JSON
import Platform
import TestSupport
import Testing

// When services start, and when they count as ready.

@Test func dependsOn_ready_waitsForIt() throws {
    let services = """
        {"web": {"run": "fixture serve http", "dependsOn": {"db": "ready"}},
         "db": {"run": "fixture serve echo", "ready": {"command": "test -e open", "interval": "20ms"}}}
        """
    try withMesh(services) { mesh in
        try mesh.up()
        try mesh.wait(["db"], for: "started")
        let row = try mesh.ps("web")
        #expect(row["state"] == "pending" && row["reason"]?.stringValue?.contains("db") == true)
        mesh.folder.write("open", "")
        try mesh.ready("web")
        #expect(try mesh.state("db") == "ready")
    }
}

@Test func dependsOn_started_doesNotWaitForReady() throws {
    let services = """
        {"web": {"run": "fixture serve http", "dependsOn": {"db": "started"}},
         "db": {"run": "fixture serve echo", "ready": {"command": "false", "interval": "50ms"}}}
        """
    try withMesh(services) { mesh in
        try mesh.up()
        try mesh.ready("web")
        #expect(try mesh.state("db") == "starting")
    }
}

@Test func dependsOn_completed_waitsForTheEnd() throws {
    let services = """
        {"web": {"run": "test -e migrated && exec fixture serve http", "restart": "never", "dependsOn": {"migrate": "completed"}},
         "migrate": {"run": "fixture sleep 200 && touch migrated", "oneShot": true, "listens": false}}
        """
    try withMesh(services) { mesh in
        try mesh.up()
        try mesh.ready("web")
        #expect(try mesh.state("migrate") == "completed")
    }
}

@Test func dependsOn_completedThatFails_keepsDependentPendingAndSaysWhy() throws {
    let services = """
        {"web": {"run": "fixture serve http", "dependsOn": {"migrate": "completed"}},
         "migrate": {"run": "fixture complain 'no schema' exit 2", "oneShot": true, "listens": false, "restart": "never"}}
        """
    try withMesh(services) { mesh in
        try mesh.up()
        try mesh.wait(["migrate"], for: "stopped")
        let row = try mesh.ps("web")
        #expect(row["state"] == "pending")
        #expect(row["reason"]?.stringValue?.contains("migrate") == true)
    }
}

@Test func start_startsStoppedDependencies() throws {
    try withMesh(
        #"{"web": {"run": "fixture serve http", "dependsOn": {"db": "ready"}}, "db": {"run": "fixture serve echo"}}"#
    ) { mesh in
        try mesh.up()
        try mesh.ready("web")
        try mesh.devmesh("stop", "web", "db", code: 0)
        try mesh.devmesh("start", "web", code: 0)
        #expect(try mesh.state("db") == "ready")
    }
}

@Test func ready_ofEachKind_isSeen() throws {
    let services = """
        {"tcp": {"run": "fixture sleep 100 serve echo"},
         "http": {"run": "fixture serve http", "ready": {"http": "/healthz"}},
         "command": {"run": "fixture sleep 100 serve http", "ready": {"command": "test -n \\"$PORT\\" && test -n \\"$SERVICE_NAME\\""}},
         "log": {"run": "fixture sleep 100 say 'Listening on 17' listen wait", "ready": {"log": "ening on [0-9]+"}},
         "never": {"run": "fixture serve http", "ready": {"http": "/status/500", "timeout": "300ms", "interval": "50ms"}}}
        """
    try withMesh(services) { mesh in
        try mesh.up()
        try mesh.ready("tcp", "http", "command", "log")
        #expect(try mesh.devmesh("wait", "never", "--timeout", "1s").code == 124)
        let row = try mesh.ps("never")
        #expect(row["state"] == "unready" && row["reason"]?.stringValue?.contains("500") == true)
        // It runs on, and what it accepts is passed on.
        #expect(try mesh.get("never").status == 200)
    }
}

@Test func live_failing_isUnreadyUntilItHeals() throws {
    let live = #"{"http": "/healthz", "interval": "50ms", "failures": 2}"#
    try withMesh("{\"web\": {\"run\": \"fixture serve http\", \"live\": \(live)}}") { mesh in
        try mesh.up()
        let events = try mesh.start("events", "-f", "--json")
        try mesh.ready("web")
        let pids = try mesh.pids("web")
        #expect(try mesh.get("web", "/fail").status == 200)
        try events.output.wait(for: "unready")
        #expect(try mesh.get("web", "/heal").status == 200)
        try mesh.ready("web")
        #expect(try mesh.pids("web") == pids)
        events.signal(.interrupt)
        #expect(try events.exit() == .exited(0))
    }
}

@Test func crash_isRetriedAndCounted() throws {
    try withMesh(#"{"web": {"run": "fixture once first 7 serve http"}}"#) { mesh in
        try mesh.up()
        try mesh.ready("web")
        #expect(try mesh.ps("web")["instances"]?[0]?["restarts"] == 1)
        #expect(try mesh.get("web").status == 200)
    }
}

@Test func oneShot_completes_andItsFrontSaysSo() throws {
    try withMesh(#"{"job": {"run": "fixture say done", "oneShot": true}}"#) { mesh in
        let up = try mesh.up()
        try mesh.wait(["job"], for: "completed")
        try up.output.wait(for: "done")
        #expect(try mesh.get("job").status == 503)
        try mesh.devmesh("restart", "job", code: 0)
        try up.output.wait(for: "done", count: 2)
    }
}
