import JSON
import Platform
import TestSupport
import Testing

// What is kept on disk: sockets, records, choices, ports.

@Test func staleSocket_ofKilledSupervisor_isCleanedUp() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}}"#) { mesh in
        let up = try mesh.up()
        try mesh.ready("web")
        try mesh.killAtOnce(up)
        #expect(try mesh.devmesh("ps").code == 3)
        #expect(try mesh.devmesh("ls").output.contains("web") == false)
        #expect(try mesh.devmesh("down").code == 0)
        try mesh.up()
        try mesh.ready("web")
        #expect(try mesh.get("web").status == 200)
    }
}

/// Every file that devmesh keeps, cut in half, emptied and overwritten.
@Test func stateFiles_tornOrCorrupt_upStillWorksAndSaysSo() throws {
    let services = #"{"web": {"run": "fixture serve http"}, "many": {"run": "fixture serve http"}}"#
    try withMesh(services) { mesh in
        // A registry that other tests don't know wants a block that they don't take.
        mesh.write(services, besides: "\"ports\": {\"first\": 9500}, ")
        let state = mesh.folder.path + "/own-state"
        let environment = ["XDG_STATE_HOME": state]
        let first = try mesh.up(environment: environment)
        try mesh.ready("web", "many")
        #expect(try mesh.devmesh("scale", "many=2", environment: environment).code == 0)
        let port = try mesh.port("web")
        try mesh.killAtOnce(first)

        let files = mesh.stateFiles(below: mesh.folder.path + "/.devmesh") + mesh.stateFiles(below: state)
        #expect(files.contains { $0.hasSuffix("state.json") } && files.contains { $0.hasSuffix("/ports.json") })
        for damage in ["half", "empty", "noise"] {
            for file in files {
                // Some are there only while a mesh is up, or until it has ended.
                let bytes = (try? Kernel.real.readFile(file)) ?? []
                let torn: [UInt8] =
                    switch damage {
                    case "half": Array(bytes.prefix(bytes.count / 2))
                    case "empty": []
                    default: [0, 255, 123, 34, 10, 91, 200]
                    }
                try Kernel.real.replaceFile(file, with: torn)
                let up = try mesh.up(environment: environment)
                try mesh.ready("web", "many")
                #expect(try mesh.port("web") == port, "\(damage) \(file)")
                #expect(try mesh.get("web").status == 200, "\(damage) \(file)")
                if file.hasSuffix("state.json"), damage != "empty" || !bytes.isEmpty {
                    #expect(up.errors.text.contains("state.json"), "\(damage): \(up.errors.text)")
                }
                try mesh.killAtOnce(up)
            }
        }
    }
}

@Test func ps_json_shape() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}, "gone": {"run": "fixture exit 1", "restart": "never"}}"#) {
        mesh in
        try mesh.up()
        try mesh.ready("web")
        try mesh.wait(["gone"], for: "stopped")
        let row = try mesh.ps("web")
        let front = try mesh.port("web")
        let names = (row.objectValue ?? []).map(\.name)
        #expect(
            Set(["service", "state", "target", "address", "url", "reason", "instances"]).isSubset(of: names))
        #expect(row["state"] == "ready" && row["target"] == "local" && row["reason"] == .null)
        #expect(row["address"]?.stringValue == "127.0.0.1:\(front)")
        #expect(row["url"]?.stringValue == "http://127.0.0.1:\(front)")
        let instance = try #require(row["instances"]?[0])
        #expect(
            Set((instance.objectValue ?? []).map(\.name))
                == ["id", "pid", "port", "state", "started", "restarts", "cpu", "rss"])
        #expect(instance["id"] == "web.1" && instance["state"] == "ready" && instance["restarts"] == 0)
        #expect(try #require(instance["rss"]?.intValue) > 100_000)
        #expect(try #require(instance["cpu"]?.doubleValue) >= 0)
        let started = try #require(instance["started"]?.stringValue)
        #expect(started.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
        let failed = try mesh.ps("gone")
        #expect(failed["state"] == "failed" && failed["reason"]?.stringValue?.contains("status 1") == true)
    }
}

@Test func exitCodes_areTheContracts() throws {
    try withMesh(#"{"web": {"run": "fixture wait", "stop": {"timeout": "100ms"}}}"#) { mesh in
        #expect(try mesh.devmesh("version").code == 0)
        #expect(try mesh.devmesh("ps").code == 3)
        #expect(try mesh.devmesh("restart", "web").code == 3)
        #expect(try mesh.devmesh("restart").code == 2)
        #expect(try mesh.devmesh("upp").code == 2)
        #expect(try mesh.devmesh("ps", "--jsn").code == 2)
        try mesh.up()
        #expect(try mesh.devmesh("wait", "web", "--timeout", "50ms").code == 124)
        #expect(try mesh.devmesh("exec", "web", "--", "sh", "-c", "exit 9").code == 9)
        let unknown = try mesh.devmesh("restart", "wbe")
        #expect(unknown.code != 0 && unknown.errors.contains("Did you mean"))
        try mesh.devmesh("down", code: 0)
        mesh.write(#"{"web": {"rnu": "fixture wait"}}"#)
        #expect(try mesh.devmesh("check").code == 4)
        let invalid = try mesh.devmesh("up")
        #expect(invalid.code == 4 && invalid.errors.contains("services.json:1:"))
    }
}

@Test func control_answersCurlAsSaid() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}}"#) { mesh in
        try mesh.up()
        try mesh.ready("web")
        let answer = try mesh.control().get("/v1/services", fields: ["X-Request-Id: seventeen"])
        #expect(answer.status == 200 && answer.head.lowercased().contains("x-request-id: seventeen"))
        #expect(try JSON(parsing: answer.body)[0]?["service"] == "web")
        #expect(try mesh.control().get("/v1/nothing").status == 404)
    }
}
