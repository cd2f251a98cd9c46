import JSON
import Platform
import TestSupport
import Testing

// `stop`, `restart` and what may get in their way.

@Test func stop_leaderWithChildTrappingTerm_goneWhenStopReturns() throws {
    let run = #""fixture child serve http", "stop": {"timeout": "200ms"}"#
    try withMesh("{\"web\": {\"run\": \(run)}, \"other\": {\"run\": \"fixture serve http\"}}") { mesh in
        try mesh.up()
        try mesh.ready("web", "other")
        let kept = try mesh.pids("other")
        try mesh.devmesh("stop", "web", code: 0)
        #expect(mesh.servants().map(\.pid) == kept)
        #expect(try mesh.state("web") == "stopped")
    }
}

/// The shell dies of TERM at once, its child doesn't.
@Test func stop_shellWithChildTrappingTerm_goneWhenStopReturns() throws {
    let run = #""fixture ignore TERM say up wait & wait", "listens": false, "stop": {"timeout": "200ms"}"#
    try withMesh("{\"worker\": {\"run\": \(run)}}") { mesh in
        let up = try mesh.up()
        try up.output.wait(for: "up")
        try mesh.devmesh("stop", "worker", code: 0)
        #expect(mesh.servants().isEmpty)
    }
}

/// With a stop timeout of a minute: who waits for the end of stdout, which the daemon holds, hangs.
@Test func stop_grandchildHoldingStdout_doesNotHang() throws {
    let run = #""fixture daemon trap TERM 0 0 say up wait", "listens": false, "stop": {"timeout": "1s"}"#
    try withMesh("{\"worker\": {\"run\": \(run)}}") { mesh in
        let up = try mesh.up()
        try up.output.wait(for: "up")
        let began = Instant.now
        try mesh.devmesh("stop", "worker", code: 0)
        #expect(Instant.now - began < patience(.seconds(15)))
        #expect(mesh.servants().isEmpty)
    }
}

