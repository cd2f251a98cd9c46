import Platform
import Project
import TestSupport
import Testing

/// A program that waits for its stdin's end, with a variable of its own.
private final class Sleeper {
    let pid: Int32
    let began = Instant.sinceBoot
    private let pipe: Descriptor

    init(_ marker: String? = nil, script: String = "read line") throws {
        let pipe = try Kernel.real.pipe()
        pid = try ChildTable.spawn(
            SpawnRequest(
                path: "/bin/sh", arguments: ["sh", "-c", script], environment: marker.map { ["MARK": $0] } ?? [:]),
            stdin: pipe.reader.raw)
        self.pipe = pipe.writer
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
        journal.started(left.pid, "reader.1#3", began: left.began)
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
    func leftovers_inASessionWhoseLeaderIsGone_areEnded_unlessAnothersMarkIsOnThem(mark: String?) throws {
        let fixture = ProjectFixture()
        let journal = try fixture.begin()
        let leader = try Sleeper(mark, script: "exec 3<&0; { read line <&3; } & exit")
        journal.started(leader.pid, "reader.1#3", began: leader.began)
        _ = ChildTable.wait(leader.pid)
        let left = try #require(ProcessTable.snapshot().entries.first { $0.session == leader.pid && !$0.isZombie })
        let found = try #require(fixture.clear())
        #expect(found.ended.map(\.pid) == (mark == nil ? [left.pid] : []))
        ProcessTable.signal(left, .kill)
    }

    /// The pid is the same, the process is not.
    @Test func leftovers_whosePidIsAStrangersByNow_areSpared() throws {
        let fixture = ProjectFixture()
        _ = try fixture.begin()
        let stranger = try Sleeper()
        let started = Int64(try #require(ProcessTable.entry(stranger.pid)).started)
        let entries = [(started - 9, started - 1), (started + 1, started + 9)].map { earliest, latest in
            "+ \(stranger.pid) \(earliest) \(latest) reader.1#1\n"
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

    @Test func leftovers_ofAnEarlierBoot_areNobody() throws {
        let fixture = ProjectFixture()
        let journal = try fixture.begin()
        let sleeper = try Sleeper()
        journal.started(sleeper.pid, "reader.1#1", began: sleeper.began)
        let text = String(decoding: try Kernel.real.readFile(fixture.journal), as: UTF8.self)
        let boot = text.split(separator: " ")[2]
        let older = text.replacing(boot, with: "00000000-0000-0000-0000-000000000000")
        try Kernel.real.replaceFile(fixture.journal, with: Array(older.utf8))
        #expect(try #require(fixture.clear()).end == .withTheMachine)
        #expect(sleeper.isAlive)
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

    @Test(arguments: ["", "devmesh", "devmesh-journal 1 a b", "\u{0}\u{1}\n", "+ 1 0 99999999999 init\n"])
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
        journal.started(left.pid, "reader.1#3", began: left.began)
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
        journal.started(left.pid, "reader.1#1", began: left.began)
        let gone = try Sleeper()
        gone.end()
        for generation in 1...1000 { journal.started(gone.pid, "writer.1#\(generation)", began: gone.began) }
        #expect(try Kernel.real.readFile(fixture.journal).count < 8192)
        #expect(fixture.clear()?.ended.map(\.pid) == [left.pid])
        left.end()
    }
}
