import Platform
import TestSupport
import Testing

// Ends that nobody asked for: of the first process, of the guardian, of the supervisor, of several.

/// Programs with all kinds of offspring that ignore TERM.
private let offspring = """
    {"web": {"run": "fixture setsid daemon bare child serve http"},
     "part": {"run": "fixture put half wait", "listens": false}}
    """

@Test func crash_supervisorKilled_nothingOutlivesIt_andTheNextUpSaysSo() throws {
    try withMesh(offspring) { mesh in
        let up = try mesh.up()
        try mesh.ready("web")
        try up.output.wait(for: "listening")
        let supervisor = try mesh.supervisor()
        let port = try mesh.port("web")
        let below = supervisor.below
        #expect(below.count == 6)
        ProcessTable.signal(supervisor, .kill)
        // The process that the user started ends once nothing is left.
        #expect(try up.exit() == .exited(1))
        #expect(below.filter(\.isAlive) == [])
        #expect(mesh.processes() == [])
        #expect(up.errors.text.contains("its supervisor was killed (SIGKILL)"))
        #expect(try mesh.devmesh("ps").code == 3)

        let next = try mesh.up()
        try mesh.ready("web")
        #expect(next.errors.text.contains("its supervisor was killed (SIGKILL)"))
        #expect(try mesh.port("web") == port)
        #expect(try mesh.devmesh("logs", "part", "--raw", code: 0).output.hasPrefix("half"))
        try mesh.devmesh("down", code: 0)

        // Once ended in order, there is nothing to tell.
        let last = try mesh.up()
        #expect(!last.errors.text.contains("last mesh"))
    }
}

/// Its first thread has the guardian's number in mind, by which a lock would never be handed on.
@Test func supervisor_goesOnInAThreadOfItsOwn() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}}"#) { mesh in
        try mesh.up()
        try mesh.ready("web")
        let tasks = "/proc/\(try mesh.supervisor().pid)/task"
        let names = try Kernel.real.list(tasks).map { task in
            String(decoding: try Kernel.real.readFile("\(tasks)/\(task)/comm"), as: UTF8.self)
        }
        #expect(names.contains("devmesh\n") && names.contains("mesh\n"))
    }
}

@Test func crash_inTheBackground_isToldToWhoeverStartsItAgain() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}}"#) { mesh in
        try mesh.devmesh("up", "--wait", code: 0)
        let supervisor = try mesh.supervisor()
        ProcessTable.signal(supervisor, .kill)
        try mesh.waitForEnd()
        #expect(mesh.servants() == [])
        let again = try mesh.devmesh("up", "--wait", code: 0)
        #expect(again.errors.contains("its supervisor was killed (SIGKILL)"))
    }
}

/// What a KILL to the job spares: `kill -9 %1`, timeout(1), and also `killall -9 devmesh` and `pkill -9 -f devmesh`.
@Test func guardian_isInNoJobAndHasAnotherName() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}}"#) { mesh in
        let up = try mesh.up()
        let (supervisor, guardian) = (try mesh.supervisor(), try mesh.guardian())
        #expect(guardian.parent == up.pid)
        #expect(guardian.session == guardian.pid)
        #expect(supervisor.session == up.pid && supervisor.group == up.pid)
        #expect(ProcessTable.program(of: guardian.pid) == "mesh-guardian")
        let line = String(decoding: try Kernel.real.readFile("/proc/\(guardian.pid)/cmdline"), as: UTF8.self)
        // As far as there is room for it.
        #expect(line.hasPrefix("mesh-guard") && !line.contains("devmesh"))
        #expect(ProcessTable.program(of: up.pid) == "devmesh")
        #expect(ProcessTable.program(of: supervisor.pid) == "devmesh")
    }
}

private enum Victim: CaseIterable { case first, job, guardian, guardianAndSupervisor }

