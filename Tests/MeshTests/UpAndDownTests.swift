import JSON
import Platform
import TestSupport
import Testing

// How a mesh ends, and what is left then: nothing.

@Test func up_interrupted_stopsEverythingAndExits0() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}, "worker": {"run": "fixture wait", "listens": false}}"#) {
        mesh in
        let up = try mesh.up()
        try mesh.ready("web", "worker")
        #expect(try mesh.get("web").status == 200)
        up.signal(.interrupt)
        #expect(try up.exit() == .exited(0))
        #expect(mesh.processes().isEmpty)
    }
}

@Test(arguments: [Signal.terminate, .hangup]) func up_toldToEnd_isAGracefulDown(signal: Signal) throws {
    try withMesh(#"{"web": {"run": "fixture tell TERM serve http", "stop": {"timeout": "200ms"}}}"#) { mesh in
        let up = try mesh.up()
        try mesh.ready("web")
        up.signal(signal)
        #expect(try up.exit() == .exited(0))
        #expect(up.output.text.contains("got TERM"))
    }
}

/// As a terminal sends it: to the whole group that `up` is in.
@Test func interrupt_once_reachesChildOnce() throws {
    let run = #""fixture tell TERM tell INT say started wait", "listens": false, "stop": {"timeout": "300ms"}"#
    try withMesh("{\"worker\": {\"run\": \(run)}}") { mesh in
        let up = try mesh.up()
        try up.output.wait(for: "started")
        up.signal(.interrupt, group: true)
        #expect(try up.exit() == .exited(0))
        let lines = try up.result().output
        #expect(lines.ranges(of: "got TERM").count == 1)
        #expect(!lines.contains("got INT"))
    }
}

@Test func up_twoInterrupts_noSurvivors() throws {
    let run = #""fixture tell TERM ignore INT child setsid daemon wait", "listens": false, "stop": {"timeout": "60s"}"#
    try withMesh("{\"deaf\": {\"run\": \(run)}}") { mesh in
        let up = try mesh.up()
        try up.output.wait(for: "daemon")
        up.signal(.interrupt)
        try up.output.wait(for: "got TERM")
        let began = Instant.now
        up.signal(.interrupt)
        #expect(try up.exit() == .exited(1))
        #expect(Instant.now - began < patience(.seconds(20)))
        #expect(mesh.processes().isEmpty)
    }
}

@Test func stop_setsidAndDoubleForkedDaemon_goneWhenDownReturns() throws {
    let run = #""fixture setsid daemon wait", "listens": false, "stop": {"timeout": "200ms"}"#
    try withMesh("{\"clinging\": {\"run\": \(run)}}") { mesh in
        let up = try mesh.up()
        try up.output.wait(for: "daemon")
        #expect(mesh.servants().count == 3)
        try mesh.devmesh("down", code: 0)
        #expect(mesh.servants().isEmpty)
        #expect(try up.exit() == .exited(0))
    }
}

@Test func down_whereNothingIsUp_0() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}}"#) { mesh in
        try mesh.devmesh("down", code: 0)
    }
}

/// As `git clean` does it: the lock that `down` waits for is gone, and the next mesh has another.
@Test func down_whoseStateFolderWasRemoved_leavesTheNextMeshItsSocket() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}}"#) { mesh in
        for _ in 1...3 {
            try mesh.devmesh("up", "-d", code: 0)
            Kernel.real.removeTree(mesh.folder.path + "/.devmesh")
            try mesh.devmesh("down", code: 0)
        }
        try mesh.devmesh("up", "--wait", code: 0)
        #expect(try mesh.state("web") == "ready")
    }
}

@Test(arguments: [false, true]) func mesh_whoseSocketWasRemoved_isNamedByUpAndDown(withItsRecord: Bool) throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}}"#) { mesh in
        let up = try mesh.up()
        let pid = try mesh.supervisor().pid
        Kernel.real.removeTree(mesh.folder.path + "/run/devmesh")
        if withItsRecord { try Kernel.real.remove(mesh.folder.path + "/.devmesh/services.json/mesh.json") }
        for words in [["down"], ["up"], ["up", "-d"]] {
            let result = try mesh.start(words).result()
            #expect(result.code == 1 && result.errors.contains("somebody removed its control socket"), "\(result)")
            #expect(result.errors.contains("`kill \(pid)` ends it"), "\(result)")
        }
        up.signal(.terminate)
        #expect(try up.exit() == .exited(0))
        try mesh.devmesh("down", code: 0)
    }
}

@Test func upWait_ofOneService_doesNotMindTheOthers() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}, "bad": {"run": "fixture exit 7", "restart": "never"}}"#) {
        mesh in
        try mesh.up()
        try mesh.wait(["bad"], for: "stopped")
        try mesh.devmesh("up", "--wait", "web", code: 0)
        try mesh.devmesh("up", "--wait", "--local", "web", code: 0)
        #expect(try mesh.devmesh("up", "--wait", code: 1).errors.contains("bad failed"))
    }
}

