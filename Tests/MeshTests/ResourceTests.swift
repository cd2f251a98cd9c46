import JSON
import Platform
import TestSupport
import Testing

// What processes use, and who looks.

/// A program that others hang on to: one that left its session and its parent counts as much as the one that was
/// spawned.
@Test func usage_countsDaemonsOfTheTree() throws {
    let run = "(setsid fixture grow 96 burn &); exec fixture serve http"
    try withMesh(#"{"web": {"run": "\#(run)"}, "idle": {"run": "fixture serve http"}}"#) { mesh in
        let up = try mesh.up()
        try mesh.ready("web", "idle")
        try up.output.wait(for: "grown 96")
        let rows = try mesh.devmesh("top", "--json", "-n", "3", code: 0).output.split(separator: "\n")
        #expect(rows.count == 3)
        let last = try JSON(parsing: String(rows[2]))
        #expect(last["time"]?.stringValue?.hasSuffix("Z") == true)
        // The busiest first, though the manifest has it last.
        let busy = try #require(last["services"]?[0])
        #expect(busy["service"] == "web")
        let tree = try #require(busy["instances"]?[0])
        #expect(try #require(tree["rss"]?.intValue) > 96 << 20)
        #expect(try #require(tree["cpu"]?.doubleValue) > 5)
        let idle = try #require(last["services"]?[1]?["instances"]?[0])
        #expect(try #require(idle["rss"]?.intValue) < 96 << 20)
        #expect(try #require(idle["cpu"]?.doubleValue) < 5)
    }
}

@Test func top_inAPipe_isATableEachTime_andEndsWithTheMesh() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}}"#) { mesh in
        try mesh.up()
        try mesh.ready("web")
        let two = try mesh.devmesh("top", "-n", "2", code: 0).output
        #expect(two.ranges(of: "SERVICE  STATE").count == 2 && two.contains("\n\nSERVICE"))
        #expect(try mesh.devmesh("top", "wbe").code == 1)
        let top = try mesh.start("top")
        try top.output.wait(for: "web")
        try mesh.devmesh("down", code: 0)
        let result = try top.result()
        #expect(result.code == 0 && result.errors.contains("went down."))
        #expect(try mesh.devmesh("top").code == 3)
    }
}

@Test(arguments: ["q", "\\003"]) func top_onATerminal_endsWithKey_andLeavesItAsItWas(key: String) throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}}"#) { mesh in
        try mesh.up()
        try mesh.ready("web")
        // script(1) lends it a terminal; ^C is for its shell, too, which is to go on and show whether keys are echoed.
        let line = "script -qec 'trap : INT; devmesh top; stty -a' /dev/null"
        let top = try mesh.start(program: "/bin/sh", ["sh", "-c", "(fixture await seen; printf '\(key)') | \(line)"])
        try top.output.wait(for: "q ends this")
        mesh.folder.write("seen", "")
        let result = try top.result()
        #expect(result.code == 0)
        #expect(result.output.contains("\u{1B}[H") && result.output.contains("\u{1B}[J"))
        let modes = result.output.split(whereSeparator: \.isWhitespace)
        #expect(modes.contains("icanon") && modes.contains("echo"))
    }
}

@Test func memoryLimit_endsTheWholeTree_andSaysWhy() throws {
    let run = "(setsid fixture await grow-now grow 96 wait &); exec fixture serve http"
    let services = #"{"web": {"run": "\#(run)", "limits": {"memory": "64MB"}, "restart": "never"}}"#
    try withMesh(services) { mesh in
        try mesh.up()
        try mesh.ready("web")
        mesh.folder.write("grow-now", "")
        try mesh.wait(["web"], for: "stopped")
        let row = try mesh.ps("web")
        #expect(row["state"] == "failed")
        let reason = try #require(row["reason"]?.stringValue)
        #expect(reason.hasPrefix("it used ") && reason.hasSuffix("of memory and was ended: its `limits` allow it 64MB"))
        #expect(try mesh.devmesh("why", "web", code: 0).output.contains(reason))
        #expect(mesh.servants().isEmpty)
    }
}

/// Pages that its processes share count once.
@Test func memoryLimit_sparesWhatSharesItsMemory() throws {
    let services =
        #"{"web": {"run": "fixture grow 48 child child serve http", "limits": {"memory": "64MB"}, "restart": "never"}}"#
    try withMesh(services) { mesh in
        try mesh.up()
        try mesh.ready("web")
        let before = try mesh.pids("web")
        // Over two of the looks that come each second.
        let rows = try mesh.devmesh("top", "--json", "-n", "4", code: 0).output.split(separator: "\n")
        let last = try JSON(parsing: String(rows[3]))["services"]?[0]
        #expect(try #require(last?["instances"]?[0]?["rss"]?.intValue) > 128 << 20)
        #expect(last?["state"] == "ready")
        #expect(try mesh.pids("web") == before)
    }
}

/// What a program spends on others that come and go is spent.
@Test func usage_countsWhatHasEnded() throws {
    let run = "while :; do sh -c 'i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done'; done"
    try withMesh("{\"worker\": {\"run\": \"\(run)\", \"listens\": false}}") { mesh in
        try mesh.up()
        try mesh.ready("worker")
        let rows = try mesh.devmesh("top", "--json", "-n", "4", code: 0).output.split(separator: "\n")
        let last = try JSON(parsing: String(rows[3]))["services"]?[0]?["instances"]?[0]
        #expect(try #require(last?["cpu"]?.doubleValue) > 10)
    }
}

@Test func processorLimit_holdsForWhatAProgramStarts_andSpreadsInstances() throws {
    let run = "sh -c 'grep Cpus_allowed_list /proc/self/status'; exec fixture say up wait"
    let worker = #"{"run": "\#(run)", "listens": false, "instances": 2, "limits": {"cpu": 1}}"#
    try withMesh(#"{"worker": \#(worker)}"#) { mesh in
        let up = try mesh.up()
        try up.output.wait(for: "| up", count: 2)
        let lists = up.output.lines.compactMap { $0.split(separator: "Cpus_allowed_list:\t").last }
            .filter { $0.allSatisfy(\.isNumber) }
        #expect(lists.count == 2)
        #expect(Set(lists).count == min(2, ThisProcess.usableProcessors.count))
    }
}
