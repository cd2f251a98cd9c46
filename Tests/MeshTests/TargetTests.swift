import JSON
import Platform
import TestSupport
import Testing

// `use` and `scale`: behind the front, while it serves.

/// A remote: `fixture` on a port of its own.
private func remote(_ mesh: MeshFixture) throws -> (program: MeshProgram, port: String) {
    let program = try mesh.foreigner("port", "0", "serve", "http")
    return (program, try program.output.rest(after: "listening "))
}

@Test func use_remoteLocal_underLoad() throws {
    try withMesh("{}") { mesh in
        let (_, port) = try remote(mesh)
        mesh.write("{\"web\": {\"run\": \"fixture serve http\", \"remote\": \"http://127.0.0.1:\(port)\"}}")
        try mesh.up()
        try mesh.ready("web")
        let load = try Load(port: mesh.port("web"))
        for target in ["remote", "local", "remote", "local"] {
            try mesh.devmesh("use", "web", target, code: 0)
            let name = target == "remote" ? "fixture.0 " : "web.1 "
            #expect(try mesh.get("web").body.hasPrefix(name))
        }
        let answers = try load.stop()
        #expect(
            answers.count > 5 && answers.allSatisfy { $0.hasPrefix("200 ") },
            "\(answers.filter { !$0.hasPrefix("200 ") })")
    }
}

@Test func use_remoteThatIsGone_answers502AndIsUnreachable() throws {
    try withMesh("{}") { mesh in
        let (program, port) = try remote(mesh)
        mesh.write("{\"web\": {\"remote\": \"http://127.0.0.1:\(port)\"}}")
        try mesh.up()
        #expect(try mesh.get("web").status == 200)
        program.signal(.kill)
        _ = try program.exit()
        #expect(try mesh.get("web").status == 502)
        #expect(try mesh.state("web") == "unreachable")
        #expect(try mesh.ps("web")["reason"]?.stringValue?.isEmpty == false)
    }
}

@Test func up_local_takesTheRestFromRemote() throws {
    try withMesh("{}") { mesh in
        let (_, port) = try remote(mesh)
        let remote = "\"remote\": \"http://127.0.0.1:\(port)\""
        mesh.write(
            "{\"a\": {\"run\": \"fixture serve http\", \(remote)}, \"b\": {\"run\": \"fixture serve http\", \(remote)}}"
        )
        try mesh.up("--local", "a")
        try mesh.ready("a", "b")
        #expect(try mesh.get("a").body.hasPrefix("a.1 "))
        #expect(try mesh.get("b").body.hasPrefix("fixture.0 "))
        #expect(try mesh.ps("b")["target"]?.stringValue == "remote")
    }
}

@Test func scale_roundRobin() throws {
    try withMesh(#"{"web": {"run": "fixture env PORT serve http"}}"#) { mesh in
        let up = try mesh.up()
        try mesh.ready("web")
        let first = try mesh.pids("web")
        try mesh.devmesh("scale", "web=3", code: 0)
        let pids = try mesh.pids("web")
        #expect(pids.count == 3 && pids.contains(first[0]))
        let answered = try (0..<6).map { _ in
            try #require(try mesh.get("web").body.split(separator: " ").dropFirst().first)
        }
        #expect(Set(answered) == Set(pids.map { "\($0)" }.map { Substring($0) }))
        #expect(answered[..<3] == answered[3...])
        try up.output.wait(for: "PORT=", count: 3)
        let ports = up.output.lines.filter { $0.contains("PORT=") }.map { $0.suffix(5) }
        #expect(Set(ports).count == 3)
        try mesh.devmesh("scale", "web=1", code: 0)
        #expect(try mesh.pids("web").count == 1)
        #expect(try mesh.get("web").status == 200)
    }
}

@Test func scale_underLoad_losesNothing() throws {
    try withMesh(#"{"web": {"run": "fixture serve http", "instances": 2}}"#) { mesh in
        try mesh.up()
        try mesh.ready("web")
        let load = try Load(port: mesh.port("web"))
        for count in [3, 1, 2] { try mesh.devmesh("scale", "web=\(count)", code: 0) }
        try mesh.devmesh("restart", "web", code: 0)
        let answers = try load.stop()
        #expect(answers.allSatisfy { $0.hasPrefix("200 ") }, "\(answers.filter { !$0.hasPrefix("200 ") })")
        #expect(mesh.servants().count == 2)
    }
}

@Test func choices_surviveAKilledSupervisor_andDownForgetsThem() throws {
    try withMesh("{}") { mesh in
        let (_, port) = try remote(mesh)
        mesh.write(
            """
            {"web": {"run": "fixture serve http", "remote": "http://127.0.0.1:\(port)"},
             "many": {"run": "fixture serve http"}}
            """)
        let up = try mesh.up()
        try mesh.ready("web", "many")
        try mesh.devmesh("use", "web", "remote", code: 0)
        try mesh.devmesh("scale", "many=2", code: 0)
        up.signal(.kill)
        _ = try up.exit()
        for entry in mesh.servants() where mesh.isInAMesh(entry.pid) { ProcessTable.signal(entry, .kill) }

        try mesh.up()
        try mesh.ready("web", "many")
        #expect(try mesh.ps("web")["target"]?.stringValue == "remote")
        #expect(try mesh.ps("many")["instances"]?.arrayValue?.count == 2)
        #expect(try mesh.ps("web")["differs"] == true && mesh.ps("many")["differs"] == true)
        #expect(try mesh.get("web").body.hasPrefix("fixture.0 "))
        try mesh.devmesh("down", code: 0)

        try mesh.up()
        try mesh.ready("web", "many")
        #expect(try mesh.ps("web")["target"]?.stringValue == "local")
        #expect(try mesh.ps("many")["instances"]?.arrayValue?.count == 1)
    }
}

@Test func instances_eachWithItsOwnPort() throws {
    try withMesh(#"{"web": {"run": "fixture env SERVICE_INSTANCE env PORT serve http", "instances": 3}}"#) { mesh in
        let up = try mesh.up()
        try mesh.ready("web")
        try up.output.wait(for: "listening", count: 3)
        for number in 1...3 { #expect(up.output.text.contains("SERVICE_INSTANCE=\(number)")) }
        let instances = try mesh.ps("web")["instances"]?.arrayValue ?? []
        #expect(instances.compactMap { $0["id"]?.stringValue } == ["web.1", "web.2", "web.3"])
        let ports = instances.compactMap { $0["port"]?.intValue }
        #expect(Set(ports).count == 3 && ports.allSatisfy { (10_000...19_999).contains($0) })
    }
}
