import JSON
import Platform
import TestSupport
import Testing

/// Answers each line, and says how large its window is whenever that changes.
private let console =
    #""trap 'stty size' WINCH; echo welcome; while :; do if read line; then echo \"<$line>\"; fi; done""#

private func withConsole(_ body: (MeshFixture) throws -> Void) throws {
    try withMesh("{\"console\": {\"run\": \(console), \"tty\": true, \"listens\": false}}") { mesh in
        try mesh.up()
        try mesh.ready("console")
        try body(mesh)
    }
}

/// Another size than the service has had before: that it hears of it shows that all is connected.
private func attach(
    _ mesh: MeshFixture, _ size: TerminalSize = TerminalSize(columns: 72, rows: 22)
) throws -> MeshTerminal {
    let terminal = try mesh.terminal("stty -g > before; devmesh attach console; echo code $?; stty -g > after", size)
    try terminal.output.wait(for: "Attached to console.1; ctrl-P ctrl-Q detaches.")
    // Typed before the terminal is raw it would be lost.
    try terminal.output.wait(for: "\(size.rows) \(size.columns)")
    return terminal
}

@Test func tty_service_hasATerminalAndItsLinesAreStored() throws {
    let run =
        #""test -t 0 && test -t 1 && test -t 2 && echo three; echo own > /dev/tty; stty size; printf '\\033[31mred\\033[0m\\nend'""#
    try withMesh("{\"tool\": {\"run\": \(run), \"tty\": true, \"listens\": false, \"oneShot\": true}}") { mesh in
        try mesh.up()
        try mesh.wait(["tool"], for: "completed")
        #expect(
            try mesh.devmesh("logs", "--raw", "tool", code: 0).output
                == "three\nown\n24 80\n\u{1B}[31mred\u{1B}[0m\nend")
        let streams = try mesh.logs("tool").compactMap { $0["stream"]?.stringValue }
        #expect(Set(streams) == ["stdout", "devmesh"])
    }
}

@Test func tty_linesBeforeTheEnd_areAllStored() throws {
    try withMesh(#"{"tool": {"run": "fixture lines 20000 100", "tty": true, "listens": false, "oneShot": true}}"#) {
        mesh in
        try mesh.up()
        try mesh.wait(["tool"], for: "completed")
        let lines = try mesh.logs("tool").filter { $0["stream"] == "stdout" }.compactMap { $0["line"]?.stringValue }
        #expect(lines.count == 20_000)
        #expect(lines.last?.hasPrefix("20000 x") == true)
        #expect(!lines.contains { $0.contains("\r") })
    }
}

@Test func tty_supervisorKilled_linesAreStored() throws {
    let run = "fixture say one say two wait"
    try withMesh("{\"tool\": {\"run\": \"\(run)\", \"tty\": true, \"listens\": false}}") { mesh in
        let up = try mesh.up()
        try up.output.wait(for: "two")
        ProcessTable.signal(try mesh.supervisor(), .kill)
        #expect(try up.exit() == .exited(1))
        #expect(try mesh.devmesh("logs", "--raw", "tool", code: 0).output == "one\ntwo\n")
    }
}

@Test func tty_logWatch_seesLines() throws {
    let ready = #""listens": false, "ready": {"log": "up$"}"#
    try withMesh("{\"tool\": {\"run\": \"echo it is up; exec cat\", \"tty\": true, \(ready)}}") { mesh in
        try mesh.up()
        try mesh.ready("tool")
    }
}

@Test func attach_typedLine_isAnsweredAndTheTerminalIsAsItWas() throws {
    try withConsole { mesh in
        let pids = try mesh.pids("console")
        let terminal = try attach(mesh)
        try terminal.type("hello\r")
        try terminal.output.wait(for: "<hello>")
        try terminal.type("\u{10}\u{11}")
        #expect(try terminal.program.exit() == .exited(0))
        try terminal.output.wait(for: "Detached from console.1.")
        try terminal.output.wait(for: "code 0")
        #expect(try mesh.pids("console") == pids)
        #expect(try mesh.shell("cmp before after").code == 0)
    }
}

