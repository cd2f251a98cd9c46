import JSON
import Platform
import TestSupport
import Testing

// Files change: what is watched is built, then swapped.

extension MeshFixture {
    /// `why` once it says `text`.
    fileprivate func why(_ service: String, says text: String) throws -> String {
        let events = try start("events", "-f", "--json")
        var seen = 0
        while true {
            let told = events.output.lines.count
            let why = try devmesh("why", service, code: 0).output
            if why.contains(text) { return why }
            seen += 1
            try events.output.wait(for: "\n", count: told + 1)
            if seen > 500 { throw MeshFailure("`why` never says \(text): \(why)") }
        }
    }

    fileprivate func remove(_ name: String) throws { try Kernel.real.remove(folder.path + "/" + name) }

    /// The events of a service, by name.
    fileprivate func events(_ service: String) throws -> [String] {
        let lines = try devmesh("events", "--json", code: 0).output.split(separator: "\n")
        return try lines.map { try JSON(parsing: String($0)) }.filter { $0["service"]?.stringValue == service }
            .compactMap { $0["event"]?.stringValue }
    }
}

/// Says which source it was built from, and then serves.
private let web = """
    {"web": {"build": "cat src/text; test -e src/good && cp src/text made", "run": "echo runs $(cat made); fixture serve http",
             "watch": {"paths": ["src"], "debounce": "20ms"}},
     "other": {"run": "fixture serve http"}}
    """

private func withWatchedMesh(_ services: String = web, _ body: (MeshFixture, MeshProgram) throws -> Void) throws {
    try withMesh(services) { mesh in
        mesh.folder.write("src/text", "version 0\n")
        mesh.folder.write("src/good", "")
        let up = try mesh.up()
        try mesh.ready("web")
        try body(mesh, up)
    }
}

@Test func edit_underLoad_isBuiltAndSwappedAndNoRequestFails() throws {
    try withWatchedMesh { mesh, up in
        let kept = try mesh.pids("other")
        let load = try Load(port: mesh.port("web"))
        var pids = Set(try mesh.pids("web"))
        for version in 1...5 {
            mesh.folder.write("src/text", "version \(version)\n")
            try up.output.wait(for: "web   | runs version \(version)\n")
            try mesh.ready("web")
            pids.formUnion(try mesh.pids("web"))
        }
        let answers = try load.stop()
        #expect(answers.allSatisfy { $0.hasPrefix("200 web.1 ") }, "\(answers.filter { !$0.hasPrefix("200") })")
        #expect(pids.count == 6)
        #expect(try mesh.pids("other") == kept)
        #expect(up.output.text.contains("web   * src/text changed; building\n"), "\(up.output.text)")
    }
}

@Test func failedBuild_isShownOnceServesOnAndHeals() throws {
    try withWatchedMesh { mesh, up in
        let old = try mesh.pids("web")
        try mesh.remove("src/good")
        mesh.folder.write("src/text", "bad\n")
        let why = try mesh.why("web", says: "serving the previous build; the build of ")
        #expect(why.contains(" failed: it exited with status 1\n"), "\(why)")
        #expect(why.contains("its files are watched: src\n") && why.contains(" changed at "))
        #expect(try mesh.pids("web") == old && mesh.state("web") == "ready")
        #expect(try mesh.ps("web")["remark"]?.stringValue?.hasPrefix("serving the previous build; ") == true)
        #expect(try mesh.devmesh("ps", code: 0).output.contains("serving the previous build; the build of "))
        let shown = try mesh.logs("web").filter { $0["line"]?.stringValue == "bad" }
        #expect(Set(shown.compactMap { $0["stream"]?.stringValue }) == ["build"])

        mesh.folder.write("src/good", "")
        try up.output.wait(for: "web   | runs bad\n")
        try mesh.ready("web")
        #expect(try mesh.ps("web")["remark"] == nil && mesh.pids("web") != old)
        #expect(try !mesh.devmesh("why", "web", code: 0).output.contains("serving the previous build"))
    }
}