@Test(arguments: Victim.allCases) fileprivate func crash_whoeverIsKilled_nothingOutlivesIt(_ victim: Victim) throws {
    try withMesh(offspring) { mesh in
        let up = try mesh.up()
        try mesh.ready("web")
        let (supervisor, guardian) = (try mesh.supervisor(), try mesh.guardian())
        let below = supervisor.below
        #expect(below.count == 6)
        var end = ExitStatus.signalled(.kill)
        switch victim {
        case .first: up.signal(.kill)
        case .job: up.signal(.kill, group: true)
        case .guardian, .guardianAndSupervisor:
            if victim == .guardianAndSupervisor { ProcessTable.signal(supervisor, .kill) }
            ProcessTable.signal(guardian, .kill)
            end = .exited(1)
        }
        #expect(try up.exit() == end)
        try mesh.waitForEnd()
        #expect(below.filter(\.isAlive) == [])
        #expect(mesh.processes() == [])
        let how =
            switch victim {
            case .first: "its first process was killed"
            // Whichever of the two the guardian sees first.
            case .job: " was killed"
            case .guardian, .guardianAndSupervisor: "its guardian was killed"
            }
        #expect(end != .exited(1) || up.errors.text.contains(how))
        let next = try mesh.up()
        #expect(next.errors.text.contains(how) && !next.errors.text.contains("left running"))
        try mesh.ready("web")
    }
}

/// A supervisor that is stopped (`kill -STOP`) goes none the less, with its guardian or when it is told to.
@Test func suspendedSupervisor_endsAllTheSame() throws {
    try withMesh(offspring) { mesh in
        let first = try mesh.up()
        try mesh.ready("web")
        let below = try mesh.supervisor().below
        ProcessTable.signal(try mesh.supervisor(), Signal(name: "STOP")!)
        ProcessTable.signal(try mesh.guardian(), .kill)
        #expect(try first.exit() == .exited(1))
        #expect(below.filter(\.isAlive) == [])

        let second = try mesh.up()
        try mesh.ready("web")
        let supervisor = try mesh.supervisor()
        ProcessTable.signal(supervisor, Signal(name: "STOP")!)
        let ps = try mesh.start("ps")
        try ps.errors.wait(for: "is suspended, and answers once it goes on")
        second.signal(.terminate)
        #expect(try second.exit() == .exited(0))
        _ = try ps.exit()
    }
}

/// What runs on when all three are killed: in sessions of their own, daemons, without any environment, and in a group without its leader.
private let clinging = """
    {"web": {"run": "fixture setsid daemon bare serve http"},
     "unmarked": {"run": "env -u DEVMESH_INSTANCE fixture child wait", "listens": false}}
    """

@Test func crash_allKilled_theNextUpEndsWhatIsLeft() throws {
    try withMesh(clinging) { mesh in
        let up = try mesh.up()
        try mesh.ready("web", "unmarked")
        // The leaders, which go with the supervisor, may not have gone yet.
        let left = try mesh.killAtOnce(up)
        #expect(left.count >= 4)

        let next = try mesh.up()
        #expect(left.filter(\.isAlive) == [])
        let said = next.errors.text
        #expect(said.contains("was killed and its guardian with it"))
        #expect(said.contains("web.1 (pid ") && said.contains("unmarked.1 (pid "))
        try mesh.ready("web")
        #expect(try mesh.get("web").status == 200)
    }
}

@Test func crash_allKilled_downEndsWhatIsLeft() throws {
    try withMesh(clinging) { mesh in
        let up = try mesh.up()
        try mesh.ready("web", "unmarked")
        try mesh.devmesh("scale", "web=2", code: 0)
        let left = try mesh.killAtOnce(up)
        #expect(left.count >= 7)
        let down = try mesh.devmesh("down", code: 0)
        #expect(down.errors.contains("left running: ") && down.errors.contains("web.1 (pid "))
        #expect(left.filter(\.isAlive) == [])
        // It is told once, and what `scale` chose is forgotten, as by every `down`.
        #expect(try !mesh.devmesh("down", code: 0).errors.contains("last mesh"))
        let next = try mesh.up()
        #expect(!next.errors.text.contains("last mesh"))
        try mesh.ready("web")
        #expect(try mesh.pids("web").count == 1)
    }
}

/// At any moment of the start: programs are being made, nobody has been told yet.
@Test(arguments: ["supervisor", "guardian", "first", "job"])
func crash_whileStarting_leavesNothing(victim: String) throws {
    try withMesh(offspring) { mesh in
        try mesh.up()
        try mesh.devmesh("down", code: 0)
        for round in 0..<12 {
            let up = try mesh.start("up")
            let moment = Instant.now + .milliseconds(round * round)
            while .now < moment { PlatformThread.yield() }
            let guardian = ProcessTable.children(of: up.pid).first
            let supervisor = guardian.flatMap { ProcessTable.children(of: $0.pid).first }
            if victim == "supervisor", let supervisor {
                ProcessTable.signal(supervisor, .kill)
            } else if victim == "guardian", let guardian {
                ProcessTable.signal(guardian, .kill)
            } else {
                up.signal(.kill, group: victim == "job")
            }
            _ = try up.exit()
            try mesh.waitForEnd()
            #expect(mesh.processes() == [], "round \(round)")
        }
    }
}

