import Platform
import TestSupport
import Testing

@testable import Logs

/// Reading what is stored: cursors, search and merge, through `LogPrinter.print`.
@Suite struct LogReadingTests {
    /// Two services written by one encoder, as a hub does, with a second between the lines.
    private final class Two {
        let folder = TemporaryFolder()
        let encoder = RecordEncoder(nextSeq: 1)
        let stores: [LogStore]
        private var second: Int64 = 1_795_260_600

        init(limit: Int = 256 << 20) {
            let (folder, encoder) = (folder, encoder)
            stores = ["reader", "purge"].map {
                LogStore(folder: folder.path + "/" + $0, limit: limit, encoder: encoder, kernel: .real)
            }
        }

        func add(_ service: Int, _ text: String, _ mark: LineMark = .whole) {
            stores[service].begin(.stdout, instance: 1, time: WallTime(microseconds: second * 1_000_000))
            text.bytes { stores[service].append($0, mark) }
            stores[service].endBatch()
            second += 1
        }

        func time(_ seconds: Int64) -> WallTime { WallTime(microseconds: (1_795_260_600 + seconds) * 1_000_000) }
    }

    private func six() -> Two {
        let two = Two()
        for number in 0..<6 { two.add(number == 1 || number == 4 ? 1 : 0, "line \(number)") }
        return two
    }

