import Platform
import TestSupport
import Testing

@testable import Logs

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A log thread's side of `UnstoredOutput`, to be left at any point.
private final class Reader {
    let folder = TemporaryFolder()
    let output = try! UnstoredOutput()
    let pipe = TestPipe()
    let encoder = RecordEncoder(nextSeq: 1)
    var splitter = LineSplitter()
    let store: LogStore
    let raw: Int32
    let slot: Int?
    let time = WallTime(microseconds: 1_795_000_000_000_000)

    init() {
        store = LogStore(folder: folder.path + "/reader", limit: 1 << 20, encoder: encoder, kernel: .real)
        raw = pipe.takeReader().release()
        slot = output.add(raw, service: "reader", .stdout, instance: 1)
    }

    func begin() { output.begin(slot, nextSeq: encoder.nextSeq, size: store.newestSize) }

    /// What read(2) would have put there.
    func read(_ text: String) { output.scratch.copyBytes(from: Array(text.utf8)) }

    func storeRead(_ text: String) {
        store.begin(.stdout, instance: 1, time: time)
        text.bytes { splitter.feed($0) { store.append($0, $1) } }
        store.endBatch()
    }

    /// A turn from beginning to end.
    func turn(_ text: String) {
        begin()
        read(text)
        output.took(text.utf8.count, at: time)
        storeRead(text)
        output.commit(slot, splitter, read: text.utf8.count)
    }

    @discardableResult
    func rescue(ending: String? = nil, kernel: Kernel = .real) -> [(service: String, error: Errno)] {
        LogRescue.run(output, folder: folder.path, ending: ending, kernel: kernel)
    }

    var stored: String {
        store.folder.segments().map { folder.read("reader/" + $0.name) ?? "" }.joined()
    }
    var lines: [String] { printedLines(LogQuery(folder: folder.path)) }
}

@Suite struct LogRescueTests {
    @Test func rescue_ofWhatIsInThePipe_storesItUpToTheLastByte() {
        let reader = Reader()
        reader.turn("one\n")
        reader.pipe.write("two\nthree")
        reader.rescue(ending: "ended")
        #expect(reader.lines == ["one", "two", "three", "ended"])
    }

    @Test func rescue_ofALineThatWasReadInPart_joinsItWithItsRest() {
        let reader = Reader()
        reader.turn("one\ntw")
        reader.turn("o\nthr")
        reader.pipe.write("ee\n")
        reader.rescue()
        #expect(reader.lines == ["one", "two", "three"])
    }

    @Test(arguments: [true, false]) func rescue_ofATurnThatWasNotStored_storesIt(isCounted: Bool) {
        let reader = Reader()
        reader.turn("one\ntw")
        reader.begin()
        reader.read("o\nthree\nfo")
        if isCounted { reader.output.took(10, at: reader.time) }
        reader.pipe.write("ur\n")
        reader.rescue()
        #expect(reader.lines == ["one", "two", "three", "four"])
    }

    /// Whoever follows the log has seen the bytes: they must be the same again.
    @Test func rescue_ofATurnThatWasStoredAndNotClosed_writesTheSameBytesAgain() {
        let reader = Reader()
        reader.turn("one\ntw")
        reader.begin()
        reader.read("o\nthree\n")
        reader.output.took(8, at: reader.time)
        reader.storeRead("o\nthree\n")
        let stored = reader.stored
        reader.rescue()
        #expect(reader.stored == stored)
        #expect(reader.lines == ["one", "two", "three"])
    }

    @Test func rescue_ofATurnThatWasStoredInPart_storesTheRest() throws {
        let reader = Reader()
        reader.turn("one\n")
        reader.begin()
        reader.read("two\nthree\n")
        reader.output.took(10, at: reader.time)
        let before = reader.stored.utf8.count
        reader.storeRead("two\nthree\n")
        let whole = reader.stored
        let segment = try #require(reader.store.folder.segments().last)
        for size in before...whole.utf8.count {
            let file = try Kernel.real.open(reader.store.folder.path(of: segment), .readWrite)
            try Kernel.real.truncate(file, to: size)
            // As a rescue that was itself cut off would leave it.
            reader.rescue()
            #expect(reader.stored == whole, "\(size)")
            reader.read("two\nthree\n")
        }
    }

    @Test func rescue_ofATurnThatIsClosed_doesNotRepeatIt() {
        let reader = Reader()
        reader.turn("one\n")
        reader.read("one\n")  // closed, but not wiped yet
        reader.rescue()
        #expect(reader.lines == ["one"])
    }

    @Test func rescue_ofATurnInANewSegment_takesThatBack() {
        let reader = Reader()
        // A segment is a sixteenth of the limit at least, and no shorter than the longest record.
        let long = String(repeating: "x", count: 60_000) + "\n"
        reader.turn(long)
        reader.turn(long)
        reader.begin()
        reader.read("new\n")
        reader.output.took(4, at: reader.time)
        let before = reader.store.folder.segments().count
        reader.storeRead("new\n")
        let stored = reader.stored
        #expect(reader.store.folder.segments().count == before + 1)
        reader.rescue()
        #expect(reader.stored == stored)
    }

    /// Its program has been started, and nobody had the time to read.
    @Test func rescue_ofAPipeThatIsOnlyExpected_storesWhatIsInIt() {
        let reader = Reader()
        let early = TestPipe()
        reader.output.expect(early.takeReader().release(), service: "writer", .stdout, instance: 1)
        early.write("first words")
        reader.rescue()
        #expect(reader.lines == ["first words"])
    }

    @Test func expected_whoseNumberIsAnotherPipesByNow_isThatOne() throws {
        let reader = Reader()
        let raw = TestPipe().takeReader().release()
        reader.output.expect(raw, service: "failed", .stdout, instance: 1)
        let another = TestPipe().takeReader()
        try #require(dup2(another.raw, raw) == raw)
        let slot = reader.output.add(raw, service: "later", .stdout, instance: 1)
        #expect(reader.output.remains().map(\.service) == ["reader", "later"])
        reader.output.remove(slot)
        #expect(reader.output.remains().map(\.service) == ["reader"])
        close(raw)
    }

    @Test func rescue_whereNothingCanBeWritten_saysOfWhichService() {
        let reader = Reader()
        reader.pipe.write("lost\n")
        let plan = FaultPlan()
        plan.inject(.write, times: 1000, .fails(.noSpace))
        let lost = reader.rescue(kernel: Kernel(faults: plan))
        #expect(lost.map(\.service) == ["reader"] && lost.map(\.error) == [.noSpace])
    }

    @Test func remove_ofAPipe_forgetsIt() {
        let reader = Reader()
        reader.turn("half")
        reader.output.remove(reader.slot)
        #expect(reader.output.remains().isEmpty)
        close(reader.raw)
    }
}