@Test func newerChange_cancelsTheBuildOfTheFormer() throws {
    let services = """
        {"web": {"build": "fixture say begun await go", "run": "fixture serve http",
                 "watch": {"paths": ["src"], "debounce": "1ms"}}}
        """
    try withMesh(services) { mesh in
        mesh.folder.write("go", "")
        mesh.folder.write("src/a", "")
        let up = try mesh.up()
        try mesh.ready("web")
        let old = try mesh.pids("web")
        try mesh.remove("go")
        mesh.folder.write("src/a", "1")
        try up.output.wait(for: "begun", count: 2)
        #expect(try mesh.pids("web") == old)
        mesh.folder.write("src/b", "2")
        // Only one runs at a time: the former is gone.
        try up.output.wait(for: "begun", count: 3)
        #expect(try mesh.get("web").status == 200)
        mesh.folder.write("go", "")
        try mesh.wait(["web"], for: "ready")
        let events = try mesh.start("events", "-f", "--json")
        try events.output.wait(for: #""event":"build-succeeded""#, count: 2)
        #expect(try mesh.events("web").filter { $0 == "build-started" }.count == 3)
    }
}

@Test func buildThatWritesWhatItWatches_isSuspendedAndSaysSo() throws {
    let services = """
        {"web": {"build": "date +%s%N > made.txt", "run": "fixture serve http", "watch": {"debounce": "1ms"}}}
        """
    try withMesh(services) { mesh in
        let up = try mesh.up()
        try up.output.wait(for: "watching made.txt is suspended while it is built: its build writes that file itself")
        let builds = try mesh.events("web").filter { $0 == "build-started" }.count
        #expect((4...8).contains(builds), "\(builds)")
        #expect(try mesh.why("web", says: "watching made.txt is suspended").contains("\"ignore\" of \"watch\""))
        // Somebody's own edit still counts.
        mesh.folder.write("main.c", "x")
        try up.output.wait(for: "main.c changed; building")
    }
}

@Test func buildThatWritesOtherFilesEachTime_isSuspendedAsAWhole() throws {
    let services = """
        {"web": {"build": "rm -f app.*; touch app.$(date +%s%N).js", "run": "fixture serve http",
                 "watch": {"debounce": "1ms"}}}
        """
    try withMesh(services) { mesh in
        let up = try mesh.up()
        try up.output.wait(for: "watching its files is suspended while it is built: its build writes other files")
    }
}

/// It writes what is watched before it would listen, and never does.
@Test func programThatNeverGetsReady_isSuspendedAndHeedsEdits() throws {
    let services = """
        {"web": {"run": "date +%s%N > made.txt; exec sleep 1000", "watch": {"debounce": "1ms"}}}
        """
    try withMesh(services) { mesh in
        let up = try mesh.up()
        try up.output.wait(for: "watching made.txt is suspended while it starts: it writes that file itself")
        mesh.folder.write("main.py", "x")
        try up.output.wait(for: "main.py changed; restarting")
    }
}

@Test func editWhileTheRemoteServes_isBuiltBeforeLocalTakesOver() throws {
    let services = """
        {"web": {"build": "cp src/text made", "run": "echo runs $(cat made); fixture serve http",
                 "remote": "http://127.0.0.1:9", "watch": {"paths": ["src"], "debounce": "1ms"}},
         "other": {"run": "fixture serve http", "watch": {"paths": ["src"], "debounce": "1ms"}}}
        """
    try withWatchedMesh(services) { mesh, up in
        try mesh.devmesh("use", "web", "remote", code: 0)
        mesh.folder.write("src/text", "version 1\n")
        try up.output.wait(for: "other * src/text changed; restarting")
        try mesh.devmesh("use", "web", "local", code: 0)
        try up.output.wait(for: "web   | runs version 1\n")
    }
}

@Test func watch_offAndOn_isHeeded() throws {
    try withWatchedMesh { mesh, up in
        #expect(
            try mesh.devmesh("watch", "web", "off", code: 0).output
                == "web is no longer watched; `devmesh restart web` builds and restarts it.\n")
        #expect(try mesh.devmesh("why", "web", code: 0).output.contains("`devmesh watch web on` changes that"))
        mesh.folder.write("src/text", "version 1\n")
        // What is not watched itself is watched on demand, in its whole folder; by then the other would have been told.
        try mesh.devmesh("watch", "other", "on", code: 0)
        mesh.folder.write("any", "x")
        try up.output.wait(for: "changed; restarting")
        #expect(!up.output.text.contains("src/text changed; building"))
        try mesh.devmesh("watch", "web", "on", code: 0)
        mesh.folder.write("src/text", "version 2\n")
        try up.output.wait(for: "web   | runs version 2\n")
        #expect(try mesh.devmesh("watch", "nobody", "on").code == 1)
    }
}