@Test func worker_thatExitsAtOnce_isNotCalledUp() throws {
    try withMesh(#"{"worker": {"run": "exec nosuch_program", "listens": false, "restart": "never"}}"#) { mesh in
        try mesh.up()
        for verb in ["start", "restart"] {
            #expect(try mesh.devmesh(verb, "worker", code: 1).errors.contains("it exited with status 127"))
        }
    }
}

@Test func serviceThatRunsElsewhere_canNeitherBeScaledNorRestarted() throws {
    try withMesh(#"{"far": {"remote": "http://127.0.0.1:1"}, "job": {"run": "true", "oneShot": true}}"#) { mesh in
        try mesh.up()
        for words in [["scale", "far=3"], ["restart", "far"]] {
            let result = try mesh.start(words).result()
            #expect(result.code == 1 && result.errors.contains("far can't run here"), "\(result)")
        }
        #expect(try mesh.devmesh("scale", "job=2", code: 1).errors.contains("runs once"))
        try mesh.devmesh("scale", "job=0", code: 2)
        #expect(try mesh.devmesh("wait", "job", code: 0).output == "job is completed.\n")
        #expect(try mesh.devmesh("use", "far", "local", code: 1).errors.contains("far has no local; give its entry"))
    }
}

@Test func why_saysEachReasonOnce() throws {
    try withMesh(
        #"{"bad": {"run": "exit 7", "restart": "never", "listens": false}, "next": {"run": "x", "dependsOn": {"bad": "completed"}}}"#
    ) { mesh in
        try mesh.up()
        try mesh.wait(["bad"], for: "stopped")
        for (service, reason) in [("bad", "it exited with status 7"), ("next", "it waits for bad")] {
            let why = try JSON(parsing: mesh.devmesh("why", service, "--json", code: 0).output)
            #expect(why["reason"]?.stringValue?.contains(reason) == true)
            let details = (why["details"]?.arrayValue ?? []).compactMap(\.stringValue)
            // What happened, with its time, is another matter.
            #expect(!details.contains { $0.contains(reason) && !$0.hasPrefix("20") }, "\(details)")
        }
    }
}

@Test func up_inTheBackground_staysUntilDown() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}}"#) { mesh in
        try mesh.devmesh("up", "--wait", code: 0)
        #expect(try mesh.get("web").status == 200)
        try mesh.devmesh("down", code: 0)
        #expect(mesh.processes().isEmpty)
    }
}

@Test func up_waitingForOneThatFails_1() throws {
    try withMesh(#"{"web": {"run": "fixture complain 'no database' exit 3", "restart": "never"}}"#) { mesh in
        let result = try mesh.devmesh("up", "--wait", code: 1)
        #expect(result.errors.contains("web failed"))
        #expect(result.errors.contains("status 3"))
    }
}

@Test func up_twice_followsAndRestartsOnlyChanged() throws {
    let web = #""web": {"run": "fixture serve http"}"#
    let old = #""old": {"run": "fixture serve http"}"#
    let before = #""other": {"run": "fixture env COLOUR serve http", "env": {"COLOUR": "red"}}"#
    try withMesh("{\(web), \(before), \(old)}") { mesh in
        try mesh.up()
        try mesh.ready("web", "other", "old")
        let kept = try mesh.pids("web")
        let changed = try mesh.pids("other")

        let after = before.replacing("red", with: "green")
        mesh.write("{\"new\": {\"run\": \"fixture serve http\"}, \(after), \(web)}")
        let second = try mesh.start("up")
        try second.errors.wait(for: "is up already")
        let said = second.errors.text
        #expect(said.contains("started new") && said.contains("restarted other") && said.contains("removed old"))
        try mesh.ready("new", "other")
        #expect(try mesh.pids("web") == kept)
        #expect(try mesh.pids("other") != changed)
        try second.output.wait(for: "COLOUR=green")
        #expect(mesh.servants().count == 3)

        second.signal(.interrupt)
        #expect(try second.exit() == .exited(0))
        #expect(try second.result().errors.contains("Detached"))
        #expect(try mesh.state("web") == "ready")
    }
}

@Test func up_ofSome_startsThemAndWhatTheyDependOnOnly() throws {
    let services = """
        {"web": {"run": "fixture serve http", "dependsOn": {"db": "ready"}}, "db": {"run": "fixture serve echo"},
         "other": {"run": "fixture serve http"}}
        """
    try withMesh(services) { mesh in
        try mesh.up("web")
        try mesh.ready("web", "db")
        #expect(try mesh.state("other") == "stopped")
        #expect(try mesh.get("other").status == 503)
        try mesh.devmesh("start", "other", code: 0)
        #expect(try mesh.get("other").status == 200)
    }
}

@Test func up_fiveAtOnce_oneMesh() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}}"#) { mesh in
        let ups = try (0..<5).map { _ in try mesh.start("up", "--wait") }
        for up in ups { #expect(try up.result().code == 0) }
        #expect(mesh.servants().count == 1)
        #expect(try mesh.get("web").status == 200)
    }
}