@Test func crash_ofTheSupervisor_leavesAReportWithItsStack() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}}"#) { mesh in
        let up = try mesh.up()
        try mesh.ready("web")
        ProcessTable.signal(try mesh.supervisor(), Signal(name: "SEGV")!)
        #expect(try up.exit() == .exited(1))
        let report = try #require(mesh.folder.read(".devmesh/services.json/crash.txt"))
        #expect(report.hasPrefix("devmesh "))
        #expect(report.contains("signal SIGSEGV sent by process \(ThisProcess.id)\n"))
        // Where it was in the C library, which keeps no chain of frames, the stack is searched.
        #expect(report.contains("\nframe 0 0x") && (report.contains("\nframe 3 0x") || report.contains("\nmaybe 0x")))
        #expect(report.contains("/devmesh\n"))
        #expect(up.errors.text.contains("its supervisor crashed (SIGSEGV)"))
        #expect(up.errors.text.contains("crash.txt"))
        #expect(try mesh.up().errors.text.contains("crash.txt"))
    }
}

/// A firehose, whose reader is killed at any moment: in the middle of a read, of a write, of a line.
@Test(arguments: 1...5) func crash_ofABusyLogReader_losesAndRepeatsNothing(round: Int) throws {
    let run = #""i=0; while :; do i=$((i+1)); echo line $i of many; done""#
    try withMesh("{\"noise\": {\"run\": \(run), \"listens\": false}}") { mesh in
        let up = try mesh.up()
        try up.output.wait(for: "line \(round * 3000) of")
        ProcessTable.signal(try mesh.supervisor(), .kill)
        #expect(try up.exit() == .exited(1))
        let stored = try mesh.devmesh("logs", "noise", "--raw", code: 0).output.split(separator: "\n")
        #expect(stored.count >= round * 3000)
        for (index, line) in stored.enumerated() where line != "line \(index + 1) of many" {
            // The program may have been killed in the middle of its last line.
            let isLast = index == stored.count - 1 && "line \(index + 1) of many".hasPrefix(line)
            if !isLast {
                Issue.record("line \(index + 1) is '\(line)'")
                break
            }
        }
    }
}

/// Nobody reads while the program writes: what it wrote is in the pipe, and nowhere else.
@Test func crash_withAFullPipe_losesNoLine() throws {
    let lines = "i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo line $i; done; printf half; : >done"
    let run = "\"fixture await go; \(lines); fixture wait\""
    try withMesh("{\"noise\": {\"run\": \(run), \"listens\": false}}") { mesh in
        let up = try mesh.up()
        try mesh.ready("noise")
        let supervisor = try mesh.supervisor()
        ProcessTable.signal(supervisor, Signal(name: "STOP")!)
        mesh.folder.write("go", "")
        #expect(try mesh.shell("fixture await done").code == 0)
        ProcessTable.signal(supervisor, .kill)
        #expect(try up.exit() == .exited(1))
        let stored = try mesh.devmesh("logs", "noise", "--raw", code: 0).output
        #expect(stored == (1...2000).map { "line \($0)\n" }.joined() + "half")
    }
}

@Test func signals_toTheWholeGroup_countOnce() throws {
    try withMesh(#"{"worker": {"run": "fixture trap TERM 300 0 say up wait", "listens": false}}"#) { mesh in
        let up = try mesh.up()
        try up.output.wait(for: "up")
        // As ^C does, and as `kill` of a group: what the supervisor has got already is handed on to it.
        up.signal(.interrupt, group: true)
        #expect(try up.exit() == .exited(0))
        #expect(mesh.processes() == [])
    }
}

@Test func signals_toTheFirstProcess_areAGracefulDown() throws {
    for signal in [Signal.terminate, .hangup, .interrupt] {
        try withMesh(#"{"worker": {"run": "fixture trap TERM 0 0 say up wait", "listens": false}}"#) { mesh in
            let up = try mesh.up()
            try up.output.wait(for: "up")
            up.signal(signal)
            #expect(try up.exit() == .exited(0))
            #expect(up.output.text.contains("got TERM"))
        }
    }
}

