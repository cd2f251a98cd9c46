import Platform
import Project
import TestSupport
import Testing

/// A program that waits for its stdin's end, with a variable of its own.
private final class Sleeper {
    let pid: Int32
    let tag = UInt64.random(in: 1..<1 << 62)
    let began = Instant.sinceBoot
    private let pipe: Descriptor

    init(_ marker: String? = nil, script: String = "read line") throws {
        let pipe = try Kernel.real.pipe()
        let output = try Kernel.real.pipe()
        var request = SpawnRequest(
            path: "/bin/sh", arguments: ["sh", "-c", "exec >&-; \(script)"],
            environment: marker.map { ["MARK": $0] } ?? [:])
        request.tag = tag
        pid = try ChildTable.spawn(request, stdin: pipe.reader.raw, stdout: output.writer.raw)
        self.pipe = pipe.writer
        output.writer.close()
        // The kernel shows its environment a moment after it is executed: not before it runs can all be known of it.
        _ = try Kernel.real.readToEnd(output.reader)
    }

    var isAlive: Bool { ProcessTable.entry(pid).map { !$0.isZombie } ?? false }

    func end() {
        ChildTable.signal(pid, .kill, group: false)
        _ = ChildTable.wait(pid)
    }
}

extension ProjectFixture {
    fileprivate var journal: String { project.stateFolder + "/journal" }

    /// A marker that nobody else has.
    fileprivate var marker: String { "MARK=\(project.hash)-\(ThisProcess.id)/" }

    fileprivate func begin() throws -> Journal {
        try project.makeStateFolder()
        return try Journal(project)
    }

    fileprivate func clear() -> Leftovers? { Leftovers.clear(project, marker: marker, patience: .seconds(30)) }
}

@Suite struct JournalTests {
    @Test func leftovers_whereNothingIsWritten_areNone() throws {
        let fixture = ProjectFixture()
        #expect(fixture.clear() == nil)
        _ = try fixture.begin()
        Journal.remove(fixture.project)
        #expect(fixture.clear() == nil)
    }

    @Test func leftovers_thatTheJournalNames_areEnded() throws {
        let fixture = ProjectFixture()
        let journal = try fixture.begin()
        let (left, stranger) = (try Sleeper(), try Sleeper())
        journal.started(left.pid, "reader.1#3", tag: left.tag, began: left.began)
        let found = try #require(fixture.clear())
        #expect(found.end == .alone && found.began?.supervisor == ThisProcess.id)
        #expect(found.ended.map(\.pid) == [left.pid] && found.ended.map(\.name) == ["reader.1"])
        #expect(found.left == [])
        #expect(!left.isAlive && stranger.isAlive)
        left.end()
        stranger.end()
        // It has been told, and nothing is left to be told of.
        #expect(fixture.clear() == nil)
    }

    /// The leader has gone with its supervisor (PR_SET_PDEATHSIG), what it had forked has not.
    @Test(arguments: [nil, "0123456789abcdef/reader.1#3"])
    func leftovers_ofALeaderThatIsGone_areEnded_unlessAnothersMarkIsOnThem(mark: String?) throws {
        let fixture = ProjectFixture()
        let journal = try fixture.begin()
        let (leader, left) = try orphan(mark)
        journal.started(leader.pid, "reader.1#3", tag: leader.tag, began: leader.began)
        let found = try #require(fixture.clear())
        #expect(found.ended.map(\.pid) == (mark == nil ? [left.pid] : []))
        ProcessTable.signal(left, .kill)
    }

    /// In another life of a container pids begin anew: a daemon's session may have the number of one that was ours.
    @Test func leftovers_inAStrangersSessionOfThatNumber_areSpared() throws {
        let fixture = ProjectFixture()
        let journal = try fixture.begin()
        let (leader, stranger) = try orphan()
        journal.started(leader.pid, "reader.1#3", tag: leader.tag ^ 1, began: leader.began)
        #expect(try #require(fixture.clear()).ended.isEmpty)
        #expect(ProcessTable.entry(stranger.pid).map { !$0.isZombie } == true)
        ProcessTable.signal(stranger, .kill)
    }