@Test func attach_twoAtOnce_bothSeeIt() throws {
    try withConsole { mesh in
        let (one, other) = (try attach(mesh), try attach(mesh, TerminalSize(columns: 90, rows: 25)))
        try other.type("hello\r")
        try one.output.wait(for: "<hello>")
        try other.output.wait(for: "<hello>")
        // Also what is typed right before the end arrives.
        try one.type("last\r\u{10}\u{11}")
        #expect(try one.program.exit() == .exited(0))
        try other.output.wait(for: "<last>")
        try other.type("\u{10}\u{11}")
        #expect(try other.program.exit() == .exited(0))
    }
}

@Test func attach_oneOfTwoLeaves_theOtherDecidesTheSize() throws {
    try withConsole { mesh in
        let one = try attach(mesh)
        let seen = one.output.text.ranges(of: "22 72").count
        let other = try attach(mesh, TerminalSize(columns: 90, rows: 25))
        try other.type("\u{10}\u{11}")
        #expect(try other.program.exit() == .exited(0))
        try one.output.wait(for: "22 72", count: seen + 1)
        try one.type("\u{10}\u{11}")
        #expect(try one.program.exit() == .exited(0))
    }
}

/// Sets modes, and draws its screen anew only where the size is another one, as curses has it.
private let screen =
    #""printf '\\033[?1h\\033[?25l'; s=`stty size`; trap 'n=`stty size`; test \"$n\" = \"$s\" || echo drawn $n; s=$n' WINCH; echo begun; while :; do read line; done""#

@Test func attach_lateToAScreen_catchesUp_andIsPutBackBeforeTheNext() throws {
    try withMesh(
        "{\"console\": {\"run\": \(screen), \"tty\": true, \"ready\": {\"log\": \"begun\"}, \"listens\": false}}"
    ) {
        mesh in
        try mesh.up()
        try mesh.ready("console")
        let terminal = try mesh.terminal("devmesh attach console; echo code $?")
        try terminal.output.wait(for: "\u{1B}[?1h\u{1B}[?25l")
        // The window has the size that the terminal had before.
        try terminal.output.wait(for: "drawn 24 80")
        try mesh.devmesh("restart", "console", code: 0)
        try terminal.output.wait(for: "\u{1B}[?1l\u{1B}[?25h\r\n\u{1B}[0m[devmesh: console.1 has ended")
        try terminal.output.wait(for: "begun\r\n", count: 2)
        try terminal.type("\u{1B}[27;5;112~\u{1B}[27;5;113~")
        #expect(try terminal.program.exit() == .exited(0))
        try terminal.output.wait(for: "\u{1B}[?1l\u{1B}[?25h\u{1B}[0m\r\n\u{1B}[JDetached")
    }
}

@Test func attach_detached_nothingIsShownAnyMore() throws {
    let frames = #"{"tool": {"run": "while :; do printf '\\033[?25lframe'; done", "tty": true, "listens": false}}"#
    try withMesh(frames) { mesh in
        try mesh.up()
        try mesh.ready("tool")
        for _ in 0..<5 {
            let terminal = try mesh.terminal("devmesh attach tool")
            try terminal.output.wait(for: "frame", count: 100)
            try terminal.type("\u{10}\u{11}")
            #expect(try terminal.program.exit() == .exited(0))
            try terminal.output.wait(for: "Detached from tool.1.\r\n")
            #expect(terminal.output.text.hasSuffix("\u{1B}[?25h\u{1B}[0m\r\n\u{1B}[JDetached from tool.1.\r\n"))
        }
    }
}

