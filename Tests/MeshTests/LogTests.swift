import JSON
import Platform
import TestSupport
import Testing

// Rule 4 of the contract's §7: no line is lost, torn or mixed, and no reader slows a service.

/// On a terminal the question is shown as well; into a pipe go whole lines only.
@Test func logs_partialLine_othersKeepFlowing() throws {
    let services = """
        {"asking": {"run": "fixture put 'Enter: ' wait", "listens": false},
         "talking": {"run": "fixture lines 100 50 say done wait", "listens": false}}
        """
    try withMesh(services) { mesh in
        let up = try mesh.start(program: "/usr/bin/script", ["script", "-qec", "devmesh up", "/dev/null"])
        try up.output.wait(for: "done")
        try up.output.wait(for: "Enter: ")
        try mesh.devmesh("down", code: 0)
        #expect(try mesh.devmesh("logs", "asking", code: 0).output.contains("Enter: "))
    }
}

@Test func logs_unterminatedLastLine_isStored() throws {
    try withMesh(#"{"web": {"run": "fixture put 'last words' exit 1", "listens": false, "restart": "never"}}"#) {
        mesh in
        let up = try mesh.up()
        try mesh.wait(["web"], for: "stopped")
        try up.output.wait(for: "last words")
        let lines = try mesh.logs("web")
        #expect(lines.contains { $0["line"]?.stringValue == "last words" && $0["instance"]?.stringValue == "web.1" })
    }
}

/// All at once, on a machine that is busy with nothing but them.
@Test func logs_outputBetweenLastWriteAndExit_isStored() throws {
    let one = #"{"run": "fixture lines 3 100 complain aside put last", "listens": false, "oneShot": true}"#
    let names = (1...200).map { "s\($0)" }
    try withMesh("{" + names.map { "\"\($0)\": \(one)" }.joined(separator: ",") + "}") { mesh in
        try mesh.up()
        try mesh.wait(names, for: "completed")
        var count: [String: Int] = [:]
        var ends: Set<String> = []
        for line in try mesh.logs() where line["stream"]?.stringValue != "devmesh" {
            guard let service = line["service"]?.stringValue else { continue }
            count[service, default: 0] += 1
            if line["line"]?.stringValue == "last" { ends.insert(service) }
        }
        #expect(names.filter { count[$0] != 5 } == [])
        #expect(names.filter { !ends.contains($0) } == [])
    }
}

@Test func logs_100MBWithoutNewline_areStoredInBoundedMemory() throws {
    let run = #""head -c 100000000 /dev/zero | tr '\\0' x", "listens": false, "oneShot": true"#
    try withMesh("{\"big\": {\"run\": \(run)}}") { mesh in
        try mesh.devmesh("up", "-d", code: 0)
        try mesh.wait(["big"], for: "completed")
        #expect(try mesh.shell("devmesh logs --raw big | tr -d '\\n' | wc -c").output.contains("100000000"))
        let supervisor = try #require(mesh.processes().first)
        let peak = try mesh.shell("grep VmHWM /proc/\(supervisor.pid)/status").output
        let kilobytes = try #require(peak.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) })
        #expect(kilobytes < 100_000)
    }
}

@Test func logs_invalidUTF8_comesBackAsWritten() throws {
    let run = #""printf 'a\\377\\376z\\nfine\\n'", "listens": false, "oneShot": true"#
    try withMesh("{\"odd\": {\"run\": \(run)}}") { mesh in
        try mesh.up()
        try mesh.wait(["odd"], for: "completed")
        #expect(try mesh.shell("devmesh logs --raw odd | od -An -tx1").output.contains("61 ff fe 7a 0a 66 69 6e 65 0a"))
        let lines = try mesh.logs("odd")
        #expect(lines.contains { $0["base64"]?.stringValue == "Yf/+eg==" })
        #expect(lines.contains { $0["line"]?.stringValue == "fine" && $0["base64"] == nil })
    }
}

@Test func logs_stoppedReader_doesNotSlowService() throws {
    let run = #""cat go > /dev/null; fixture lines 20000 100 say done", "listens": false, "oneShot": true"#
    try withMesh("{\"chatty\": {\"run\": \(run)}}") { mesh in
        #expect(try mesh.shell("mkfifo go").code == 0)
        try mesh.devmesh("up", "-d", code: 0)
        let reader = try mesh.start("logs", "-f")
        reader.signal(Signal(name: "STOP")!)
        mesh.folder.write("go", "begin\n")
        try mesh.wait(["chatty"], for: "completed")
        reader.signal(Signal(name: "CONT")!)
        try reader.output.wait(for: "done")
        reader.signal(.interrupt)
        #expect(try reader.exit() == .exited(0))
        // All, and what devmesh itself says of it.
        #expect(reader.output.lines.filter { $0.hasPrefix("chatty | ") }.count == 20_001)
    }
}

@Test func logs_followThroughRestartAndNextUp() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}}"#) { mesh in
        var up = try mesh.up()
        let reader = try mesh.start("logs", "-f", "web")
        try reader.output.wait(for: "listening", count: 1)
        try mesh.devmesh("restart", "web", code: 0)
        try reader.output.wait(for: "listening", count: 2)
        try mesh.devmesh("down", code: 0)
        #expect(try up.exit() == .exited(0))
        up = try mesh.up()
        try reader.output.wait(for: "listening", count: 3)
        reader.signal(.interrupt)
        #expect(try reader.exit() == .exited(0))
    }
}

@Test func logs_ofReaderThatCloses_endQuietly() throws {
    try withMesh(#"{"chatty": {"run": "fixture lines 20000 100", "listens": false, "oneShot": true}}"#) { mesh in
        try mesh.up()
        try mesh.wait(["chatty"], for: "completed")
        let result = try mesh.shell("devmesh logs chatty | head -1")
        #expect(result.output.contains("1 x"))
        #expect(result.errors.isEmpty)
    }
}

@Test func logs_query_findsWhatWasAskedFor() throws {
    try withMesh(
        #"{"talking": {"run": "fixture lines 10 20 say needle complain hay", "oneShot": true, "listens": false}}"#
    ) { mesh in
        try mesh.up()
        try mesh.wait(["talking"], for: "completed")
        #expect(try mesh.devmesh("logs", "--grep", "need.e", "--no-prefix", code: 0).output == "needle\n")
        #expect(try mesh.devmesh("logs", "-n", "1", "--grep", "x", "--no-prefix", code: 0).output.hasPrefix("10 x"))
        #expect(try mesh.devmesh("logs", "--since", "0s", code: 0).output == "")
        let seqs = try mesh.logs().compactMap { $0["seq"]?.intValue }
        #expect(seqs == seqs.sorted() && Set(seqs).count == seqs.count && seqs.count >= 12)
    }
}