/// As those of nginx and redis: nothing in its environment says whose it is. Neither what ends elsewhere nor a probe
/// takes it away, nor does what a build left behind keep it from ending with its service.
@Test func daemonThatWipedItsEnvironment_isItsServicesOwn() throws {
    let services = #"""
        {"web": {"run": "fixture detach serve http", "live": {"command": "true", "interval": "20ms"}},
         "built": {"build": "fixture setsid exit 0", "run": "fixture wait", "listens": false}}
        """#
    try withMesh(services) { mesh in
        try mesh.up()
        try mesh.ready("web", "built")
        let leader = try #require(mesh.pids("web").first)
        let daemon = try #require(Int32(mesh.get("web").body.split(separator: " ")[1]))
        #expect(daemon != leader)
        let entry = try #require(ProcessTable.entry(daemon))
        for _ in 1...3 { try mesh.devmesh("restart", "built", code: 0) }
        #expect(entry.isAlive)
        #expect(try mesh.get("web").status == 200)
        try mesh.devmesh("stop", "web", code: 0)
        #expect(!entry.isAlive)
    }
}

@Test func exit_leavingAGrandchildWithStdout_isSeenAtOnce() throws {
    let run = #""fixture daemon exit 3", "listens": false, "restart": "never", "stop": {"timeout": "200ms"}"#
    try withMesh("{\"worker\": {\"run\": \(run)}}") { mesh in
        try mesh.up()
        try mesh.wait(["worker"], for: "stopped")
        #expect(try mesh.ps("worker")["reason"]?.stringValue?.contains("status 3") == true)
        // What it left behind gets its time to end.
        try mesh.devmesh("stop", "worker", code: 0)
        #expect(mesh.servants().isEmpty)
    }
}

@Test func stop_toTheLeaderOnly_leavesItsChildrenToIt() throws {
    let run = #""trap 'kill $child; wait; exit 0' TERM; fixture tell TERM say up wait & child=$!; wait""#
    let stop = #"{"to": "leader", "timeout": "500ms"}"#
    try withMesh("{\"worker\": {\"run\": \(run), \"listens\": false, \"stop\": \(stop)}}") { mesh in
        let up = try mesh.up()
        try up.output.wait(for: "up")
        try mesh.devmesh("stop", "worker", code: 0)
        #expect(up.output.text.ranges(of: "got TERM").count == 1)
        #expect(mesh.servants().isEmpty)
    }
}

@Test func restart_hundredConcurrently_endsConsistent() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}, "other": {"run": "fixture serve http"}}"#) { mesh in
        try mesh.up()
        try mesh.ready("web", "other")
        let kept = try mesh.pids("other")
        let callers = try (0..<100).map { _ in try mesh.control() }
        let body = #"{"services": ["web"]}"#
        for caller in callers {
            try caller.request(
                "/v1/services/restart", method: "POST", fields: ["Content-Type: application/json"], body: body)
        }
        for caller in callers {
            let answer = try caller.response()
            #expect(answer.status == 200 && answer.body.contains("\"ok\":true"), "\(answer)")
        }
        try mesh.ready("web")
        let pids = try mesh.pids("web")
        #expect(pids.count == 1)
        #expect(Set(mesh.servants().map(\.pid)) == Set(pids + kept))
        #expect(try mesh.get("web").body.contains("\(try #require(pids.first))"))
    }
}

@Test func stop_duringRestart_endsStopped() throws {
    let run = #""fixture trap TERM 300 0 serve http""#
    try withMesh("{\"web\": {\"run\": \(run)}}") { mesh in
        let up = try mesh.up()
        try mesh.ready("web")
        let restart = try mesh.start("restart", "web")
        try up.output.wait(for: "got TERM")
        try mesh.devmesh("stop", "web", code: 0)
        let result = try restart.result()
        #expect(result.code == 1)
        #expect(try mesh.state("web") == "stopped")
        #expect(mesh.servants().isEmpty)
    }
}

@Test func restart_whileWaitingOnDependency_returnsWhenReady() throws {
    let services = """
        {"db": {"run": "fixture serve echo", "ready": {"command": "test -e open", "interval": "20ms"}},
         "web": {"run": "fixture serve http", "dependsOn": {"db": "ready"}}}
        """
    try withMesh(services) { mesh in
        try mesh.up()
        #expect(try mesh.state("web") == "pending")
        let restart = try mesh.start("restart", "web")
        mesh.folder.write("open", "")
        #expect(try restart.result().code == 0)
        #expect(try mesh.state("web") == "ready")
        #expect(mesh.servants().count == 2)
    }
}

@Test func restart_failedBuild_oldKeepsServing_exit1WithOutput() throws {
    let build = #""test ! -e broken || { echo no such symbol; exit 1; }""#
    try withMesh("{\"web\": {\"build\": \(build), \"run\": \"fixture serve http\"}}") { mesh in
        try mesh.up()
        try mesh.ready("web")
        try mesh.devmesh("restart", "web", code: 0)
        let pids = try mesh.pids("web")
        mesh.folder.write("broken", "")
        let result = try mesh.devmesh("restart", "web", code: 1)
        #expect(result.errors.contains("no such symbol"))
        #expect(try mesh.pids("web") == pids)
        #expect(try mesh.get("web").status == 200)
        #expect(try mesh.devmesh("build", "web").code == 1)
        #expect(try mesh.devmesh("logs", "web").output.contains("no such symbol"))
    }
}

@Test func ipc_twoRestartsAtOnce_answersNotSwapped() throws {
    let services = """
        {"good": {"run": "fixture serve http"},
         "bad": {"run": "fixture serve http", "build": "test ! -e broken || { echo bad is broken; exit 1; }"}}
        """
    try withMesh(services) { mesh in
        try mesh.up()
        try mesh.ready("good", "bad")
        mesh.folder.write("broken", "")
        for _ in 0..<5 {
            let (good, bad) = (try mesh.start("restart", "good"), try mesh.start("restart", "bad"))
            let (fine, failed) = (try good.result(), try bad.result())
            #expect(fine.code == 0 && !fine.errors.contains("bad"))
            #expect(failed.code == 1 && failed.errors.contains("bad is broken"))
        }
    }
}