    /// What a shell leaves in its session when it ends.
    private func orphan(_ mark: String? = nil) throws -> (leader: Sleeper, left: ProcessEntry) {
        let leader = try Sleeper(mark, script: "exec 3<&0; { read line <&3; } & exit")
        _ = ChildTable.wait(leader.pid)
        let left = ProcessTable.snapshot().entries.first { $0.session == leader.pid && !$0.isZombie }
        return (leader, try #require(left))
    }

    /// The pid is the same, the process is not.
    @Test func leftovers_whosePidIsAStrangersByNow_areSpared() throws {
        let fixture = ProjectFixture()
        _ = try fixture.begin()
        let stranger = try Sleeper()
        let started = Int64(try #require(ProcessTable.entry(stranger.pid)).started)
        let entries = [(started - 9, started - 1), (started + 1, started + 9)].map { earliest, latest in
            "+ \(stranger.pid) \(earliest) \(latest) 1 reader.1#1\n"
        }
        let file = try Kernel.real.open(fixture.journal, .append)
        try Kernel.real.writeAll(file, entries.joined())
        let found = try #require(fixture.clear())
        #expect(found.ended.isEmpty && stranger.isAlive)
        stranger.end()
    }

    @Test(arguments: [false, true]) func leftovers_thatCarryTheMarker_areEnded(isDamaged: Bool) throws {
        let fixture = ProjectFixture()
        _ = try fixture.begin()
        if isDamaged { try Kernel.real.replaceFile(fixture.journal, with: Array("devmesh-jou".utf8)) }
        let escaped = try Sleeper("\(fixture.marker.dropFirst(5))reader.2#1")
        let other = try Sleeper("0123456789abcdef/reader.2#1")
        let found = try #require(fixture.clear())
        #expect((found.began == nil) == isDamaged)
        #expect(found.ended.map(\.pid) == [escaped.pid] && found.ended.map(\.name) == ["reader.2"])
        #expect(other.isAlive)
        escaped.end()
        other.end()
    }

    @Test func leftovers_ofAnEarlierLifeOfThePids_areNobody() throws {
        let fixture = ProjectFixture()
        let journal = try fixture.begin()
        let sleeper = try Sleeper()
        journal.started(sleeper.pid, "reader.1#1", tag: sleeper.tag, began: sleeper.began)
        let text = String(decoding: try Kernel.real.readFile(fixture.journal), as: UTF8.self)
        let life = text.split(separator: " ")[2]
        let parts = life.split(separator: "/")
        try #require(parts.count == 3)
        // Of the machine; of the container, as its namespace and as the start of its first process tell.
        for index in 0..<3 {
            var parts = parts
            parts[index] = "another"
            let other = parts.joined(separator: "/")
            try Kernel.real.replaceFile(fixture.journal, with: Array(text.replacing(life, with: other).utf8))
            #expect(try #require(fixture.clear()).end == .withTheMachine)
            #expect(sleeper.isAlive)
        }
        sleeper.end()
    }

    @Test func leftovers_ofAMeshThatSaidHowItEnded_sayIt() throws {
        let fixture = ProjectFixture()
        _ = try fixture.begin()
        Journal.noteEnd(of: fixture.project, "its supervisor was killed (SIGKILL)")
        guard case .told(let time, let how) = try #require(fixture.clear()).end else {
            Issue.record("not told")
            return
        }
        #expect(how == "its supervisor was killed (SIGKILL)")
        #expect(abs(WallTime.now.microseconds - time.microseconds) < 60_000_000)
    }

    @Test func journal_isOpen_untilAnEndIsNoted() throws {
        let fixture = ProjectFixture()
        #expect(!Journal.isOpen(fixture.project, of: ThisProcess.id))
        _ = try fixture.begin()
        #expect(Journal.isOpen(fixture.project, of: ThisProcess.id))
        #expect(!Journal.isOpen(fixture.project, of: ThisProcess.id + 1))
        Journal.noteEnd(of: fixture.project, "it went down")
        #expect(!Journal.isOpen(fixture.project, of: ThisProcess.id))
    }

    @Test func journal_begunWhileSomethingIsLeft_tellsOfItToo() throws {
        let fixture = ProjectFixture()
        let left = try Sleeper()
        try fixture.begin().started(left.pid, "reader.1#1", tag: left.tag, began: left.began)
        let next = try fixture.begin()
        let other = try Sleeper()
        next.started(other.pid, "writer.1#1", tag: other.tag, began: other.began)
        #expect(fixture.clear()?.ended.map(\.name).sorted() == ["reader.1", "writer.1"])
        left.end()
        other.end()
    }

    /// On a full disk a line may be written in part; the next one is its own.
    @Test func journal_withATornLine_tellsOfTheNext() throws {
        let fixture = ProjectFixture()
        try fixture.project.makeStateFolder()
        let faults = FaultPlan()
        let journal = try Journal(fixture.project, kernel: Kernel(faults: faults))
        let left = try Sleeper()
        faults.injectNext(.write, .short(5))
        faults.inject(.write, nth: faults.count(.write) + 2, .fails(.noSpace))
        for _ in 1...2 { journal.started(left.pid, "reader.1#1", tag: left.tag, began: left.began) }
        let text = String(decoding: try Kernel.real.readFile(fixture.journal), as: UTF8.self)
        let lines = text.split(separator: "\n").dropFirst()
        #expect(lines.count == 2 && lines.last?.hasPrefix("+ \(left.pid) ") == true)
        #expect(fixture.clear()?.ended.map(\.pid) == [left.pid])
        left.end()
    }

    @Test(
        arguments: [
            "", "devmesh", "devmesh-journal 2 a b\n", "devmesh-journal 2 a 4711 17953", "\u{0}\u{1}\n",
            "+ 1 0 99999999999 1 init\n",
        ])
    func journal_thatIsDamaged_isNone(text: String) throws {
        let fixture = ProjectFixture()
        _ = try fixture.begin()
        try Kernel.real.replaceFile(fixture.journal, with: Array(text.utf8))
        #expect(fixture.clear() == nil)
    }

    @Test func journal_cutAnywhere_killsNobodyElse() throws {
        let fixture = ProjectFixture()
        let journal = try fixture.begin()
        let (left, stranger) = (try Sleeper(), try Sleeper())
        journal.started(left.pid, "reader.1#3", tag: left.tag, began: left.began)
        let bytes = try Kernel.real.readFile(fixture.journal)
        for count in 0..<bytes.count {
            try Kernel.real.replaceFile(fixture.journal, with: Array(bytes[..<count]), isDurable: false)
            _ = fixture.clear()
            #expect(stranger.isAlive, "\(count)")
        }
        left.end()
        stranger.end()
    }

    @Test func journal_thatGrows_isWrittenAnewWithThoseThatLive() throws {
        let fixture = ProjectFixture()
        try fixture.project.makeStateFolder()
        let journal = try Journal(fixture.project, limit: 4096)
        let left = try Sleeper()
        journal.started(left.pid, "reader.1#1", tag: left.tag, began: left.began)
        let gone = try Sleeper()
        gone.end()
        for generation in 1...1000 {
            journal.started(gone.pid, "writer.1#\(generation)", tag: gone.tag, began: gone.began)
        }
        #expect(try Kernel.real.readFile(fixture.journal).count < 8192)
        #expect(fixture.clear()?.ended.map(\.pid) == [left.pid])
        left.end()
    }

    // MARK: Control groups

    /// A folder in place of a group, that says who is in it.
    private func group(
        _ fixture: ProjectFixture, named name: String? = nil, of members: Int32...
    ) throws -> ControlGroup {
        let path = fixture.folder.path + "/" + (name ?? "devmesh-\(fixture.project.hash)-1")
        try Kernel.real.makeDirectory(path)
        try Kernel.real.replaceFile(
            path + "/cgroup.procs", with: Array(members.map { "\($0)\n" }.joined().utf8), isDurable: false)
        return ControlGroup(path)
    }

    @Test func leftovers_inTheGroup_areEnded_whateverElseTellsNothingOfThem() throws {
        let fixture = ProjectFixture()
        try fixture.project.makeStateFolder()
        let (left, other) = (try Sleeper(), try Sleeper())
        _ = try Journal(fixture.project, in: group(fixture, of: left.pid, 0))
        let found = try #require(fixture.clear())
        #expect(found.ended.map(\.pid) == [left.pid] && found.ended.map(\.name) == ["sh"])
        #expect(found.left == [] && !left.isAlive && other.isAlive)
        left.end()
        other.end()
    }

    /// A terminal that a program opened, in which the next mesh is started, or another project's is.
    @Test func leftovers_inTheGroup_beingThisProcessOrOfAnotherMesh_areSpared() throws {
        let fixture = ProjectFixture()
        try fixture.project.makeStateFolder()
        let (left, other) = (try Sleeper(), try Sleeper("0123456789abcdef/reader.1#1"))
        let group = try group(fixture, of: left.pid, other.pid, ThisProcess.id)
        // As a whole it would be ended by this.
        try Kernel.real.replaceFile(group.folder + "/cgroup.kill", with: [], isDurable: false)
        _ = try Journal(fixture.project, in: group)
        #expect(try #require(fixture.clear()).ended.map(\.pid) == [left.pid])
        #expect(other.isAlive)
        #expect(try Kernel.real.readFile(group.folder + "/cgroup.kill") == [])
        left.end()
        other.end()
    }

    @Test func leftovers_inAGroupThatIsNotNamedLikeOurs_areSpared() throws {
        for name in ["user.slice", "devmesh-0123456789abcdef-1"] {
            let fixture = ProjectFixture()
            try fixture.project.makeStateFolder()
            let stranger = try Sleeper()
            _ = try Journal(fixture.project, in: group(fixture, named: name, of: stranger.pid))
            #expect(try #require(fixture.clear()).ended.isEmpty)
            #expect(stranger.isAlive)
            stranger.end()
        }
    }

    /// What is in it could not be ended.
    @Test func journal_begunWhileAGroupIsThere_tellsOfItToo_once() throws {
        let fixture = ProjectFixture()
        try fixture.project.makeStateFolder()
        let former = try group(fixture)
        let own = ControlGroup(former.folder + "-own")
        let gone = ControlGroup(former.folder + "-gone")
        _ = try Journal(fixture.project, in: gone)
        _ = try Journal(fixture.project, in: former)
        let journal = try Journal(fixture.project, in: own, limit: 1024)
        let sleeper = try Sleeper()
        for _ in 1...100 { journal.started(sleeper.pid, "reader.1#1", tag: sleeper.tag, began: sleeper.began) }
        let text = String(decoding: try Kernel.real.readFile(fixture.journal), as: UTF8.self)
        let groups = text.split(separator: "\n").filter { $0.hasPrefix("@") }
        #expect(groups == ["@ \(own.folder)", "@ \(former.folder)"])
        sleeper.end()
    }
}