    @Test func print_twoServices_areInTheOrderOfReading() {
        let two = six()
        #expect(printedLines(LogQuery(folder: two.folder.path)) == (0..<6).map { "line \($0)" })
        #expect(
            printed(LogQuery(folder: two.folder.path, services: ["reader", "purge"]), LogFormat())
                == "reader | line 0\npurge  | line 1\nreader | line 2\nreader | line 3\npurge  | line 4\nreader | line 5\n"
        )
    }

    /// What a program draws on its terminal has no line ends.
    private func endless(_ pieces: Int, limit: Int = 256 << 20) -> Two {
        let two = Two(limit: limit)
        two.add(0, "before")
        for number in 0..<pieces {
            let piece = "\(number) " + String(repeating: "x", count: LineSplitter.longest - 8)
            two.add(0, piece, number == 0 ? .first : .middle)
        }
        return two
    }

    @Test func print_newest_ofALineWithoutEnd_arePieces() {
        let two = endless(40)
        let lines = printedLines(LogQuery(folder: two.folder.path, services: ["reader"], count: 3))
        #expect((2...3).contains(lines.count))
        #expect(lines.last?.hasPrefix("39 x") == true)
        #expect(printedLines(LogQuery(folder: two.folder.path, services: ["reader"], count: 100)).first == "before")
    }

    @Test func print_newest_ofALineWhoseBeginningIsGone_areNotNothing() {
        let two = endless(80, limit: 2 << 20)
        #expect(!printed(LogQuery(folder: two.folder.path, services: ["reader"])).contains("before"))
        #expect(
            printedLines(LogQuery(folder: two.folder.path, services: ["reader"], count: 1000)).last?.hasPrefix("79 x")
                == true)
    }

    @Test func recent_ofALineWithoutEnd_isShort() {
        let two = endless(40)
        let recent = LogArchive.recent("reader", count: 10, in: two.folder.path)
        #expect((9...10).contains(recent.count))
        #expect(recent.allSatisfy { $0.isPartial && $0.text.utf8.count <= 4100 && $0.text.hasSuffix("x…") })
    }

    @Test func recent_ofAnInstance_leavesTheOthersOut() {
        let fixture = StoreFixture()
        fixture.add("\u{1B}[31mone\u{1B}[0m", "two", instance: 1)
        fixture.add("other", instance: 2)
        fixture.add("of ours", stream: .devmesh, instance: 1)
        fixture.add("prompt", instance: 1, mark: .first)
        let recent = LogArchive.recent(
            "reader", count: 5, streams: [.stdout], instance: 1, colours: true, in: fixture.folder.path)
        #expect(recent.map(\.text) == ["\u{1B}[31mone\u{1B}[0m", "two", "prompt"])
        #expect(recent.map(\.isPartial) == [false, false, true])
    }

    @Test func print_oneService_leavesTheOtherOut() {
        let two = six()
        #expect(printedLines(LogQuery(folder: two.folder.path, services: ["purge"])) == ["line 1", "line 4"])
    }

    @Test func print_prefixes_takeInWhatBeginsSo() {
        let folder = TemporaryFolder()
        let encoder = RecordEncoder(nextSeq: 1)
        for name in ["web", "web@a/b", "web@100%", "webber"] {
            let store = LogStore(
                folder: folder.path + "/" + Path.part(name), limit: 1 << 20, encoder: encoder, kernel: .real)
            store.note("of \(name)", time: WallTime(microseconds: 1_795_260_600_000_000))
        }
        #expect(LogArchive.services(in: folder.path) == ["web", "web@100%", "web@a/b", "webber"])
        #expect(LogArchive.recent("web@a/b", count: 1, in: folder.path).map(\.text) == ["of web@a/b"])
        var query = LogQuery(folder: folder.path, services: ["web"])
        #expect(printedLines(query) == ["of web"])
        query.prefixes = ["web@"]
        #expect(printedLines(query) == ["of web", "of web@a/b", "of web@100%"])
    }

    @Test func print_noSuchFolder_isNothing() {
        #expect(printed(LogQuery(folder: "/nowhere/at/all")) == "")
        #expect(printed(LogQuery(folder: "/nowhere/at/all", services: ["reader"])) == "")
    }

    @Test(arguments: [
        (0, []), (1, ["line 4", "line 5"]), (2, ["line 1", "line 3", "line 4", "line 5"]),
        (100, ["line 0", "line 1", "line 2", "line 3", "line 4", "line 5"]),
    ])
    func print_count_isPerService(_ count: Int, _ expected: [String]) {
        let two = six()
        #expect(printedLines(LogQuery(folder: two.folder.path, count: count)) == expected)
    }

    @Test func print_sinceAndUntil_areBothIncluded() {
        let two = six()
        let path = two.folder.path
        #expect(printedLines(LogQuery(folder: path, since: two.time(4))) == ["line 4", "line 5"])
        #expect(printedLines(LogQuery(folder: path, until: two.time(1))) == ["line 0", "line 1"])
        #expect(printedLines(LogQuery(folder: path, since: two.time(2), until: two.time(3))) == ["line 2", "line 3"])
        #expect(printedLines(LogQuery(folder: path, since: two.time(9))) == [])
        #expect(printedLines(LogQuery(folder: path, count: 1, until: two.time(3))) == ["line 1", "line 3"])
        #expect(printedLines(LogQuery(folder: path, count: 2, since: two.time(3))) == ["line 3", "line 4", "line 5"])
    }

    @Test func print_afterSeq_isWhatIsNew() {
        let two = six()
        #expect(printedLines(LogQuery(folder: two.folder.path, afterSeq: 4)) == ["line 4", "line 5"])
    }

    @Test func print_pattern_filtersAndCountCountsMatches() throws {
        let two = Two()
        for number in 0..<20 { two.add(0, number % 5 == 0 ? "error \(number)" : "fine \(number)") }
        let pattern = try LogPattern("err.r \\d+")
        #expect(
            printedLines(LogQuery(folder: two.folder.path, pattern: pattern))
                == ["error 0", "error 5", "error 10", "error 15"])
        #expect(
            printedLines(LogQuery(folder: two.folder.path, count: 2, pattern: pattern)) == ["error 10", "error 15"])
        #expect(
            printedLines(LogQuery(folder: two.folder.path, count: 3, until: two.time(12), pattern: pattern))
                == ["error 0", "error 5", "error 10"])
    }

    @Test func print_piecesOfAPrompt_areOneLine() {
        let two = Two()
        two.add(0, "Enter: ", .first)
        two.add(1, "meanwhile")
        two.add(0, "42", .last)
        #expect(printedLines(LogQuery(folder: two.folder.path)) == ["meanwhile", "Enter: 42"])
        #expect(printedLines(LogQuery(folder: two.folder.path, count: 1)) == ["meanwhile", "Enter: 42"])
        #expect(printed(LogQuery(folder: two.folder.path, services: ["reader"]), LogFormat(.raw)) == "Enter: 42\n")
    }

    @Test func print_raw_isWhatTheProgramWrote() {
        let two = Two()
        two.add(0, "a\r")
        two.stores[0].note("a word from devmesh")
        two.add(0, "\u{1B}[2J\u{FF}")
        two.add(0, "no newline", .cut)
        #expect(
            printed(LogQuery(folder: two.folder.path), LogFormat(.raw)) == "a\r\n\u{1B}[2J\u{FF}\nno newline")
    }

    @Test func print_garbageBetweenRecords_isPassedOver() throws {
        let two = Two()
        two.add(0, "one")
        let segment = two.stores[0].folder.segments()[0]
        let file = try Kernel.real.open(two.stores[0].folder.path(of: segment), .append)
        let garbage = [UInt8](repeating: 0, count: 700_000) + Array("\nnonsense\n".utf8)
        try garbage.withUnsafeBytes { try Kernel.real.writeAll(file, $0) }
        two.add(0, "two")
        #expect(printedLines(LogQuery(folder: two.folder.path)) == ["one", "two"])
        #expect(printedLines(LogQuery(folder: two.folder.path, count: 1)) == ["two"])
        #expect(printedLines(LogQuery(folder: two.folder.path, afterSeq: 1)) == ["two"])
    }

    @Test func print_garbageAtTheEnd_doesNotHideWhatIsBefore() throws {
        let two = Two()
        two.add(0, "one")
        let segment = two.stores[0].folder.segments()[0]
        let file = try Kernel.real.open(two.stores[0].folder.path(of: segment), .append)
        try [UInt8](repeating: 0x0A, count: 200_000).withUnsafeBytes { try Kernel.real.writeAll(file, $0) }
        #expect(printedLines(LogQuery(folder: two.folder.path, count: 5)) == ["one"])
    }

    @Test(arguments: 0..<4)
    func seek_randomStore_findsEveryBorder(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let two = Two(limit: 2 << 20)
        var stored: [(line: Int, text: String)] = []
        for number in 0..<700 {
            let size = [10, 100, 3000, 20_000].randomElement(using: &random)!
            let text = "\(number) " + String(repeating: "x", count: Int.random(in: 0...size, using: &random))
            two.add(0, text)
            stored.append((number + 1, text))
        }
        let path = two.folder.path
        let all = printedLines(LogQuery(folder: path))
        #expect(all == stored.suffix(all.count).map(\.text))
        let lost = 700 - all.count
        for _ in 0..<4 {
            let count = Int.random(in: 0...800, using: &random)
            #expect(printedLines(LogQuery(folder: path, count: count)) == Array(all.suffix(count)))
            let seq = Int.random(in: 0...800, using: &random)
            #expect(printedLines(LogQuery(folder: path, afterSeq: seq)) == Array(all.dropFirst(max(0, seq - lost))))
            let since = Int.random(in: 0...800, using: &random)
            #expect(
                printedLines(LogQuery(folder: path, since: two.time(Int64(since))))
                    == Array(all.dropFirst(max(0, since - lost))))
        }
    }

    @Test(arguments: 0..<3)
    func merge_randomBatches_keepTheOrderOfReading(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let folder = TemporaryFolder()
        let encoder = RecordEncoder(nextSeq: 1)
        let stores = (0..<5).map {
            LogStore(folder: "\(folder.path)/s\($0)", limit: 64 << 20, encoder: encoder, kernel: .real)
        }
        var number = 0
        while number < 6000 {
            let store = stores.randomElement(using: &random)!
            store.begin(.stdout, instance: 1, time: .now)
            for _ in 0..<Int.random(in: 1...400, using: &random) {
                "\(number) some text to give the line a length".bytes { store.append($0, .whole) }
                number += 1
            }
            store.endBatch()
        }
        let numbers = printedLines(LogQuery(folder: folder.path)).map { Int($0.prefix { $0 != " " })! }
        #expect(numbers == Array(0..<number))
    }

    @Test func recent_service_givesTheNewestLinesPlain() {
        let two = Two()
        for number in 0..<20 { two.add(0, "\u{1B}[31mline\u{1B}[0m \(number)") }
        two.stores[0].note("stopped")
        let lines = LogArchive.recent("reader", count: 3, in: two.folder.path)
        #expect(lines.map(\.text) == ["line 18", "line 19", "stopped"])
        #expect(lines.map(\.stream) == [.stdout, .stdout, .devmesh])
        #expect(lines[0].time == two.time(18).rfc3339())
        let output = LogArchive.recent("reader", count: 2, streams: [.stdout], in: two.folder.path)
        #expect(output.map(\.text) == ["line 18", "line 19"])
        #expect(LogArchive.recent("nobody", count: 3, in: two.folder.path).isEmpty)
    }
}
