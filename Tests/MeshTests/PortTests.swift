import JSON
import Platform
import TestSupport
import Testing

// Ports: whose they are, that they stay, and what happens where somebody else has them.

private let three = """
    {"a": {"run": "fixture serve http"}, "b": {"run": "fixture serve http", "uses": ["a"]},
     "c": {"run": "fixture serve http"}}
    """

@Test func up_portTakenByForeigner_namesPidAndProgram() throws {
    try withMesh(#"{"other": {"run": "fixture serve http"}, "web": {"run": "fixture serve http"}}"#) { mesh in
        let port = try mesh.port("web")
        let foreigner = try mesh.foreigner("port", "\(port)", "serve", "echo")
        try foreigner.output.wait(for: "listening")
        let result = try mesh.devmesh("up", code: 1)
        #expect(result.errors.contains("\(port)"))
        #expect(result.errors.contains("fixture") && result.errors.contains("\(foreigner.pid)"))
        #expect(mesh.servants().map(\.pid) == [foreigner.pid])
        #expect(try mesh.devmesh("ps").code == 3)
        // Nothing had been started: that is no crash, neither now nor for the next one.
        #expect(!result.errors.contains("supervisor"))
        #expect(try !mesh.devmesh("up", code: 1).errors.contains("last mesh"))
    }
}

/// The port is taken after it was chosen, and before the program binds it.
@Test func program_portTaken_startedOnAnother() throws {
    let run = #""test -e second || { touch second; echo port $PORT; cat go; }; exec fixture serve http""#
    try withMesh("{\"web\": {\"run\": \(run)}}") { mesh in
        #expect(try mesh.shell("mkfifo go").code == 0)
        let up = try mesh.up()
        let port = try up.output.rest(after: "port ")
        let foreigner = try mesh.foreigner("port", port, "serve", "echo")
        try foreigner.output.wait(for: "listening")
        mesh.folder.write("go", "on\n")
        try mesh.ready("web")
        let instance = try mesh.ps("web")["instances"]?[0]
        #expect(instance?["port"]?.intValue != Int(port))
        #expect(try mesh.get("web").body.hasPrefix("web.1 "))
    }
}

@Test func ports_neverChange() throws {
    try withMesh(three) { mesh in
        let names = ["a", "b", "c"]
        let before = try names.map { try mesh.port($0) } + [mesh.port("a", from: "b")]
        try mesh.up()
        try mesh.wait(names, for: "ready")
        try mesh.devmesh("restart", "a", "b", code: 0)
        #expect(try names.map { try mesh.port($0) } + [mesh.port("a", from: "b")] == before)
        #expect(try mesh.get("b").body.hasPrefix("b.1 "))
        try mesh.devmesh("down", code: 0)

        // Another order, one more, one less.
        mesh.write(
            """
            {"new": {"run": "fixture serve http"}, "c": {"run": "fixture serve http"},
             "b": {"run": "fixture serve http", "uses": ["new", "a"]}, "a": {"run": "fixture serve http"}}
            """)
        #expect(try names.map { try mesh.port($0) } + [mesh.port("a", from: "b")] == before)
        mesh.write(#"{"c": {"run": "fixture serve http"}}"#)
        #expect(try mesh.port("c") == before[2])
        mesh.write(three)
        #expect(try names.map { try mesh.port($0) } + [mesh.port("a", from: "b")] == before)
    }
}

@Test func port_pinned_wins() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}}"#) { mesh in
        let given = try mesh.port("web")
        mesh.write("{\"web\": {\"run\": \"fixture serve http\", \"port\": \(given + 42)}}")
        try mesh.up()
        try mesh.ready("web")
        #expect(try mesh.port("web") == given + 42)
        #expect(try mesh.get("web").status == 200)
    }
}

@Test func fronts_listenOnBothLoopbacks() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}}"#) { mesh in
        try mesh.up()
        try mesh.ready("web")
        let port = try mesh.port("web")
        #expect(try MeshClient(port: port).get("/").status == 200)
        #expect(try MeshClient(port: port, six: true).get("/").status == 200)
    }
}

@Test func twoProjectsAtOnce_doNotCollide() throws {
    try withMesh(three) { one in
        try withMesh(three) { two in
            let ups = (try one.start("up"), try two.start("up"))
            try ups.0.errors.wait(for: "is up")
            try ups.1.errors.wait(for: "is up")
            try one.ready("a", "b", "c")
            try two.ready("a", "b", "c")
            #expect(try one.port("a") != two.port("a"))
            let kept = try two.pids("a")
            try one.devmesh("down", code: 0)
            #expect(try two.pids("a") == kept)
            #expect(try two.get("a").body.contains(" \(kept[0]) "))
        }
    }
}

/// Of a registry that knows nothing of the other's, as with another XDG_STATE_HOME.
@Test func up_portsOfAnotherMesh_areNamedWithItsManifest() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}}"#) { mesh in
        try mesh.up()
        let record = try JSON(parsing: Kernel.real.readFile(mesh.folder.path + "/.devmesh/services.json/mesh.json"))
        let gateway = try #require(record["gatewayPort"]?.intValue)
        mesh.folder.write("other/services.json", "{\"ports\": {\"first\": \(gateway)}, \"services\": {}}")
        let other = try mesh.start(
            ["-f", "other/services.json", "up"], environment: ["XDG_STATE_HOME": mesh.folder.path + "/other"]
        ).result()
        #expect(other.code == 1)
        let holder = "the mesh of \(mesh.folder.path)/services.json. Stop that mesh"
        #expect(other.errors.contains("Port \(gateway), the gateway, is held by \(holder)"))
    }
}

@Test func listens_aPortOfItsOwn_isReachedThroughTheFront() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}}"#) { mesh in
        // A port of this project's block that nothing else will ever have.
        let own = try mesh.port("web") + 60
        mesh.write("{\"web\": {\"run\": \"fixture env PORT port \(own) serve http\", \"listens\": \(own)}}")
        let up = try mesh.up()
        try mesh.ready("web")
        try up.output.wait(for: "PORT=\(own)")
        let pid = try #require(try mesh.pids("web").first)
        #expect(try mesh.get("web").body.contains("\(pid)"))
        try mesh.devmesh("restart", "web", code: 0)
        #expect(try mesh.get("web").status == 200)
    }
}

@Test func listens_false_hasNoFront() throws {
    try withMesh(#"{"worker": {"run": "fixture env PORT wait", "listens": false}}"#) { mesh in
        let up = try mesh.up()
        try mesh.ready("worker")
        try up.output.wait(for: "PORT unset")
        let row = try mesh.ps("worker")
        #expect(row["address"] == .null && row["url"] == .null)
        #expect(row["instances"]?[0]?["port"] == .null)
    }
}
