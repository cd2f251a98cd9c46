import EventLoop
import JSON
import Platform
import TestSupport
import Testing

@testable import Logs

@Suite struct LogPrinterTests {
    @Test func print_readerGone_endsQuietly() throws {
        let fixture = StoreFixture()
        fixture.add("one")
        let pipe = TestPipe()
        pipe.closeReader()
        let end = LogPrinter.print(LogQuery(folder: fixture.folder.path), LogFormat(), to: pipe.takeWriter())
        #expect(end == .outputClosed)
    }

    @Test func print_fullDisk_isTold() throws {
        let fixture = StoreFixture()
        fixture.add("one")
        let faults = FaultPlan()
        faults.inject(.write, .fails(.noSpace))
        let file = try Kernel.real.open(fixture.folder.path + "/out", .truncate)
        let query = LogQuery(folder: fixture.folder.path, services: ["reader"])
        #expect(LogPrinter.print(query, LogFormat(), to: file, kernel: Kernel(faults: faults)) == .failed(.noSpace))
    }

    @Test func follow_newLines_comeAsTheyAreStored() throws {
        let fixture = HubFixture()
        fixture.hub.note("reader", "stored before")
        let output = TestPipe()
        let printer = try follow(fixture, output, LogFormat())
        #expect(output.read(until: "before\n") == "reader * stored before\n")
        fixture.hub.note("purge", "one")
        #expect(output.read(until: "one\n") == "purge  * one\n")
        fixture.hub.note("reader", "two")
        #expect(output.read(until: "two\n") == "reader * two\n")
        withExtendedLifetime(printer) {}
        fixture.close()
    }

    @Test func follow_nextUp_goesOn() throws {
        let first = HubFixture()
        let output = TestPipe()
        let printer = try follow(first, output, LogFormat())
        first.hub.note("reader", "one")
        #expect(output.read(until: "one\n") == "reader * one\n")
        first.close()
        let second = HubFixture(folder: first.folder)
        second.hub.note("reader", "two")
        #expect(output.read(until: "two\n") == "reader * two\n")
        withExtendedLifetime(printer) {}
        second.close()
    }

    @Test func follow_serviceThatComesLater_isTakenIn() throws {
        let fixture = HubFixture()
        let output = TestPipe()
        let printer = try follow(fixture, output, LogFormat(showsPrefix: false), services: [])
        fixture.hub.note("reader", "one")
        #expect(output.read(until: "one\n") == "one\n")
        fixture.hub.note("new", "two")
        #expect(output.read(until: "two\n") == "two\n")
        withExtendedLifetime(printer) {}
        fixture.close()
    }

    @Test func follow_logsDeletedUnderneath_goesOn() throws {
        let fixture = HubFixture()
        let output = TestPipe()
        let printer = try follow(fixture, output, LogFormat(showsPrefix: false))
        fixture.hub.note("reader", "one")
        #expect(output.read(until: "one\n") == "one\n")
        fixture.close()
        Kernel.real.removeTree(fixture.logs + "/reader")
        let next = HubFixture(folder: fixture.folder)
        next.hub.note("purge", "two")
        #expect(output.read(until: "two\n") == "two\n")
        // Its numbers begin anew with its folder, after those of the others.
        next.hub.note("reader", "three")
        #expect(output.read(until: "three\n") == "three\n")
        withExtendedLifetime(printer) {}
        next.close()
    }

    @Test func follow_overtakenBeforeTheFirstLook_countsFromTheFirstLine() throws {
        let folder = TemporaryFolder()
        let merge = LogMerge()
        let cursor = LogCursor(service: 0, folder: SegmentFolder(path: folder.path + "/reader", kernel: .real))
        merge.add(cursor)
        #expect(merge.drain { _, _ in true })
        let encoder = RecordEncoder(nextSeq: 1)
        let store = LogStore(folder: folder.path + "/reader", limit: 1 << 20, encoder: encoder, kernel: .real)
        for number in 0..<1000 { store.note("\(number) " + String(repeating: "x", count: 5000)) }
        cursor.mayHaveSuccessor = true
        let (shown, dropped) = counted(merge)
        #expect(dropped > 0 && shown + dropped == 1000)
    }

    @Test func follow_fromTheEnd_overtakenMeanwhile_countsWhatWasMissed() throws {
        let folder = TemporaryFolder()
        let store = LogStore(
            folder: folder.path + "/reader", limit: 1 << 20, encoder: RecordEncoder(nextSeq: 1), kernel: .real)
        for number in 0..<20 { store.note("\(number) " + String(repeating: "x", count: 5000)) }
        let merge = LogMerge()
        let cursor = LogCursor(service: 0, folder: SegmentFolder(path: folder.path + "/reader", kernel: .real))
        cursor.seek({ $0.seq > 20 }, tick: merge.tick)
        merge.add(cursor)
        for number in 0..<1000 { store.note("\(number) " + String(repeating: "x", count: 5000)) }
        cursor.mayHaveSuccessor = true
        let (shown, dropped) = counted(merge)
        #expect(dropped > 0 && shown + dropped == 1000)
    }