@Test func attach_instance_showsItsLinesAlone_andSaysWhenItIsGone() throws {
    let run = #""echo this is $DEVMESH_INSTANCE; exec cat""#
    try withMesh("{\"tool\": {\"run\": \(run), \"tty\": true, \"listens\": false}}") { mesh in
        try mesh.up()
        try mesh.devmesh("scale", "tool=2", code: 0)
        #expect(try mesh.devmesh("attach", "tool.2", code: 1).errors.contains("`devmesh logs -f tool` only reads."))
        let terminal = try mesh.terminal("devmesh attach tool.2")
        try terminal.output.wait(for: "/tool.2")
        try mesh.devmesh("scale", "tool=1", code: 0)
        try terminal.output.wait(for: "[devmesh: tool.2 has ended")
        try terminal.type("a")
        try terminal.output.wait(for: "[devmesh: There is no tool.2: tool has one instance.")
        try terminal.type("\u{10}\u{11}")
        #expect(try terminal.program.exit() == .exited(0))
        #expect(!terminal.output.text.contains("/tool.1"))
        try terminal.output.wait(for: "Detached from tool.2.")
    }
}

/// More than terminal and supervisor keep.
@Test func attach_pastedToASlowReader_allOfItArrives() throws {
    let run = #""stty raw -echo; echo set; cat go; head -c 300000 | wc -c; exec cat""#
    try withMesh("{\"tool\": {\"run\": \(run), \"tty\": true, \"ready\": {\"log\": \"set\"}, \"listens\": false}}") {
        mesh in
        #expect(try mesh.shell("mkfifo go").code == 0)
        try mesh.up()
        try mesh.ready("tool")
        let terminal = try mesh.terminal("stty -echo; devmesh attach tool", TerminalSize(columns: 72, rows: 22))
        try terminal.output.wait(for: "set")
        // Typed before the terminal is raw it would be lost.
        while try mesh.shell(
            "stty -F /dev/pts/$(ps -o tty= -p \(terminal.program.pid) | cut -d/ -f2) | grep -- -icanon"
        ).code != 0 {}
        try terminal.type(String(repeating: "x", count: 300_000))
        #expect(try mesh.shell("echo > go").code == 0)
        try terminal.output.wait(for: "300000")
        try terminal.type("\u{10}\u{11}")
        #expect(try terminal.program.exit() == .exited(0))
    }
}

@Test func attach_restart_goesOn() throws {
    try withConsole { mesh in
        let terminal = try attach(mesh)
        try mesh.devmesh("restart", "console", code: 0)
        try terminal.output.wait(for: "[devmesh: console.1 has ended; its next start is shown here]")
        try terminal.output.wait(for: "[devmesh: console.1 is started]")
        try terminal.output.wait(for: "welcome", count: 2)
        try terminal.type("again\r")
        try terminal.output.wait(for: "<again>")
        try mesh.devmesh("down", code: 0)
        #expect(try terminal.program.exit() == .exited(0))
        try terminal.output.wait(for: "went down.")
        #expect(try mesh.shell("cmp before after").code == 0)
    }
}

@Test func attach_resized_isToldToTheService() throws {
    try withConsole { mesh in
        let terminal = try attach(mesh)
        terminal.resize(120, 40)
        try terminal.output.wait(for: "40 120")
        try terminal.type("\u{10}\u{11}")
        #expect(try terminal.program.exit() == .exited(0))
    }
}

@Test func attach_killed_terminalIsAsItWas() throws {
    try withConsole { mesh in
        let terminal = try attach(mesh)
        #expect(try mesh.shell("pkill -TERM -x devmesh -s \(terminal.program.pid)").code == 0)
        #expect(try terminal.program.exit() == .exited(0))
        #expect(try mesh.shell("cmp before after").code == 0)
    }
}

@Test func attach_impossible_saysWhy() throws {
    try withMesh(#"{"plain": {"run": "fixture wait", "listens": false}}"#) { mesh in
        try mesh.up()
        #expect(try mesh.devmesh("attach", "plain", code: 1).errors.contains("plain has no terminal to attach to"))
        // Also where there is no terminal, it says what is wrong with the name first.
        #expect(try mesh.devmesh("attach", "plian", code: 1).errors.contains("Did you mean"))
        let terminal = try mesh.terminal("devmesh attach plain; echo code $?; devmesh attach plian")
        _ = try terminal.program.exit()
        try terminal.output.wait(for: "plain has no terminal to attach to")
        try terminal.output.wait(for: "code 1")
        try terminal.output.wait(for: "Did you mean")
    }
}
