import JSON
import Platform
import TestSupport
import Testing

// Versions as targets: units of their own behind the service's one front.

/// `web` here and as version `next`, told apart by their pids; `extra` are further versions.
private func services(_ extra: String = "", besides more: String = "") -> String {
    """
    {"web": {"run": "fixture serve http", "ready": {"http": "/healthz"},
             "versions": {"next": {"env": {"LOOK": "new"}, "run": "fixture env LOOK serve http"}\(extra)}}\(more)}
    """
}

extension MeshFixture {
    /// The pid of an instance as `ps` has it; nil where it has none.
    func pid(_ service: String, instance id: String) throws -> Int? {
        (try ps(service)["instances"]?.arrayValue ?? []).first { $0["id"]?.stringValue == id }?["pid"]?.intValue
    }

    /// Whether the front of `web` leads to that instance.
    func isServed(by id: String) throws -> Bool {
        guard let pid = try pid("web", instance: id) else { return false }
        return try get("web").body.hasPrefix("web.1 \(pid) ")
    }
}

@Test func use_version_underLoad_losesNothing() throws {
    try withMesh(services()) { mesh in
        try mesh.up()
        try mesh.ready("web")
        #expect(try mesh.isServed(by: "web.1"))
        let load = try Load(port: mesh.port("web"))
        for target in ["next", "local", "next"] {
            try mesh.devmesh("use", "web", target, code: 0)
            #expect(try mesh.isServed(by: target == "next" ? "web@next.1" : "web.1"))
            #expect(try mesh.ps("web")["target"]?.stringValue == target)
        }
        #expect(try mesh.ps("web")["differs"] == true)
        try mesh.devmesh("restart", "web", code: 0)
        try mesh.devmesh("use", "web", "--reset", code: 0)
        #expect(try mesh.ps("web")["differs"] == false)
        let answers = try load.stop()
        #expect(
            answers.count > 5 && answers.allSatisfy { $0.hasPrefix("200 ") },
            "\(answers.filter { !$0.hasPrefix("200 ") })")
    }
}

@Test func use_versions_underAClientThatKeepsItsConnection_losesNothing() throws {
    try withMesh(services()) { mesh in
        try mesh.up()
        try mesh.ready("web")
        let client = try MeshClient(port: mesh.port("web"))
        var pids: [Substring?] = []
        for target in ["next", "local", "next"] {
            try mesh.devmesh("use", "web", target, code: 0)
            let response = try client.get("/")
            #expect(response.status == 200)
            pids.append(response.body.split(separator: " ").dropFirst().first)
        }
        #expect(pids[0] == pids[2] && pids[0] != pids[1])
    }
}