@Test func noWatch_heedsNothingUntilTold() throws {
    try withMesh(web) { mesh in
        mesh.folder.write("src/text", "version 0\n")
        mesh.folder.write("src/good", "")
        let up = try mesh.up("--no-watch")
        try mesh.ready("web")
        mesh.folder.write("src/text", "version 1\n")
        #expect(try mesh.devmesh("why", "web", code: 0).output.contains("its files are not watched"))
        try mesh.devmesh("watch", "web", "on", code: 0)
        mesh.folder.write("src/text", "version 2\n")
        try up.output.wait(for: "web   | runs version 2\n")
        #expect(!up.output.text.contains("version 1"))
    }
}

@Test func noWatch_thenUp_isWatched() throws {
    try withMesh(web) { mesh in
        mesh.folder.write("src/text", "version 0\n")
        mesh.folder.write("src/good", "")
        let up = try mesh.up("--no-watch")
        try mesh.ready("web")
        try mesh.devmesh("up", "-d", code: 0)
        mesh.folder.write("src/text", "version 1\n")
        try up.output.wait(for: "web   | runs version 1\n")
    }
}

// MARK: The manifest

private func services(_ web: String, _ more: String = "") -> String {
    #"{"web": {"run": "fixture serve http"\#(web)}, "other": {"run": "fixture serve http"}\#(more)}"#
}

