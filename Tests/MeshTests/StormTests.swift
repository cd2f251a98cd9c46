import JSON
import Platform
import TestSupport
import Testing

// Many commands at once, in random order. A seed that fails is named: put it into `arguments` to play it again.

@Test(arguments: [1, 2] as [UInt64]) func commands_twoHundredAtOnce_endConsistent(seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let names = (1...10).map { "s\($0)" }
    let elsewhere = #""remote": "http://127.0.0.1:9", "stop": {"drain": "50ms", "timeout": "1s"}"#
    let services = names.map { "\"\($0)\": {\"run\": \"fixture serve http\", \(elsewhere)}" }
    try withMesh("{\(services.joined(separator: ","))}") { mesh in
        try mesh.up()
        try mesh.wait(names, for: "ready")
        let callers = try (0..<200).map { _ in try mesh.control() }
        for caller in callers {
            let name = names.randomElement(using: &random)!
            let (path, body) =
                switch Int.random(in: 0..<6, using: &random) {
                case 0...1: ("restart", "{\"services\": [\"\(name)\"]}")
                case 2: ("stop", "{\"services\": [\"\(name)\"]}")
                case 3: ("start", "{\"services\": [\"\(name)\"]}")
                case 4: ("\(name)/use", "{\"target\": \"remote\"}")
                default: ("\(name)/use", "{\"target\": \"local\"}")
                }
            try caller.request(
                "/v1/services/\(path)", method: "POST", fields: ["Content-Type: application/json"], body: body)
        }
        // Each is answered: the client gives up after a minute.
        for caller in callers {
            let answer = try caller.response()
            #expect(answer.status == 200, "seed \(seed): \(answer)")
        }
        // What each service says of itself is so, and nothing else runs.
        let rows = try JSON(parsing: mesh.devmesh("ps", "--json", code: 0).output).arrayValue ?? []
        #expect(rows.count == names.count)
        var pids: Set<Int32> = []
        for row in rows {
            let state = row["state"]?.stringValue ?? ""
            #expect(["ready", "stopped", "unreachable"].contains(state), "seed \(seed): \(row)")
            let own = (row["instances"]?.arrayValue ?? []).compactMap { $0["pid"]?.intValue.map(Int32.init) }
            if state == "stopped" { #expect(own == [], "seed \(seed): \(row)") }
            pids.formUnion(own)
        }
        #expect(Set(mesh.servants().map(\.pid)) == pids, "seed \(seed)")
        // And each does as it is told afterwards.
        for name in names { try mesh.devmesh("use", name, "local", code: 0) }
        _ = try mesh.start(["restart"] + names).result()
        try mesh.wait(names, for: "ready")
        #expect(mesh.servants().count == names.count, "seed \(seed)")
        for name in names { #expect(try mesh.get(name).status == 200, "seed \(seed)") }
    }
}