/// `kill -QUIT`, and ^\ with it: it is not the guardian's to die of.
@Test func signals_quit_leavesNothing() throws {
    try withMesh(offspring) { mesh in
        let up = try mesh.up()
        try mesh.ready("web")
        let below = try mesh.supervisor().below
        up.signal(Signal(name: "QUIT")!, group: true)
        #expect(try up.exit() == .exited(1))
        #expect(below.filter(\.isAlive) == [])
    }
}

/// ^C at any moment of the start: it comes up and goes down, or has not begun.
@Test func signals_interruptWhileStarting_isNoCrash() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}}"#) { mesh in
        for round in 0..<12 {
            let up = try mesh.start("up")
            let moment = Instant.now + .milliseconds(round * round)
            while .now < moment { PlatformThread.yield() }
            up.signal(.interrupt, group: true)
            #expect([.exited(0), .signalled(.interrupt)].contains(try up.exit()))
            #expect(mesh.processes() == [])
        }
        #expect(try !mesh.up().errors.text.contains("last mesh"))
    }
}

/// The terminal's window is closed: of a session whose leader devmesh is, the kernel tells that one alone.
@Test(.enabled(if: Kernel.real.status("/usr/bin/script") != nil))
func signals_terminalClosed_isAGracefulDown() throws {
    try withMesh(#"{"worker": {"run": "fixture trap TERM 0 0 say up wait", "listens": false}}"#) { mesh in
        // Its input stays open, as a keyboard does.
        let window = try mesh.start(
            program: "/bin/sh", ["sh", "-c", "fixture wait | script -qfec 'exec devmesh up' /dev/null"])
        try window.output.wait(for: "is up")
        try mesh.ready("worker")
        window.signal(.kill, group: true)
        try mesh.waitForEnd()
        #expect(mesh.processes() == [])
        #expect(try mesh.devmesh("logs", "worker", code: 0).output.contains("got TERM"))
        #expect(try !mesh.up().errors.text.contains("last mesh"))
    }
}

/// A script that goes on as `devmesh up` may have begun something of its own, which may leave orphans.
@Test(arguments: ["supervisor", "guardian"]) func guardian_leavesAloneWhatItInherited(victim: String) throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}}"#) { mesh in
        let script = "fixture ignore TERM pid wait >own.txt & fixture setsid await go >more.txt & exec devmesh up"
        let up = try mesh.start(program: "/bin/sh", ["sh", "-c", script])
        try up.errors.wait(for: "is up")
        try mesh.ready("web")
        let (supervisor, guardian) = (try mesh.supervisor(), try mesh.guardian())
        let own = ProcessTable.snapshot().descendants(of: up.pid).filter {
            $0.parent == up.pid && $0.pid != guardian.pid
        }
        let leaving = try #require(own.first { ProcessTable.children(of: $0.pid).count == 1 })
        let orphan = try #require(ProcessTable.children(of: leaving.pid).first)
        mesh.folder.write("go", "")
        // Once that is reaped, the first process has seen what it left.
        #expect(try mesh.shell("while kill -0 \(leaving.pid); do :; done 2>&-").code == 0)
        ProcessTable.signal(victim == "guardian" ? guardian : supervisor, .kill)
        #expect(try up.exit() == .exited(1))
        let strangers = own.filter { $0 != leaving } + [orphan]
        #expect(strangers.count == 2 && strangers.allSatisfy(\.isAlive))
        #expect(Set(mesh.processes().map(\.pid)) == Set(strangers.map(\.pid)))
        for stranger in strangers { ProcessTable.signal(stranger, .kill) }
    }
}

/// Nobody tells it of an orphan that comes from further below.
@Test func guardian_inOrder_leavesAloneWhatItHasNotSeen() throws {
    try withMesh(#"{"web": {"run": "fixture serve http"}}"#) { mesh in
        let own = "sh -c 'fixture setsid await go >own.txt & wait; : >gone; fixture wait'"
        let up = try mesh.start(program: "/bin/sh", ["sh", "-c", "\(own) & exec devmesh up"])
        try up.errors.wait(for: "is up")
        mesh.folder.write("go", "")
        #expect(try mesh.shell("fixture await gone").code == 0)
        let line = try #require(mesh.folder.read("own.txt"))
        let orphan = try #require(Int32(line.dropFirst(7).dropLast()).flatMap { ProcessTable.entry($0) })
        #expect(orphan.parent == up.pid)
        try mesh.devmesh("down", code: 0)
        #expect(try up.exit() == .exited(0))
        #expect(orphan.isAlive)
        for stranger in mesh.processes() { ProcessTable.signal(stranger, .kill) }
    }
}
