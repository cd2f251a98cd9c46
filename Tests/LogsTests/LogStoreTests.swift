import Platform
import TestSupport
import Testing

@testable import Logs

@Suite struct LogStoreTests {
    @Test func append_lines_areTextInOneSegment() {
        let fixture = StoreFixture()
        let time = WallTime(microseconds: 1_795_260_600_123_456)
        fixture.add("one", "two", time: time)
        #expect(fixture.segments.map(\.name) == ["00000000000001.log"])
        #expect(
            fixture.text == """
                00000000000001 000000000001 2026-11-21T11:30:00.123456Z o 0001 . one
                00000000000002 000000000002 2026-11-21T11:30:00.123456Z o 0001 . two

                """)
    }

    @Test func init_folderAndFiles_areForTheirOwnerAlone() throws {
        let fixture = StoreFixture()
        fixture.add("one")
        let kernel = Kernel.real
        #expect(kernel.status(fixture.store.folder.path)?.mode == 0o700)
        #expect(kernel.status(fixture.store.folder.path(of: fixture.segments[0]))?.mode == 0o600)
    }

    @Test func endBatch_manyLines_areOneWrite() {
        let faults = FaultPlan()
        let fixture = StoreFixture(kernel: Kernel(faults: faults))
        fixture.store.begin(.stdout, instance: 1, time: .now)
        for number in 0..<1000 { "line \(number)".bytes { fixture.store.append($0, .whole) } }
        fixture.store.endBatch()
        #expect(faults.count(.write) == 1)
    }

    @Test func rotation_atTheLimit_oldestGoes() throws {
        let limit = 2 << 20
        let fixture = StoreFixture(limit: limit)
        let line = String(repeating: "x", count: 1000)
        for number in 0..<5000 { fixture.add("\(number) \(line)") }
        let segments = fixture.segments
        #expect(segments.count > 8)
        #expect(segments.reduce(0) { $0 + $1.size } <= limit)
        #expect(segments.reduce(0) { $0 + $1.size } > limit * 3 / 4)
        #expect(segments[0].firstSeq > 1)
        // What is left is whole and without a gap.
        let lines = printedLines(LogQuery(folder: fixture.folder.path))
        #expect(lines.last?.hasPrefix("4999 ") == true)
        let first = Int(lines[0].prefix { $0 != " " })!
        #expect(first == segments[0].firstSeq - 1)
        #expect(lines.count == 5000 - first)
    }

    @Test func init_afterARun_goesOnCounting() {
        let fixture = StoreFixture()
        fixture.add("one", "two")
        let kernel = Kernel.real
        #expect(LogArchive.newestSeq(in: fixture.folder.path, kernel: kernel) == 2)
        let encoder = RecordEncoder(nextSeq: 3)
        let next = LogStore(folder: fixture.store.folder.path, limit: 1 << 20, encoder: encoder, kernel: kernel)
        #expect(next.line == 2)
        next.note("up again")
        #expect(fixture.segments.count == 1)
        #expect(printedLines(LogQuery(folder: fixture.folder.path)) == ["one", "two", "up again"])
    }

    @Test func init_tornRecord_keepsItsBytesAndEndsIt() {
        let fixture = StoreFixture()
        fixture.add("one", "two, torn")
        tear(fixture, by: 6)
        let store = LogStore(
            folder: fixture.store.folder.path, limit: 1 << 20, encoder: RecordEncoder(nextSeq: 3), kernel: .real)
        #expect(store.line == 2)
        store.note("up again")
        #expect(printedLines(LogQuery(folder: fixture.folder.path)) == ["one", "two,", "up again"])
        #expect(printed(LogQuery(folder: fixture.folder.path), LogFormat(.raw)) == "one\ntwo,")
    }

    @Test func init_tornHeader_isTakenAway() {
        let fixture = StoreFixture()
        fixture.add("one", "two")
        tear(fixture, by: 30)
        let store = LogStore(
            folder: fixture.store.folder.path, limit: 1 << 20, encoder: RecordEncoder(nextSeq: 3), kernel: .real)
        #expect(store.line == 1)
        store.note("up again")
        #expect(printedLines(LogQuery(folder: fixture.folder.path)) == ["one", "up again"])
    }

    @Test func init_zerosOfAPowerCut_areTakenAway() throws {
        let fixture = StoreFixture()
        fixture.add("one")
        let path = fixture.store.folder.path(of: fixture.segments[0])
        let file = try Kernel.real.open(path, .append)
        try [UInt8](repeating: 0, count: 300_000).withUnsafeBytes { try Kernel.real.writeAll(file, $0) }
        let store = LogStore(
            folder: fixture.store.folder.path, limit: 1 << 20, encoder: RecordEncoder(nextSeq: 2), kernel: .real)
        #expect(store.line == 1)
        store.note("up again")
        #expect(printedLines(LogQuery(folder: fixture.folder.path)) == ["one", "up again"])
    }

    /// A name that readers have read must not come again with other content.
    @Test func begin_logsDeletedBeforeTheFirstLine_goesOnInANewFile() {
        let fixture = StoreFixture()
        fixture.add("one")
        let next = LogStore(
            folder: fixture.store.folder.path, limit: 1 << 20, encoder: RecordEncoder(nextSeq: 2), kernel: .real)
        Kernel.real.removeTree(fixture.store.folder.path)
        next.note("two")
        #expect(fixture.segments.map(\.firstSeq) == [2])
        #expect(printedLines(LogQuery(folder: fixture.folder.path)) == ["two"])
    }

    @Test func begin_logsDeletedUnderneath_goesOnInANewFile() {
        let fixture = StoreFixture()
        let start = WallTime.now
        fixture.add("one", time: start)
        Kernel.real.removeTree(fixture.store.folder.path)
        fixture.add("two", time: WallTime(microseconds: start.microseconds + 2_000_000))
        #expect(printedLines(LogQuery(folder: fixture.folder.path)) == ["two"])
        #expect(fixture.segments.map(\.firstSeq) == [2])
    }

    @Test func init_strangersInTheFolder_areLeftAlone() {
        let fixture = StoreFixture()
        fixture.add("one")
        fixture.folder.write("reader/notes.txt", "mine")
        fixture.folder.write("reader/00000000000000.log.bak", "mine")
        let store = LogStore(
            folder: fixture.store.folder.path, limit: 1 << 20, encoder: RecordEncoder(nextSeq: 2), kernel: .real)
        store.note("two")
        #expect(printedLines(LogQuery(folder: fixture.folder.path)) == ["one", "two"])
        #expect(fixture.folder.read("reader/notes.txt") == "mine")
    }

    // MARK: Trouble

    @Test func write_fullDisk_countsWhatIsLostAndSaysSoOnce() {
        let faults = FaultPlan()
        let fixture = StoreFixture(kernel: Kernel(faults: faults))
        fixture.add("before")
        faults.injectNext(.write, times: 3, .fails(.noSpace))
        fixture.add("kept until there is room")
        fixture.add("lost 1", "lost 2")
        fixture.add("lost 3")
        #expect(fixture.store.failure == .noSpace)
        fixture.add("after")
        #expect(fixture.store.failure == nil)
        fixture.add("on it goes")
        #expect(
            printedLines(LogQuery(folder: fixture.folder.path)) == [
                "before", "kept until there is room", "after",
                "3 lines are missing here: the log could not be written (No space left on device)", "on it goes",
            ])
    }

    @Test func retry_roomAgain_writesWithoutNewOutput() {
        let faults = FaultPlan()
        let fixture = StoreFixture(kernel: Kernel(faults: faults))
        faults.injectNext(.write, times: 2, .fails(.noSpace))
        fixture.add("kept")
        fixture.store.retry()
        #expect(fixture.store.failure == .noSpace)
        fixture.store.retry()
        #expect(fixture.store.failure == nil)
        #expect(printedLines(LogQuery(folder: fixture.folder.path)) == ["kept"])
    }

    @Test func write_diskFullInTheMiddleOfARecord_goesOnWhereItStopped() {
        let faults = FaultPlan()
        let fixture = StoreFixture(kernel: Kernel(faults: faults))
        faults.inject(.write, nth: 1, .short(100))
        faults.inject(.write, nth: 2, .fails(.noSpace))
        fixture.add("one", "two")
        #expect(fixture.store.failure == .noSpace)
        // A reader meanwhile sees whole records alone.
        #expect(printedLines(LogQuery(folder: fixture.folder.path)) == ["one"])
        fixture.add("three")
        #expect(printedLines(LogQuery(folder: fixture.folder.path)) == ["one", "two", "three"])
    }

    @Test func rotation_noDescriptorLeft_growsOn() {
        let faults = FaultPlan()
        let fixture = StoreFixture(limit: 1 << 20, kernel: Kernel(faults: faults))
        let line = String(repeating: "x", count: 60_000)
        fixture.add(line)
        faults.injectNext(.open, times: 1000, .fails(.tooManyOpenFiles))
        for _ in 0..<4 { fixture.add(line) }
        #expect(fixture.store.failure == nil)
        faults.clear()
        #expect(fixture.segments.count == 1)
        fixture.add(line)
        #expect(fixture.segments.count == 2)
        #expect(printedLines(LogQuery(folder: fixture.folder.path)).count == 6)
    }

    private func tear(_ fixture: StoreFixture, by bytes: Int) {
        let segment = fixture.segments[0]
        let file = try! Kernel.real.open(fixture.store.folder.path(of: segment), .readWrite)
        try! Kernel.real.truncate(file, to: segment.size - bytes)
    }
}