@Test func manifest_changed_onlyWhatDiffersIsTouched() throws {
    try withMesh(services("")) { mesh in
        let up = try mesh.up()
        try mesh.ready("web", "other")
        let (web, other) = (try mesh.pids("web"), try mesh.pids("other"))
        mesh.write(services(#", "env": {"LOOK": "new"}"#, #", "third": {"run": "fixture serve http"}"#))
        try up.errors.wait(for: "services.json has changed: started third; restarted web.\n")
        try mesh.ready("web", "third")
        #expect(try mesh.pids("web") != web && mesh.pids("other") == other)

        // What somebody has stopped stays so, though it differs.
        try mesh.devmesh("stop", "web", code: 0)
        mesh.write(services(#", "env": {"LOOK": "newer"}"#))
        try up.errors.wait(for: "services.json has changed: removed third.\n")
        #expect(try mesh.state("web") == "stopped" && mesh.pids("other") == other)
    }
}

@Test func manifest_invalid_changesNothingAndSaysWhy() throws {
    try withMesh(services("")) { mesh in
        let up = try mesh.up()
        try mesh.ready("web", "other")
        let pids = try mesh.pids("web")
        mesh.write(services(#", "runn": 1"#))
        try up.errors.wait(for: "services.json has changed, and can't be followed; the mesh runs on as it was:\n")
        try up.errors.wait(for: #"found "runn". Did you mean "run"?"#)
        #expect(try mesh.pids("web") == pids && mesh.get("web").status == 200)
        mesh.write(services(""))
        try up.errors.wait(for: "services.json has changed: nothing to restart.\n")
        mesh.write(services(#", "restart": "always""#))
        try up.errors.wait(for: "services.json has changed: restarted web.\n")
    }
}

@Test func manifest_inAWatchedFolder_isNoReasonToRestart() throws {
    try withMesh(services(#", "watch": {"ignore": ["run"]}"#)) { mesh in
        let up = try mesh.up()
        try mesh.ready("web", "other")
        let pids = try mesh.pids("web")
        mesh.write(services(#", "watch": {"ignore": ["run"]}"#, #", "third": {"run": "fixture serve http"}"#))
        try up.errors.wait(for: "services.json has changed: started third.\n")
        mesh.folder.write("main.c", "x")
        try up.output.wait(for: "web   * main.c changed; restarting")
        #expect(!up.output.text.contains("services.json changed"))
        try mesh.ready("web")
        #expect(try mesh.pids("web") != pids)
    }
}

@Test func envFile_changed_restartsWhomItConcerns() throws {
    try withMesh(services(#", "envFile": "web.env""#)) { mesh in
        mesh.folder.write("web.env", "LOOK=old\n")
        let up = try mesh.up()
        try mesh.ready("web", "other")
        let other = try mesh.pids("other")
        mesh.folder.write("web.env", "LOOK=new\n")
        try up.errors.wait(for: "services.json has changed: restarted web.\n")
        #expect(try mesh.devmesh("env", "web", code: 0).output.contains("LOOK='new'"))
        #expect(try mesh.pids("other") == other)
    }
}

@Test func envFile_thatWasMissing_mendsTheManifestOnceItIsThere() throws {
    try withMesh(services("")) { mesh in
        let up = try mesh.up()
        try mesh.ready("web", "other")
        mesh.write(services(#", "envFile": "late/web.env""#))
        try up.errors.wait(for: "services.json has changed, and can't be followed")
        mesh.folder.write("late/web.env", "LOOK=new\n")
        try up.errors.wait(for: "services.json has changed: restarted web.\n")
        #expect(try mesh.devmesh("env", "web", code: 0).output.contains("LOOK='new'"))
    }
}

@Test func manifest_changedUnderLocal_leavesTheOthersRemote() throws {
    let remote = #", "remote": "http://127.0.0.1:9""#
    func both(_ web: String) -> String {
        #"{"web": {"run": "fixture serve http"\#(web)}, "other": {"run": "fixture serve http"\#(remote)}}"#
    }
    try withMesh(both("")) { mesh in
        let up = try mesh.up("--local", "web")
        try mesh.ready("web")
        #expect(try mesh.ps("other")["target"] == "remote")
        mesh.write(both(#", "restart": "always""#))
        try up.errors.wait(for: "services.json has changed: restarted web.\n")
        #expect(try mesh.ps("other")["target"] == "remote")
    }
}

@Test func dryRun_tellsAndDoesNothing() throws {
    try withMesh(services("")) { mesh in
        #expect(try mesh.devmesh("up", "--dry-run", code: 0).output == "start    web\nstart    other\n")
        try mesh.up("--no-watch")
        try mesh.ready("web", "other")
        #expect(try mesh.devmesh("up", "--dry-run", code: 0).output == "Nothing would change.\n")
        let pids = try mesh.pids("web")
        mesh.write(
            #"{"web": {"run": "fixture serve http", "restart": "always"}, "third": {"run": "fixture serve http"}}"#)
        #expect(
            try mesh.devmesh("up", "--dry-run", code: 0).output
                == "remove   other\nrestart  web\nstart    third\n")
        let json = try JSON(parsing: mesh.devmesh("up", "--dry-run", "--json", code: 0).output)
        #expect(json["restarted"] == ["web"] && json["removed"] == ["other"] && json["started"] == ["third"])
        #expect(try mesh.pids("web") == pids && mesh.state("other") == "ready")
        #expect(try mesh.devmesh("up", "--json").code == 2)
    }
}
