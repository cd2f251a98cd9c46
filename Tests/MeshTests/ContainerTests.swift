import JSON
import Platform
import TestSupport
import Testing

// Services in containers, by a program that stands in for docker: see Fixtures/containers/docker.

private let fixtureText = JSON.string(fixtureProgram).serialized()

private func container(_ verbs: String, _ more: String = "") -> String {
    #"{"container": {"image": "any", "command": [\#(fixtureText), \#(verbs)]}\#(more)}"#
}

private func isAlive(_ pid: Int32) -> Bool {
    ProcessTable.snapshot().entries.contains { $0.pid == pid && !$0.isZombie }
}

extension MeshFixture {
    private var standIn: String { folder.path + "/docker" }

    /// What the mesh needs to find the stand-in, whose daemon runs from now on.
    fileprivate func startDocker() throws -> [String: String] {
        let docker = Path.join(Fixtures.path, "containers/docker")
        let daemon = try start(program: docker, ["docker", "daemon"], environment: ["STAND_IN": standIn])
        try daemon.output.wait(for: "ready")
        return ["STAND_IN": standIn, "PATH": Path.parent(docker) + ":" + environment["PATH"]!]
    }

    /// The containers that there are, by name.
    fileprivate var containers: [String] { (try? Kernel.real.list(standIn + "/containers")) ?? [] }

    fileprivate func containerPid() throws -> Int32 {
        guard let name = containers.first,
            let text = folder.read("docker/containers/\(name)/pid"), let pid = Int32(text.dropLast())
        else { throw MeshFailure("there is no container") }
        return pid
    }
}

@Test func container_runs_withItsOwnVariablesAlone() throws {
    let env = #", "uses": ["web"], "env": {"TOKEN": "hush", "PATH_INSIDE": "1"}"#
    let names = ["TOKEN", "SERVICE_WEB_ADDRESS", "HOME", "SERVICE_NAME", "SERVICE_ADDRESS"]
    let verbs = names.map { "\"env\", \"\($0)\", " }.joined() + #""serve", "http""#
    try withMesh("{\"db\": \(container(verbs, env)), \"web\": {\"run\": \"fixture serve http\"}}") { mesh in
        try mesh.up(environment: mesh.startDocker())
        try mesh.ready("db", "web")
        #expect(try mesh.get("db").body.contains(" GET /"))
        let lines = try mesh.logs("db").compactMap { $0["line"]?.stringValue }
        let edge = try mesh.port("web", from: "db")
        #expect(lines.contains("TOKEN=hush"))
        #expect(lines.contains("SERVICE_WEB_ADDRESS=host.docker.internal:\(edge)"))
        #expect(lines.contains("HOME unset"))
        #expect(lines.contains("SERVICE_NAME=db"))
        // What listens on this machine's loopback is out of reach.
        #expect(lines.contains("SERVICE_ADDRESS unset"))
        // But it is not for a command on this machine.
        let call = try mesh.devmesh("exec", "db", "--", "sh", "-c", "curl -sS $SERVICE_WEB_URL", code: 0)
        #expect(call.output.hasPrefix("web.1 "))
        let client = try mesh.pids("db")[0]
        let words = try Kernel.real.readFile("/proc/\(client)/cmdline").split(separator: 0)
        #expect(words.contains { $0.elementsEqual("TOKEN".utf8) })
        #expect(!words.contains { String(decoding: $0, as: UTF8.self).contains("hush") })
        #expect(mesh.containers.count == 1)
        try mesh.devmesh("down", code: 0)
        #expect(mesh.containers.isEmpty)
    }
}

@Test func container_runs_asTheManifestSays() throws {
    let db = """
        {"db": {"tty": true, "limits": {"memory": "64MB", "cpu": 1}, "container": {
            "image": "any", "entrypoint": [\(fixtureText), "env"], "command": ["SERVICE_NAME", "serve", "http"],
            "directory": "/app", "user": "1000:1000", "volumes": ["/app/cache", "data:/data"]}}}
        """
    try withMesh(db) { mesh in
        try mesh.up(environment: mesh.startDocker())
        try mesh.ready("db")
        #expect(try mesh.logs("db").contains { $0["line"]?.stringValue == "SERVICE_NAME=db" })
        let bytes = try Kernel.real.readFile("/proc/\(mesh.pids("db")[0])/cmdline")
        let words = " " + String(decoding: bytes, as: UTF8.self).replacing("\0", with: " ")
        for expected in [
            "-i -t", "-w /app", "-u 1000:1000", "-v /app/cache", "-v data:/data", "--memory 67108864", "--cpus 1",
            "--entrypoint \(fixtureProgram)", "any env SERVICE_NAME serve http",
        ] {
            #expect(words.contains(" \(expected) "), "\(words)")
        }
    }
}