    @Test func follow_rotations_loseNothingWhileTheReaderKeepsUp() throws {
        let fixture = HubFixture(limit: 2 << 20)
        let output = TestPipe()
        let printer = try follow(fixture, output, LogFormat(showsPrefix: false), services: ["reader"])
        let line = String(repeating: "x", count: 10_000)
        for number in 0..<1000 {
            fixture.hub.note("reader", "\(number) \(line)")
            let read = output.read(until: "\n")
            if read != "\(number) \(line)\n" { Issue.record("at \(number): \(read.prefix(40))"); break }
        }
        withExtendedLifetime(printer) {}
        fixture.close()
    }

    @Test func follow_overtakenByRotation_countsEveryLineOnce() throws {
        let fixture = HubFixture(limit: 2 << 20)
        let output = TestPipe()
        let end = Handoff<LogPrinter.End>()
        let printer = try follow(fixture, output, LogFormat(showsPrefix: false), services: ["reader"], end: end)
        // Nobody reads: the printer fills its pipe and waits, the store rotates on.
        let line = String(repeating: "x", count: 10_000)
        for number in 0..<2000 { fixture.hub.note("reader", "\(number) \(line)") }
        fixture.close()
        printer.finish()
        let text = output.readAll()
        var shown = 0
        var dropped = 0
        for line in text.split(separator: "\n") {
            if line.contains("dropped") {
                dropped += Int(line.prefix { $0 != " " }) ?? 0
            } else {
                shown += 1
            }
        }
        #expect(dropped > 0)
        #expect(shown + dropped == 2000)
        #expect(text.hasSuffix(line + "\n"))
        #expect(end.take(within: patience(.seconds(20))) == .finished)
    }

    @Test func follow_serviceLeftOut_isSilentUntilItIsShownAgain() throws {
        let fixture = HubFixture()
        let output = TestPipe()
        let printer = try follow(fixture, output, LogFormat(showsPrefix: false), services: [])
        printer.show { $0 != "noisy" }
        printer.say(["of our own"])
        #expect(output.read(until: "own\n") == "of our own\n")
        fixture.hub.note("noisy", "one")
        fixture.hub.note("reader", "two")
        #expect(output.read(until: "two\n") == "two\n")
        printer.show { _ in true }
        printer.say(["again"])
        #expect(output.read(until: "again\n") == "again\n")
        fixture.hub.note("noisy", "three")
        #expect(output.read(until: "three\n") == "three\n")
        fixture.close()
    }

    @Test func say_withinALine_endsItFirst() throws {
        let fixture = HubFixture()
        let output = TestPipe()
        let printer = try follow(fixture, output, LogFormat(showsPrefix: false, isTerminal: true))
        let program = fixture.attach()
        program.out.write("Enter: ")
        #expect(output.read(until: "Enter: ") == "Enter: ")
        printer.say(["of our own"])
        #expect(output.read(until: "own\n") == "\nof our own\n")
        fixture.close()
    }

    /// Each `write` comes as a piece of its own.
    private func shown(_ pieces: [(String, LineMark)], colours: Bool = false) -> String {
        let format = LogFormat(showsPrefix: false, usesColor: colours, isTerminal: true)
        let live = LiveText(TextFormatter(format, names: ["tool"]))
        let out = OutputBytes()
        for (text, mark) in pieces {
            text.bytes { payload in
                [UInt8](repeating: 0x30, count: 27).withUnsafeBytes { time in
                    live.write(
                        LogRecord(
                            seq: 1, line: 1, time: time, stream: .stdout, instance: 1, mark: mark, payload: payload),
                        service: 0, to: out)
                }
            }
        }
        return String(decoding: out.bytes, as: UTF8.self)
    }

    @Test func live_lineWrittenAnew_takesThePlaceOfTheOld() {
        let anew = "\r\u{1B}[K"
        #expect(shown([("0 %", .first), ("\r10 %", .middle), ("\r20 %", .last)]) == "0 %\(anew)10 %\(anew)20 %\n")
        #expect(shown([("0 %\r", .first), ("10 %\r", .middle), ("", .last)]) == "0 %\(anew)10 %\n")
        #expect(shown([("0 %\r", .first), ("\r", .middle), ("10 %", .last)]) == "0 %\(anew)10 %\n")
        #expect(shown([("0 %", .first), (" and", .middle), (" on\r", .last), ("b", .whole)]) == "0 % and on\nb\n")
        #expect(shown([("0 %\r", .cut), ("b", .whole)]) == "0 %\nb\n")
    }