@Test func up_whoseReaderGoes_goesDown() throws {
    try withMesh(#"{"chatty": {"run": "while :; do echo line; sleep 0.02; done", "listens": false}}"#) { mesh in
        let result = try mesh.shell("devmesh up | head -2")
        #expect(result.output.contains("line"))
        #expect(mesh.servants().isEmpty)
    }
}

@Test func up_programOrFolderMissing_saysWhich() throws {
    let services = #"{"a": {"run": ["no-such-program"]}, "b": {"run": "fixture wait", "directory": "no-such-folder"}}"#
    try withMesh(services) { mesh in
        try mesh.up()
        try mesh.wait(["a", "b"], for: "stopped")
        #expect(try mesh.ps("a")["reason"]?.stringValue?.contains("no-such-program") == true)
        #expect(try mesh.ps("b")["reason"]?.stringValue?.contains("no-such-folder") == true)
    }
}

@Test func up_servicesTakenBackOnTheirWayOut_runAgain() throws {
    let rest = #""other": {"run": "fixture wait", "listens": false}"#
    let stop = #""stop": {"timeout": "700ms"}"#
    let worker = "\"worker\": {\"run\": \"fixture tell TERM wait\", \"listens\": false, \(stop)}"
    let web = "\"web\": {\"run\": \"fixture tell TERM serve http\", \(stop)}"
    let whole = "{\(rest), \(worker), \(web)}"
    try withMesh(whole) { mesh in
        let up = try mesh.up()
        try mesh.ready("worker", "web", "other")
        mesh.write("{\(rest)}")
        let first = try mesh.start("up", "-d")
        try up.output.wait(for: "got TERM", count: 2)
        mesh.write(whole)
        try mesh.devmesh("up", "-d", code: 0)
        #expect(try first.exit() == .exited(0))
        try mesh.ready("worker", "web")
        #expect(try mesh.get("web").status == 200)
        #expect(try mesh.pids("worker").count == 1)
    }
}

@Test func up_frontMoved_listensOnTheNewPortOnly() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}}"#) { mesh in
        try mesh.up()
        try mesh.ready("web")
        let former = try mesh.port("web")
        let port = try freePort()
        mesh.write("{\"web\": {\"run\": \"fixture serve http\", \"port\": \(port)}}")
        try mesh.devmesh("up", "-d", code: 0)
        #expect(try mesh.port("web") == port)
        #expect(try mesh.get("web").status == 200)
        #expect(throws: (any Error).self) { try MeshClient(port: former).get("/") }
    }
}

@Test func up_portsOfTwoServicesSwapped_eachListensOnTheOthers() throws {
    let run = #""run": "fixture serve http""#
    func services(_ a: Int, _ b: Int) -> String { "{\"a\": {\(run), \"port\": \(a)}, \"b\": {\(run), \"port\": \(b)}}" }
    let one = try freePort()
    let two = try freePort()
    try withMesh(services(one, two)) { mesh in
        try mesh.up()
        try mesh.ready("a", "b")
        mesh.write(services(two, one))
        try mesh.devmesh("up", "-d", code: 0)
        #expect(try MeshClient(port: two).get("/").body.hasPrefix("a.1 "))
        #expect(try MeshClient(port: one).get("/").body.hasPrefix("b.1 "))
    }
}

private func freePort() throws -> Int { try Kernel.real.localAddress(Kernel.real.listen(at: .loopback(0)))!.port! }

@Test func down_duringABuildThatWasAskedFor_endsItToo() throws {
    try withMesh(
        #"{"web": {"run": "fixture serve http", "build": "test ! -e b || fixture say building wait; touch b"}}"#
    ) { mesh in
        let up = try mesh.up()
        try mesh.ready("web")
        let build = try mesh.start("build", "web")
        try up.output.wait(for: "building")
        try mesh.devmesh("down", code: 0)
        #expect(mesh.processes().isEmpty)
        let result = try build.result()
        #expect(result.errors.contains("web was stopped meanwhile"))
    }
}

@Test func down_whileSomebodyWaits_answersThem() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}}"#) { mesh in
        try mesh.up()
        try mesh.ready("web")
        let waiting = try mesh.control()
        try waiting.request(
            "/v1/services/wait", method: "POST", body: #"{"services": ["web"], "for": "completed"}"#)
        let down = try mesh.control()
        try down.request("/v1/down", method: "POST")
        let answer = try waiting.response()
        #expect(answer.body.contains(#""timedOut":false"#) && answer.body.contains(#""reached":false"#))
        #expect(try down.response().status == 200)
    }
}

@Test func upInTheBackground_whereItsLogCantBeWritten_namesIt() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}}"#) { mesh in
        mesh.folder.write(".devmesh/services.json/supervisor.log/in-the-way", "")
        let said = try mesh.devmesh("up", "-d", code: 1).errors
        #expect(said.contains("Can't write \(mesh.folder.path)/.devmesh/services.json/supervisor.log: "))
    }
}