@Test func container_isGone_howeverItEnds() throws {
    let verbs = #""ignore", "TERM", "serve", "http""#
    let stop = #", "stop": {"timeout": "200ms"}, "ready": {"http": "/healthz"}"#
    try withMesh("{\"db\": \(container(verbs, stop))}") { mesh in
        try mesh.up(environment: mesh.startDocker())
        try mesh.ready("db")
        let first = try mesh.containerPid()
        // The command that stands for it is killed: the container is taken away, and another takes its place.
        let events = try mesh.start("events", "-f")
        try events.output.wait(for: "instance-ready")
        _ = try mesh.shell("kill -KILL \(mesh.pids("db")[0])")
        try events.output.wait(for: "instance-ready", count: 2)
        let second = try mesh.containerPid()
        #expect(second != first)
        #expect(!isAlive(first))
        #expect(mesh.containers.count == 1)
        // It ignores TERM: the command is killed, and the container taken away.
        try mesh.devmesh("stop", "db", code: 0)
        #expect(mesh.containers.isEmpty)
        #expect(!isAlive(second))
    }
}

/// By the guardian; where that was killed, too, by the next mesh.
@Test(arguments: [false, true]) func container_ofAKilledMesh_isTakenAway(isGuardianKilled: Bool) throws {
    try withMesh("{\"db\": \(container(#""serve", "http""#))}") { mesh in
        let environment = try mesh.startDocker()
        let up = try mesh.up(environment: environment)
        try mesh.ready("db")
        let old = try mesh.containerPid()
        if isGuardianKilled {
            try mesh.killAtOnce(up)
            #expect(isAlive(old))
        } else {
            ProcessTable.signal(try mesh.supervisor(), .kill)
            _ = try up.exit()
            #expect(mesh.containers.isEmpty)
            #expect(!isAlive(old))
        }
        try mesh.up(environment: environment)
        try mesh.ready("db")
        #expect(mesh.containers.count == 1)
        #expect(try mesh.containerPid() != old)
        #expect(!isAlive(old))
    }
}

/// At the bridge's address only edges listen, and only the caller's own containers get through.
@Test func edge_ofAContainer_takesWhatComesFromItAlone() throws {
    let services = """
        {"db": \(container(#""serve", "http""#, #", "uses": ["web"]"#)), "web": {"run": "fixture serve http"}}
        """
    try withMesh(services) { mesh in
        try mesh.up(environment: mesh.startDocker())
        try mesh.ready("db", "web")
        let edge = try mesh.port("web", from: "db")
        let client = try MeshClient(SocketAddress(literal: "127.0.0.9", port: edge)!)
        #expect(try client.get("/").body.hasPrefix("web.1 "))
        let stranger = try mesh.shell("curl -sS --interface 127.0.0.77 --max-time 20 http://127.0.0.9:\(edge)/")
        #expect(stranger.code != 0)
        #expect(stranger.output == "")
        let front = try mesh.port("web")
        #expect(throws: (any Error).self) { try MeshClient(SocketAddress(literal: "127.0.0.9", port: front)!).get("/") }
        try mesh.devmesh("stop", "db", code: 0)
        let late = try MeshClient(SocketAddress(literal: "127.0.0.9", port: edge)!)
        #expect(throws: (any Error).self) { try late.get("/") }
    }
}

@Test func container_readyCommand_runsInside() throws {
    // What the program docker itself goes by is not touched by what is set for the inside.
    let env = #""env": {"MARK": "x", "HOME": "/inside", "DOCKER_HOST": "tcp://nowhere"}"#
    let more = #", \#(env), "ready": {"command": "test \"$MARK$HOME$DOCKER_HOST\" = x/insidetcp://nowhere"}"#
    try withMesh("{\"db\": \(container(#""serve", "http""#, more))}") { mesh in
        try mesh.up(environment: mesh.startDocker())
        try mesh.ready("db")
    }
}

@Test(arguments: ["up", "down"]) func container_dockerFailsOnTheWayDown_isToldAndTriedAgain(by next: String) throws {
    let verbs = #""ignore", "TERM", "serve", "http""#
    let stop = #", "stop": {"timeout": "200ms"}, "ready": {"http": "/healthz"}"#
    try withMesh("{\"db\": \(container(verbs, stop))}") { mesh in
        let environment = try mesh.startDocker()
        let up = try mesh.up(environment: environment)
        try mesh.ready("db")
        let old = try mesh.containerPid()
        mesh.folder.write("docker/broken", "")
        let down = try mesh.devmesh("down", code: 1)
        #expect(down.errors.contains("could not be taken away"))
        #expect(try up.exit().shellCode == 1)
        #expect(up.errors.text.contains("could not be taken away"))
        #expect(isAlive(old))
        _ = try mesh.shell("rm docker/broken")
        if next == "up" {
            try mesh.up(environment: environment)
            try mesh.ready("db")
            #expect(mesh.containers.count == 1)
            try mesh.devmesh("down", code: 0)
        } else {
            // It goes by the daemon that they were started by, not by the one of today.
            let today = environment.merging(["DOCKER_HOST": "tcp://nowhere"]) { $1 }
            let second = try mesh.devmesh("down", environment: today)
            #expect(second.code == 0)
            #expect(second.errors.contains("were taken away"))
        }
        #expect(!isAlive(old))
        #expect(mesh.containers.isEmpty)
        #expect(mesh.folder.read(".devmesh/services.json/containers.json") == nil)
    }
}