    @Test func live_colour_goesOnInTheNextPiece() {
        #expect(
            shown(
                [("a\u{1B}[1m\u{1B}[31mred", .first), ("still", .middle), ("\u{1B}[mnot", .last), ("b", .whole)],
                colours: true)
                == "a\u{1B}[1m\u{1B}[31mred\u{1B}[0m\u{1B}[1m\u{1B}[31mstill\u{1B}[0m\u{1B}[1m\u{1B}[31m\u{1B}[mnot\nb\n"
        )
        #expect(shown([("\u{1B}[31mred", .cut), ("b", .whole)], colours: true) == "\u{1B}[31mred\u{1B}[0m\nb\n")
        #expect(
            shown([("\u{1B}[31;1mred\u{1B}[0;32m", .first), ("green", .last)], colours: true)
                == "\u{1B}[31;1mred\u{1B}[0;32m\u{1B}[0m\u{1B}[0;32mgreen\u{1B}[0m\n")
    }

    @Test func follow_sink_getsWhatTheOutputWould() throws {
        let fixture = HubFixture()
        let output = TestPipe()
        let (written, closed) = (TestPipe(), Handoff<Bool>())
        let raw = written.takeWriter().release()
        let printer = try LogPrinter(
            following: LogQuery(folder: fixture.logs), LogFormat(showsPrefix: false), to: output.takeWriter(),
            sink: { _ in TestSink(raw, closed) }
        ) { _ in }
        fixture.hub.note("reader", "one")
        #expect(written.read(until: "one\n") == "one\n")
        printer.finish()
        #expect(closed.take(within: patience(.seconds(20))) == true)
        #expect(output.readAll() == "")
        fixture.close()
    }

    @Test func follow_slowReader_doesNotSlowTheProgram() throws {
        let fixture = HubFixture(limit: 2 << 20)
        let output = TestPipe()
        let printer = try follow(fixture, output, LogFormat(), services: ["reader"])
        let program = fixture.attach()
        // Returns only if the hub reads on, since this is many times what pipes hold.
        let chunk = Array(String(repeating: String(repeating: "x", count: 99) + "\n", count: 655).utf8)
        for _ in 0..<300 { try program.out.write(chunk) }
        fixture.ended(program.source)
        output.closeReader()
        withExtendedLifetime(printer) {}
        fixture.close()
    }

    @Test func follow_readerGone_endsWithoutAnotherLine() throws {
        let fixture = HubFixture()
        let output = TestPipe()
        let end = Handoff<LogPrinter.End>()
        let printer = try follow(fixture, output, LogFormat(), end: end)
        fixture.hub.note("reader", "one")
        _ = output.read(until: "one\n")
        output.closeReader()
        #expect(end.take(within: patience(.seconds(20))) == .outputClosed)
        withExtendedLifetime(printer) {}
        fixture.close()
    }

    @Test func finish_whatIsStored_isPrintedFirst() throws {
        let fixture = HubFixture()
        let output = TestPipe()
        let end = Handoff<LogPrinter.End>()
        let printer = try follow(fixture, output, LogFormat(showsPrefix: false), end: end)
        let program = fixture.attach()
        for number in 0..<1000 { program.out.write("\(number)\n") }
        program.out.write("unfinished")
        fixture.close()
        printer.finish()
        let text = output.readAll()
        #expect(text == (0..<1000).map { "\($0)\n" }.joined() + "unfinished\n")
        #expect(end.take(within: patience(.seconds(20))) == .finished)
    }

    @Test func follow_until_endsInTime() throws {
        let fixture = HubFixture()
        fixture.hub.note("reader", "one")
        let end = Handoff<LogPrinter.End>()
        let output = TestPipe()
        var query = LogQuery(folder: fixture.logs, services: ["reader"])
        query.until = WallTime(microseconds: WallTime.now.microseconds + 100_000)
        let printer = try LogPrinter(following: query, LogFormat(), to: output.takeWriter()) { end.give($0) }
        #expect(end.take(within: patience(.seconds(20))) == .finished)
        withExtendedLifetime(printer) {}
        fixture.close()
    }

    @Test func follow_json_joinsPiecesAndHasNoPrompt() throws {
        let fixture = HubFixture()
        let output = TestPipe()
        let printer = try follow(fixture, output, LogFormat(.json))
        let program = fixture.attach(instance: 2)
        program.out.write("Enter: ")
        // The pause is over when the piece is stored.
        let probe = TestPipe()
        let watcher = try follow(fixture, probe, LogFormat(isTerminal: true))
        _ = probe.read(until: "Enter: ")
        program.out.write("42\n")
        let value = try JSON(parsing: output.read(until: "\n"))
        #expect(value["line"]?.stringValue == "Enter: 42")
        #expect(value["instance"]?.stringValue == "reader.2")
        #expect(value["stream"]?.stringValue == "stdout")
        #expect(value["partial"] == nil)
        withExtendedLifetime((printer, watcher)) {}
        fixture.close()
    }
}

/// Writes to a pipe instead.
private final class TestSink: LogSink {
    private let pipe: Descriptor
    private let closed: Handoff<Bool>

    init(_ raw: Int32, _ closed: Handoff<Bool>) {
        pipe = Descriptor(owning: raw)
        self.closed = closed
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) { try Kernel.real.writeAll(pipe, bytes) }

    func close() { closed.give(true) }
}

/// Reads on to the end: how many records came, and how many lines were missed.
private func counted(_ merge: LogMerge) -> (shown: Int, dropped: Int) {
    var (shown, dropped) = (0, 0)
    _ = merge.drain { _, cursor in
        shown += 1
        dropped += cursor.dropped
        cursor.dropped = 0
        return true
    }
    return (shown, dropped)
}
