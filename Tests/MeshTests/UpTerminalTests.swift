import Platform
import TestSupport
import Testing

/// The line below the logs of `up`, and its keys.
private func withUp(_ line: String = "devmesh up", _ body: (MeshFixture, MeshTerminal) throws -> Void) throws {
    let services = #"{"web": {"run": "fixture serve http"}, "tool": {"run": "fixture wait", "listens": false}}"#
    try withMesh(services) { mesh in
        let terminal = try mesh.terminal(
            "trap : INT; stty -g > before; NO_COLOR=1 \(line); echo code $?; stty -g > after")
        try terminal.output.wait(for: "is up; ^C stops it.")
        try body(mesh, terminal)
    }
}

private func expectEnd(_ mesh: MeshFixture, _ terminal: MeshTerminal) throws {
    #expect(try terminal.program.exit() == .exited(0))
    try terminal.output.wait(for: "code 0")
    try terminal.output.wait(for: " is down.")
    #expect(try mesh.shell("cmp before after").code == 0)
}

@Test func status_ofServices_isShownBelowTheLogs() throws {
    try withUp { mesh, terminal in
        try terminal.output.wait(for: "web ● ready  tool ● ready  ? help\r")
        try terminal.type("?")
        try terminal.output.wait(for: "r  restart a service")
        try terminal.type("q")
        try expectEnd(mesh, terminal)
        // Nothing of the line is left below.
        #expect(terminal.output.text.rest(behind: "is down.")?.contains("? help") == false)
    }
}

@Test func status_key_restartsOneService() throws {
    try withUp { mesh, terminal in
        try mesh.ready("web", "tool")
        let (web, tool) = (try mesh.pids("web"), try mesh.pids("tool"))
        try terminal.type("rwe\r")
        try terminal.output.wait(for: "web is restarted.")
        #expect(try mesh.pids("web") != web)
        #expect(try mesh.pids("tool") == tool)
        try terminal.type("\u{3}")
        try expectEnd(mesh, terminal)
    }
}

/// `down` and the next `up` wait for the end of this process, not for a terminal that ^S holds up.
@Test func status_terminalHeldUp_downDoesNotWaitForIt() throws {
    try withUp { mesh, terminal in
        try terminal.output.wait(for: "web ● ready  tool ● ready  ? help\r")
        try terminal.type("\u{13}")
        try mesh.devmesh("restart", "tool", code: 0)
        try mesh.devmesh("down", code: 0)
        try terminal.type("\u{11}")
        #expect(try terminal.program.exit() == .exited(0))
        #expect(try mesh.shell("cmp before after").code == 0)
    }
}

@Test func status_quitKey_isNoCrash() throws {
    try withUp { mesh, terminal in
        try terminal.output.wait(for: "? help\r")
        try terminal.type("\u{1C}q")
        try expectEnd(mesh, terminal)
    }
}

@Test func status_pasted_isNoCommand() throws {
    try withUp { mesh, terminal in
        try terminal.output.wait(for: "\u{1B}[?2004h")
        try terminal.output.wait(for: "? help\r")
        try terminal.type("\u{1B}[200~q\u{1B}[201~?")
        try terminal.output.wait(for: "r  restart a service")
        try terminal.type("q")
        try expectEnd(mesh, terminal)
        #expect(terminal.output.text.rest(behind: "\u{1B}[?2004l")?.contains("is down.") == true)
    }
}

@Test(arguments: ["in order", "supervisor", "first process"])
func status_open_theBrowserOutlivesTheMesh(_ end: String) throws {
    try withUp("BROWSER=$PWD/browser devmesh up") { mesh, terminal in
        let script = "#!/bin/sh\nsetsid sleep 9999 &\none=$!\nsleep 9998 &\necho $one $! $$ > opened\nexec sleep 9997\n"
        mesh.folder.write("browser", script, permissions: 0o755)
        #expect(try mesh.shell("mkfifo opened").code == 0)
        try terminal.output.wait(for: "? help\r")
        try terminal.type("o\r")
        let pids = try mesh.shell("cat opened").output.split { $0.isWhitespace }.compactMap { Int32($0) }
        #expect(pids.count == 3)
        for pid in pids {
            let group = String(decoding: try Kernel.real.readFile("/proc/\(pid)/cgroup"), as: UTF8.self)
            #expect(!group.contains("/devmesh-"))
        }
        switch end {
        case "supervisor": ProcessTable.signal(try mesh.supervisor(), .kill)
        case "first process":
            ProcessTable.signal(try #require(ProcessTable.entry(try mesh.guardian().parent)), .kill)
        default: try terminal.type("q")
        }
        #expect(try terminal.program.exit() == .exited(0))
        try mesh.waitForEnd()
        #expect(mesh.servants().map(\.pid).sorted() == pids.sorted())
        mesh.killAll()
    }
}

@Test func status_interruptedTwice_terminalIsAsItWas() throws {
    try withMesh(#"{"deaf": {"run": "fixture ignore TERM say deaf wait", "listens": false}}"#) { mesh in
        let terminal = try mesh.terminal("trap : INT; stty -g > before; devmesh up; stty -g > after")
        try terminal.output.wait(for: "deaf")
        try mesh.ready("deaf")
        try terminal.type("\u{3}")
        try terminal.output.wait(for: "stopping")
        try terminal.type("\u{3}")
        _ = try terminal.program.exit()
        #expect(try mesh.shell("cmp before after").code == 0)
    }
}

@Test func status_supervisorKilled_itsGuardianLeavesTheTerminalAsItWas() throws {
    try withUp { mesh, terminal in
        try terminal.output.wait(for: "? help\r")
        ProcessTable.signal(try mesh.supervisor(), .kill)
        #expect(try terminal.program.exit() == .exited(0))
        #expect(terminal.output.text.rest(behind: "? help\r")?.hasPrefix("\r\u{1B}[J") == true)
        try terminal.output.wait(for: "its supervisor was killed (SIGKILL)")
        #expect(try mesh.shell("cmp before after").code == 0)
    }
}

/// By then the guardian is alone, and has left the terminal's session.
@Test func status_firstProcessAndSupervisorKilled_guardianLeavesTheTerminalAsItWas() throws {
    try withUp("devmesh up; flock .devmesh/services.json/life.lock true") { mesh, terminal in
        try terminal.output.wait(for: "? help\r")
        let supervisor = try mesh.supervisor()
        let first = try #require(ProcessTable.entry(try mesh.guardian().parent))
        #expect(first.terminalGroup == first.group)
        ProcessTable.signal(first, .kill)
        ProcessTable.signal(supervisor, .kill)
        #expect(try terminal.program.exit() == .exited(0))
        #expect(try mesh.shell("cmp before after").code == 0)
    }
}

@Test(arguments: ["devmesh up --no-status", "TERM=dumb devmesh up", "devmesh up | cat", "devmesh up < /dev/null"])
func status_notWanted_isNotShown(_ line: String) throws {
    try withUp(line) { mesh, terminal in
        try terminal.output.wait(for: "listening")
        try mesh.ready("web", "tool")
        try mesh.devmesh("down", code: 0)
        #expect(try terminal.program.exit() == .exited(0))
        #expect(!terminal.output.text.contains("? help"))
        #expect(!terminal.output.text.contains("\u{1B}[J"))
    }
}

extension String {
    /// What follows the last occurrence of `mark`.
    fileprivate func rest(behind mark: String) -> Substring? {
        ranges(of: mark).last.map { self[$0.upperBound...] }
    }
}