@Test func container_dockerDoesNotAnswerOnTheWayDown_isSaidWhileItIsWaitedFor() throws {
    try withMesh("{\"db\": \(container(#""serve", "http""#))}") { mesh in
        let up = try mesh.up(environment: mesh.startDocker())
        try mesh.ready("db")
        mesh.folder.write("docker/silent", "")
        let down = try mesh.start("down")
        for program in [down, up] { try program.errors.wait(for: "Waiting for docker, at most 10 s: ") }
        _ = try mesh.shell("rm docker/silent")
        #expect(try down.exit() == .exited(0))
        #expect(try up.exit() == .exited(0))
        #expect(mesh.containers.isEmpty)
    }
}

/// A version's and that of a service which is called as the version would be.
@Test func containers_ofLikeNames_areTwo() throws {
    let verbs = #""serve", "http""#
    let members = container(verbs, #", "versions": {"next": {}}"#)
    let services = "{\"members\": \(members), \"members-next\": \(container(verbs))}"
    try withMesh(services) { mesh in
        try mesh.up(environment: mesh.startDocker())
        try mesh.ready("members", "members-next")
        let pids = try mesh.pids("members-next")
        try mesh.devmesh("use", "members", "next", "--keep", code: 0)
        #expect(mesh.containers.count == 3)
        try mesh.devmesh("use", "members", "local", code: 0)
        try mesh.devmesh("stop", "members@next", code: 0)
        #expect(mesh.containers.count == 2)
        #expect(try mesh.pids("members-next") == pids)
    }
}

/// As where docker is still starting: the container that comes up in the end can call.
@Test func container_ofADaemonThatAnswersLate_reachesItsServices() throws {
    let services = """
        {"db": \(container(#""serve", "http""#, #", "uses": ["web"]"#)), "web": {"run": "fixture serve http"}}
        """
    try withMesh(services) { mesh in
        let environment = try mesh.startDocker()
        mesh.folder.write("docker/broken", "")
        try mesh.up(environment: environment)
        try mesh.wait(["db"], for: "stopped")
        let lines = try mesh.logs("db").compactMap { $0["line"]?.stringValue }
        #expect(lines.contains { $0.hasPrefix("docker does not answer") }, "\(lines)")
        _ = try mesh.shell("rm docker/broken")
        try mesh.ready("db", "web")
        let edge = try mesh.port("web", from: "db")
        #expect(try MeshClient(SocketAddress(literal: "127.0.0.9", port: edge)!).get("/").body.hasPrefix("web.1 "))
    }
}

/// It calls by the name that this machine has inside.
@Test func container_callsAServiceThatAddsCredentials() throws {
    let services = #"{"db": \#(container(#""serve", "http""#, #", "uses": ["web"]"#))}"#
    try withMesh(services) { mesh in
        let port = try mesh.foreigner("port", "0", "serve", "http").output.rest(after: "listening ")
        let web = #"{"remote": {"url": "http://127.0.0.1:\#(port)", "headers": {"authorization": "Bearer hunter2"}}}"#
        mesh.write(services.dropLast() + ", \"web\": \(web)}")
        try mesh.up(environment: mesh.startDocker())
        try mesh.ready("db")
        let edge = try mesh.port("web", from: "db")
        let client = try MeshClient(SocketAddress(literal: "127.0.0.9", port: edge)!)
        try client.send("GET / HTTP/1.1\r\nHost: host.docker.internal:\(edge)\r\n\r\n")
        #expect(try client.response().status == 200)
    }
}

@Test func container_withoutDocker_saysWhatToInstall() throws {
    try withMesh("{\"db\": \(container(#""wait""#))}") { mesh in
        try mesh.up(environment: ["PATH": mesh.folder.path])
        try mesh.wait(["db"], for: "stopped")
        let reason = try mesh.ps("db")["reason"]?.stringValue ?? ""
        #expect(reason.contains("there is no program docker or podman on the PATH; install one"), "\(reason)")
    }
}
