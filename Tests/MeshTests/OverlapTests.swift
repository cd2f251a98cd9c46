import JSON
import Platform
import TestSupport
import Testing

// `handover: overlap`: a restart starts the new process beside the old one.

/// A web server that listens once the file `open` is there, but exits if `good` is not; and another service beside it.
private func services(timeout: String = "20s", _ more: String = "") -> String {
    """
    {"web": {"run": "fixture unless good 3 await open serve http", "handover": "overlap",
             "ready": {"tcp": true, "timeout": "\(timeout)"}\(more)},
     "other": {"run": "fixture serve http"}}
    """
}

private func withOpenMesh(_ services: String, _ body: (MeshFixture) throws -> Void) throws {
    try withMesh(services) { mesh in
        mesh.folder.write("open", "")
        mesh.folder.write("good", "")
        try mesh.up()
        try mesh.ready("web", "other")
        try body(mesh)
    }
}

extension MeshFixture {
    fileprivate func remove(_ name: String) throws { try Kernel.real.remove(folder.path + "/" + name) }

    /// Waits until another process of `web` runs beside the first.
    fileprivate func successorStarts() throws {
        let events = try start("events", "-f", "--json")
        try events.output.wait(for: #""service":"web","event":"started""#, count: 2)
    }
}

@Test func overlap_restartsUnderLoad_noRequestFailsOrWaits() throws {
    try withOpenMesh(services()) { mesh in
        let port = try mesh.port("web")
        let kept = try mesh.pids("other")
        let loads = [
            try Load(port: port), try Load(port: port, keepsConnection: true),
            try Load(port: port, keepsConnection: true, body: "some words"),
        ]
        var pids = try mesh.pids("web")
        for _ in 1...20 {
            try mesh.devmesh("restart", "web", code: 0)
            pids += try mesh.pids("web")
            #expect(mesh.servants().count == 2, "the old one is gone")
        }
        for load in loads {
            let answers = try load.stop()
            #expect(answers.count >= 20)
            #expect(
                answers.allSatisfy { $0.hasPrefix("200 web.1 ") }, "\(answers.filter { !$0.hasPrefix("200 web.1 ") })")
        }
        #expect(Set(pids).count == 21)
        #expect(try mesh.pids("other") == kept)
        // Once ready it has been in no other state, and in this one the front holds nothing.
        let lines = try mesh.devmesh("events", "--json", code: 0).output.split(separator: "\n")
        let events = try lines.map { try JSON(parsing: String($0)) }.filter { $0["service"] == "web" }
        let told = events.compactMap { $0["event"]?.stringValue }
        let since = told[try #require(told.firstIndex(of: "ready"))...].dropFirst()
        #expect(Set(since) == ["started", "instance-ready", "exited"], "\(since)")
        #expect(since.count == 60)
    }
}

@Test func overlap_whileTheNewOneStarts_theOldOneServes() throws {
    try withOpenMesh(services()) { mesh in
        let old = try #require(try mesh.pids("web").first)
        let client = try MeshClient(port: mesh.port("web"))
        #expect(try client.get("/").body.contains(" \(old) "))
        try mesh.remove("open")
        let restart = try mesh.start("restart", "web")
        try mesh.successorStarts()
        #expect(try client.get("/").body.contains(" \(old) "))
        #expect(try mesh.pids("web") == [old] && mesh.servants().count == 3)
        #expect(try mesh.devmesh("why", "web", code: 0).output.contains("web.1 serves until its successor (pid "))
        #expect(restart.isRunning)

        // A request that is under way ends where it began, whatever takes over meanwhile.
        let slow = try MeshClient(port: mesh.port("web"))
        try slow.request("/slow/600")
        mesh.folder.write("open", "")
        #expect(try restart.result().code == 0)
        #expect(try slow.response().body.contains(" \(old) "))
        let new = try #require(try mesh.pids("web").first)
        #expect(try new != old && client.get("/").body.contains(" \(new) "))
        #expect(mesh.servants().count == 2)
    }
}

@Test func overlap_newOneFails_oldOneServesOnAndWhySaysSo() throws {
    try withOpenMesh(services(timeout: "2s")) { mesh in
        let old = try mesh.pids("web")
        try mesh.remove("good")
        let exited = try mesh.devmesh("restart", "web", code: 1)
        let failure =
            "the new process did not take over: it exited with status 3 before it was ready; the old one goes on serving"
        #expect(exited.errors.contains(failure))
        let why = try mesh.devmesh("why", "web", code: 0).output
        #expect(why.contains("web.1 was not replaced in the last restart: \(failure)"), "\(why)")
        #expect(try mesh.logs("web").contains { $0["line"]?.stringValue == failure })

        mesh.folder.write("good", "")
        try mesh.remove("open")
        let never = try mesh.devmesh("restart", "web", code: 1)
        #expect(never.errors.contains("it was not ready after 2 s: "), "\(never)")
        #expect(try mesh.pids("web") == old && mesh.state("web") == "ready")
        #expect(try mesh.get("web").body.contains(" \(old[0]) ") && mesh.servants().count == 2)

        mesh.folder.write("open", "")
        try mesh.devmesh("restart", "web", code: 0)
        #expect(try mesh.pids("web") != old)
        #expect(try !mesh.devmesh("why", "web", code: 0).output.contains("was not replaced"))
    }
}

@Test func overlap_upAgainWithAChangedEntry_startsTheNewOneFirst() throws {
    try withOpenMesh(services()) { mesh in
        let old = try #require(try mesh.pids("web").first)
        try mesh.remove("open")
        mesh.write(services(#", "env": {"LOOK": "new"}"#))
        let up = try mesh.start("up", "--wait")
        try mesh.successorStarts()
        #expect(try mesh.get("web").body.contains(" \(old) "))
        mesh.folder.write("open", "")
        #expect(try up.result().code == 0)
        #expect(try !mesh.get("web").body.contains(" \(old) ") && mesh.servants().count == 2)
    }
}

@Test func overlap_downMeanwhile_leavesNothing() throws {
    try withOpenMesh(services()) { mesh in
        try mesh.remove("open")
        let restart = try mesh.start("restart", "web")
        try mesh.successorStarts()
        #expect(mesh.servants().count == 3)
        try mesh.devmesh("down", code: 0)
        #expect(mesh.servants().isEmpty)
        #expect(try restart.result().code != 0)
    }
}