@Test func use_sameVersionTwiceAtOnce_bothSucceed() throws {
    try withMesh(services(", \"late\": {\"ready\": {\"command\": \"test -e go\"}}")) { mesh in
        try mesh.up()
        try mesh.ready("web")
        let events = try mesh.start("events", "-f", "--json")
        let first = try mesh.start("use", "web", "late")
        try events.output.wait(for: #""service":"web@late","event":"started""#)
        let second = try mesh.start("use", "web", "late")
        mesh.folder.write("go", "")
        #expect(try first.result().code == 0 && second.result().code == 0)
        #expect(try mesh.isServed(by: "web@late.1"))
    }
}

@Test func use_versionThatFails_leavesTheOldServing() throws {
    let extra = """
        , "crash": {"run": "fixture exit 3", "restart": "never"}, "broken": {"build": "echo no such header; exit 4"},
        "mute": {"ready": {"http": "/status/500", "timeout": "200ms"}}
        """
    try withMesh(services(extra)) { mesh in
        try mesh.up()
        try mesh.ready("web")
        let pid = try mesh.pids("web")
        let crash = try mesh.devmesh("use", "web", "crash", code: 1)
        #expect(crash.errors.contains("web could not be served by crash: it exited with status 3"))
        let broken = try mesh.devmesh("use", "web", "broken", code: 1)
        #expect(broken.errors.contains("no such header\n") && broken.errors.contains("the build of web@broken failed"))
        let mute = try mesh.devmesh("use", "web", "mute", code: 1)
        #expect(mute.errors.contains("not ready after 200 ms"))
        try mesh.wait(["web@crash", "web@broken", "web@mute"], for: "stopped")
        #expect(try mesh.pids("web") == pid && mesh.servants().count == 1)
        #expect(try mesh.ps("web")["target"]?.stringValue == "local")
        #expect(try mesh.ps("web")["differs"] == false)
        #expect(try mesh.isServed(by: "web.1"))
        let remote = try mesh.devmesh("use", "web", "remote", code: 1)
        #expect(remote.errors.contains("web has no remote; give its entry in the manifest a `remote`"))
        let unknown = try mesh.devmesh("use", "web", "nxet", code: 1)
        #expect(unknown.errors.contains("it has local, next, crash, broken, mute"))
        #expect(unknown.errors.contains("it is in no git repository). Did you mean \"next\"?"))
    }
}

@Test func use_whileAnotherIsUnderWay_winsOverIt() throws {
    try withMesh(services(", \"late\": {\"ready\": {\"command\": \"test -e go\"}}")) { mesh in
        try mesh.up()
        try mesh.ready("web")
        let events = try mesh.start("events", "-f", "--json")
        let late = try mesh.start("use", "web", "late")
        try events.output.wait(for: #""service":"web@late","event":"started""#)
        try mesh.devmesh("use", "web", "next", code: 0)
        mesh.folder.write("go", "")
        let result = try late.result()
        #expect(result.code == 1 && result.errors.contains("web was switched meanwhile; it is served from next"))
        #expect(try mesh.isServed(by: "web@next.1"))
        try mesh.devmesh("stop", "web@late", code: 0)
        #expect(try mesh.pid("web", instance: "web@late.1") == nil)
    }
}

@Test func target_version_isStartedInPlaceOfLocal() throws {
    let more = ", \"reader\": {\"run\": \"fixture serve http\", \"dependsOn\": {\"web\": \"ready\"}}"
    let manifest = services(besides: more).replacing("\"ready\":", with: "\"target\": \"next\", \"ready\":")
    try withMesh(manifest) { mesh in
        let up = try mesh.up()
        try mesh.ready("web", "reader")
        #expect(up.errors.text.contains("next"))
        #expect(mesh.servants().count == 2)
        #expect(try mesh.isServed(by: "web@next.1"))
        #expect(try mesh.ps("web")["differs"] == false)
        try mesh.devmesh("down", code: 0)

        try mesh.up("--local", "web")
        try mesh.ready("web")
        #expect(try mesh.isServed(by: "web.1"))
        #expect(try mesh.ps("web")["differs"] == true)
    }
}

@Test func chosenVersion_survivesAKilledSupervisor_andDownForgetsIt() throws {
    try withMesh(services()) { mesh in
        let up = try mesh.up()
        try mesh.ready("web")
        try mesh.devmesh("use", "web", "next", code: 0)
        up.signal(.kill)
        _ = try up.exit()
        for entry in mesh.servants() where mesh.isInAMesh(entry.pid) { ProcessTable.signal(entry, .kill) }

        try mesh.up()
        try mesh.ready("web")
        #expect(try mesh.isServed(by: "web@next.1") && mesh.servants().count == 1)
        try mesh.devmesh("down", code: 0)

        try mesh.up()
        try mesh.ready("web")
        #expect(try mesh.isServed(by: "web.1"))
    }
}

@Test func commands_takeAVersionAsTheyTakeAService() throws {
    try withMesh(services()) { mesh in
        try mesh.up()
        try mesh.ready("web")
        let local = try mesh.pids("web")
        try mesh.devmesh("start", "web@next", code: 0)
        let before = try mesh.pid("web", instance: "web@next.1")
        #expect(try mesh.devmesh("restart", "WEB@next", code: 0).output == "web@next is restarted.\n")
        let after = try mesh.pid("web", instance: "web@next.1")
        #expect(before != nil && after != nil && before != after)
        #expect(try mesh.pid("web", instance: "web.1").map(Int32.init) == local.first)
        #expect(try mesh.isServed(by: "web.1"))

        #expect(try mesh.devmesh("env", "web@next", code: 0).output.contains("LOOK='new'\n"))
        let name = try mesh.devmesh("exec", "web@next", "--", "sh", "-c", "echo $LOOK $SERVICE_NAME", code: 0)
        #expect(name.output == "new web\n")
        #expect(try mesh.devmesh("why", "web@next", code: 0).output.contains("web is served from local"))
        #expect(try mesh.logs("web@next").allSatisfy { $0["service"] == "web@next" })
        #expect(Set(try mesh.logs("web").compactMap { $0["service"]?.stringValue }) == ["web", "web@next"])
        #expect(try mesh.logs("web").contains { $0["instance"] == "web@next.1" && $0["line"] == "LOOK=new" })
        let wrong = try mesh.devmesh("restart", "web@nxt", code: 1)
        #expect(wrong.errors.contains("There is no service \"web@nxt\""))

        try mesh.devmesh("use", "web", "next", code: 0)
        #expect(try mesh.devmesh("why", "web", code: 0).output.contains("it is served from its version next"))
        #expect(try mesh.devmesh("stop", "web", code: 0).output == "web is stopped.\n")
        #expect(mesh.servants().isEmpty)
        #expect(try mesh.get("web").status == 503)
        try mesh.devmesh("start", "web", code: 0)
        #expect(try mesh.isServed(by: "web@next.1") && mesh.servants().count == 1)
        #expect(try mesh.devmesh("start", "web@local", code: 0).output == "web@local is up.\n")
        #expect(mesh.servants().count == 2)
        #expect(try mesh.devmesh("stop", "web@local", code: 0).output == "web@local is stopped.\n")
        #expect(try mesh.isServed(by: "web@next.1") && mesh.servants().count == 1)
        try mesh.devmesh("scale", "web=2", code: 0)
        #expect(
            try mesh.ps("web")["instances"]?.arrayValue?.compactMap { $0["id"]?.stringValue } == [
                "web@next.1", "web@next.2",
            ])
    }
}

@Test func logs_followed_showVersionsThatComeLater() throws {
    try withMesh(services()) { mesh in
        try mesh.up()
        try mesh.ready("web")
        let logs = try mesh.start("logs", "-f", "web")
        try logs.output.wait(for: "listening")
        try mesh.devmesh("use", "web", "next", code: 0)
        try logs.output.wait(for: "LOOK=new")
        #expect(logs.output.lines.contains { $0.hasPrefix("web@next") && $0.hasSuffix("| LOOK=new") })
    }
}

@Test func up_again_touchesOnlyTheVersionThatChanged() throws {
    try withMesh(services()) { mesh in
        try mesh.up()
        try mesh.ready("web")
        try mesh.devmesh("use", "web", "next", "--keep", code: 0)
        let local = try mesh.pid("web", instance: "web.1")
        let next = try mesh.pid("web", instance: "web@next.1")
        mesh.write(services().replacing("\"new\"", with: "\"newer\""))
        let report = try mesh.devmesh("up", "--wait", code: 0)
        #expect(report.errors.contains("web@next"))
        #expect(try mesh.pid("web", instance: "web.1") == local)
        #expect(try mesh.pid("web", instance: "web@next.1") != next)
        #expect(try mesh.isServed(by: "web@next.1"))
        #expect(try mesh.logs("web@next").contains { $0["line"] == "LOOK=newer" })

        let load = try Load(port: mesh.port("web"))
        mesh.write(#"{"web": {"run": "fixture serve http", "ready": {"http": "/healthz"}}}"#)
        try mesh.devmesh("up", "--wait", code: 0)
        #expect(try mesh.isServed(by: "web.1") && mesh.servants().count == 1)
        #expect(try mesh.pid("web", instance: "web.1") == local)
        let answers = try load.stop()
        #expect(answers.allSatisfy { $0.hasPrefix("200 ") }, "\(answers.filter { !$0.hasPrefix("200 ") })")

        mesh.write(services().replacing("\"ready\":", with: "\"target\": \"next\", \"ready\":"))
        try mesh.devmesh("up", "--wait", code: 0)
        try mesh.wait(["web@next"], for: "ready")
    }
}

@Test func versionThatACallerInsistsOn_isUpBesideWhatServes() throws {
    let more = ", \"reader\": {\"run\": \"fixture serve http\", \"uses\": [\"web@next\"]}"
    try withMesh(services(besides: more)) { mesh in
        try mesh.up()
        try mesh.ready("web", "web@next", "reader")
        #expect(try mesh.isServed(by: "web.1"))
        #expect(try mesh.pid("web", instance: "web@next.1") != nil)
    }
}
