import EventLoop
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Logs

@Suite struct LogHubTests {
    @Test func attach_outputOfAnInstance_isStoredByStream() {
        let fixture = HubFixture()
        let program = fixture.attach()
        program.out.write("hello\n")
        program.err.write("oops\n")
        program.out.closeWriter()
        program.err.closeWriter()
        fixture.ended(program.source)
        let lines = LogArchive.recent("reader", count: 10, in: fixture.logs)
        #expect(Set(lines.map(\.text)) == ["hello", "oops"])
        #expect(lines.first { $0.text == "oops" }?.stream == .stderr)
        fixture.close()
    }

    @Test func attach_terminal_isStoredWithoutReturnsAndTappedAsItIs() throws {
        let fixture = HubFixture()
        let terminal = try Kernel.real.pseudoTerminal(.standard)
        let tapped = Mutex<[UInt8]>([])
        let tap = LogTap(on: fixture.caller.remote) { bytes, _ in tapped.withLock { $0 += bytes } }
        let source = fixture.hub.attach(service: "reader", instance: 1, terminal: terminal.ours, tap: tap)
        try Kernel.real.writeAll(terminal.programs, "to nobody\n")
        fixture.ended(source)
        tap.isOpen = true
        try Kernel.real.writeAll(terminal.programs, "one\nown\r\n\u{1B}[31mred\nhalf")
        terminal.programs.close()
        fixture.ended(source)
        fixture.close()
        #expect(
            LogArchive.recent("reader", count: 9, in: fixture.logs).map(\.text)
                == ["to nobody", "one", "own", "red", "half"])
        let _: Bool? = fixture.wait { remote, done in remote.post { _ in done(true) } }
        #expect(tapped.withLock { $0 } == Array("one\r\nown\r\r\n\u{1B}[31mred\r\nhalf".utf8))
    }

    @Test func caughtUp_whatRunningProgramsWroteBefore_isStored() {
        let fixture = HubFixture()
        let programs = (0..<50).map { _ in fixture.attach() }
        for round in 1...20 {
            for program in programs { program.out.write("line\n") }
            let _: Bool? = fixture.wait { remote, done in fixture.hub.caughtUp(on: remote) { _ in done(true) } }
            #expect(LogArchive.recent("reader", count: 5000, in: fixture.logs).count == round * 50)
        }
        fixture.close()
    }

    @Test func ended_unterminatedLastLine_isStored() {
        let fixture = HubFixture()
        let program = fixture.attach()
        program.out.write("first\nx")
        fixture.ended(program.source)
        #expect(fixture.recent() == ["first", "x"])
        fixture.close()
    }

    @Test func ended_lastLinesBeforeAnExit_areStoredEachTime() {
        let fixture = HubFixture()
        let text = (0..<50).map { "line \($0)\n" }.joined()
        for run in 1...200 {
            let program = fixture.attach()
            program.out.write(text + "end of run \(run)")
            program.out.closeWriter()
            program.err.closeWriter()
            fixture.ended(program.source)
            #expect(fixture.recent("reader", 1) == ["end of run \(run)"])
        }
        fixture.close()
        #expect(printedLines(LogQuery(folder: fixture.logs)).count == 200 * 51)
    }

    @Test func ended_grandchildHoldsThePipe_nobodyWaitsAndItsLinesStillCome() {
        let fixture = HubFixture()
        let program = fixture.attach()
        program.out.write("from the program\n")
        fixture.ended(program.source)
        #expect(fixture.recent() == ["from the program"])
        program.out.write("from its daemon\n")
        program.out.closeWriter()
        program.err.closeWriter()
        fixture.close()
        #expect(
            LogArchive.recent("reader", count: 5, in: fixture.logs).map(\.text)
                == ["from the program", "from its daemon"])
    }

    @Test func quiet_prompt_isStoredAfterAShortTime() throws {
        let fixture = HubFixture()
        let output = TestPipe()
        let printer = try follow(fixture, output, LogFormat(isTerminal: true))
        let program = fixture.attach()
        program.out.write("Enter: ")
        #expect(output.read(until: "Enter: ") == "reader | Enter: ")
        program.out.write("42\n")
        #expect(output.read(until: "\n") == "42\n")
        withExtendedLifetime(printer) {}
        fixture.close()
    }

    @Test func quiet_partialLine_doesNotHoldUpOthers() throws {
        let fixture = HubFixture()
        let output = TestPipe()
        let printer = try follow(fixture, output, LogFormat(isTerminal: true))
        let (asking, other) = (fixture.attach("reader"), fixture.attach("purge"))
        asking.out.write("Enter: ")
        #expect(output.read(until: "Enter: ") == "reader | Enter: ")
        other.out.write("flows on\n")
        #expect(output.read(until: "flows on\n") == "\npurge  | flows on\n")
        asking.out.write("42\n")
        #expect(output.read(until: "42\n") == "reader | 42\n")
        withExtendedLifetime(printer) {}
        fixture.close()
    }

    @Test func attach_longLinesAndInvalidBytes_comeBackAsWritten() throws {
        let fixture = HubFixture()
        var random = SeededGenerator(seed: 1)
        var stream: [UInt8] = []
        for _ in 0..<300 {
            let size = [0, 5, 80, 5000, 150_000].randomElement(using: &random)!
            stream += (0..<size).map { _ in UInt8.random(in: .min ... .max, using: &random) } + [0x0A]
        }
        let program = fixture.attach()
        try program.out.write(stream)
        program.out.closeWriter()
        fixture.close()
        let file = fixture.folder.path + "/out"
        let target = try Kernel.real.open(file, .truncate)
        #expect(LogPrinter.print(LogQuery(folder: fixture.logs), LogFormat(.raw), to: target) == .finished)
        #expect(try Kernel.real.readFile(file) == stream)
    }

    @Test func attach_noisyPipe_doesNotStarveAnother() throws {
        let fixture = HubFixture(limit: 8 << 20)
        let noisy = fixture.attach("noisy")
        let isDone = Atomic(false)
        let writer = noisy.out.takeWriter().release()
        let (marker, seen) = (Handoff<Bool>(), Handoff<Bool>())
        let thread = try PlatformThread("noise") {
            let pipe = Descriptor(owning: writer)
            let chunk = [UInt8](repeating: 0x0A, count: 65536)
            marker.give(true)
            while !isDone.load(ordering: .relaxed) {
                chunk.withUnsafeBytes { try? Kernel.real.writeAll(pipe, $0) }
            }
        }
        _ = marker.take()
        let quiet = fixture.attach(
            "quiet",
            watch: LogWatchRequest(try LogPattern("heard"), on: fixture.caller.remote) { _ in seen.give(true) })
        quiet.out.write("I want to be heard\n")
        #expect(seen.take(within: patience(.seconds(20))) == true)
        isDone.store(true, ordering: .relaxed)
        thread.join()
        fixture.close()
    }

    @Test func watch_line_isToldOnce() throws {
        let fixture = HubFixture()
        let count = Mutex(0)
        let program = fixture.attach(
            watch: LogWatchRequest(try LogPattern("listening on \\d+"), on: fixture.caller.remote) { _ in
                count.withLock { $0 += 1 }
            })
        program.out.write("starting\nlistening on port\n")
        program.err.write("\u{1B}[32mlistening\u{1B}[0m on 80\n")
        program.out.write("listening on 81\n")
        fixture.ended(program.source)
        #expect(count.withLock { $0 } == 1)
        fixture.close()
    }

    @Test func watch_promptWithoutNewline_isSeenAfterAPause() throws {
        let fixture = HubFixture()
        let seen = Handoff<Bool>()
        let program = fixture.attach(
            watch: LogWatchRequest(try LogPattern("^ready> $"), on: fixture.caller.remote) { _ in seen.give(true) })
        program.out.write("ready> ")
        #expect(seen.take(within: patience(.seconds(20))) == true)
        fixture.close()
    }

    @Test func note_lines_areStoredOneByOne() {
        let fixture = HubFixture()
        fixture.hub.note("reader", "started\npid 42")
        #expect(fixture.recent() == ["started", "pid 42"])
        fixture.close()
    }

    @Test func attachBuild_output_isOfTheBuildStream() {
        let fixture = HubFixture()
        let pipe = TestPipe()
        let source = fixture.hub.attachBuild(service: "reader", output: pipe.takeReader())
        pipe.write("cc -o reader\nerror: x")
        fixture.ended(source)
        let lines = LogArchive.recent("reader", count: 5, in: fixture.logs)
        #expect(lines.map(\.text) == ["cc -o reader", "error: x"])
        #expect(lines.allSatisfy { $0.stream == .build })
        fixture.close()
    }

    @Test func init_secondUp_goesOnCounting() {
        let first = HubFixture()
        first.hub.note("reader", "one")
        first.hub.note("purge", "two")
        first.close()
        let second = HubFixture(folder: first.folder)
        let seq: Int? = second.wait { remote, done in second.hub.nextSeq(on: remote) { _, seq in done(seq) } }
        #expect(seq == 3)
        second.hub.note("reader", "three")
        second.close()
        #expect(printedLines(LogQuery(folder: second.logs)) == ["one", "two", "three"])
    }

    @Test func fullDisk_pipesAreDrainedAndItIsSaidOnce() {
        let faults = FaultPlan()
        let troubles = Mutex<[String]>([])
        let fixture = HubFixture(kernel: Kernel(faults: faults)) { service, error in
            troubles.withLock { $0.append("\(service): \(error)") }
        }
        let program = fixture.attach()
        program.out.write("before\n")
        fixture.ended(program.source)
        faults.injectNext(.write, times: .max / 2, .fails(.noSpace))
        // More than the pipe holds: it would block if nobody read.
        let line = String(repeating: "x", count: 99) + "\n"
        for _ in 0..<50_000 { program.out.write(line) }
        fixture.ended(program.source)
        faults.clear()
        program.out.write("after\n")
        fixture.ended(program.source)
        #expect(troubles.withLock { $0 } == ["reader: No space left on device"])
        let lines = printedLines(LogQuery(folder: fixture.logs))
        #expect(lines.first == "before")
        let missing = lines.filter { $0.contains("missing here") }
        #expect(missing.count == 1)
        let lost = missing.first.flatMap { Int($0.prefix { $0 != " " }) } ?? 0
        #expect(lost > 0 && lines.filter { $0.hasPrefix("xxx") }.count + lost == 50_000)
        #expect(lines.contains("after"))
        fixture.close()
    }

    @Test func fullDisk_lastLine_isStoredOnceThereIsRoomThoughNothingNewComes() throws {
        let faults = FaultPlan()
        let began = Handoff<Bool>()
        let fixture = HubFixture(kernel: Kernel(faults: faults)) { _, _ in began.give(true) }
        let output = TestPipe()
        let printer = try follow(fixture, output, LogFormat(showsPrefix: false))
        let program = fixture.attach()
        faults.inject(.write, .fails(.noSpace))
        program.out.write("unterminated")
        fixture.ended(program.source)
        #expect(began.take(within: patience(.seconds(20))) == true)
        #expect(output.read(until: "\n") == "unterminated\n")
        withExtendedLifetime(printer) {}
        fixture.close()
    }

    @Test func attach_manyProgramsAtOnce_noLineIsLostTornOrMixed() throws {
        let fixture = HubFixture()
        var programs: [(out: TestPipe, err: TestPipe, source: LogHub.Source)] = []
        var threads: [PlatformThread] = []
        for service in 0..<4 {
            let program = fixture.attach("s\(service)")
            let writer = program.out.takeWriter().release()
            threads.append(
                try PlatformThread("writer") {
                    let pipe = Descriptor(owning: writer)
                    for number in 0..<5_000 {
                        try? Kernel.real.writeAll(pipe, "s\(service) \(number) abcdefghijklmnopqrstuvwxyz\n")
                    }
                })
            programs.append(program)
        }
        for thread in threads { thread.join() }
        fixture.close()
        for service in 0..<4 {
            let lines = printedLines(LogQuery(folder: fixture.logs, services: ["s\(service)"]))
            #expect(lines == (0..<5_000).map { "s\(service) \($0) abcdefghijklmnopqrstuvwxyz" })
        }
        withExtendedLifetime(programs) {}
    }
}

/// A printer that follows a hub's logs into a pipe.
func follow(
    _ fixture: HubFixture, _ output: TestPipe, _ format: LogFormat, services: [String] = ["reader", "purge"],
    end: Handoff<LogPrinter.End> = Handoff()
) throws -> LogPrinter {
    try LogPrinter(
        following: LogQuery(folder: fixture.logs, services: services), format, to: output.takeWriter()
    ) { end.give($0) }
}
