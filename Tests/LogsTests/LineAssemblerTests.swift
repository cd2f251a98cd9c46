import Testing

@testable import Logs

@Suite struct LineAssemblerTests {
    private struct Line: Equatable {
        var text: String
        var isPartial = false
    }

    /// Each record: text, mark, stream.
    private func lines(
        _ records: [(String, LineMark, LogStream)], skipsOrphans: Bool = false, finishes: Bool = true
    ) -> [Line] {
        var assembler = LineAssembler(skipsOrphans: skipsOrphans)
        var lines: [Line] = []
        func keep(_ line: LogLine) {
            lines.append(Line(text: String(decoding: line.text, as: UTF8.self), isPartial: line.isPartial))
        }
        for (index, (text, mark, stream)) in records.enumerated() {
            text.bytes { payload in
                [UInt8](repeating: 0x30, count: 27).withUnsafeBytes { time in
                    assembler.add(
                        LogRecord(
                            seq: index + 1, line: 1, time: time, stream: stream, instance: 1, mark: mark,
                            payload: payload),
                        service: 0, keep)
                }
            }
        }
        if finishes { assembler.finish(keep) }
        return lines
    }

    @Test func add_shortPieces_becomeOneLine() {
        #expect(
            lines([("Enter", .first, .stdout), (": ", .middle, .stdout), ("42", .last, .stdout)], finishes: false)
                == [Line(text: "Enter: 42")])
    }

    @Test func add_piecesOfTwoStreams_areNotMixed() {
        #expect(
            lines([
                ("out", .first, .stdout), ("err", .first, .stderr), ("x", .whole, .stdout), ("or", .last, .stderr),
            ]) == [Line(text: "out", isPartial: true), Line(text: "x"), Line(text: "error")])
    }

    @Test func add_chainBrokenByACrash_doesNotGrowIntoTheNextLine() {
        #expect(
            lines([("half", .first, .stdout), ("next", .whole, .stdout)])
                == [Line(text: "half", isPartial: true), Line(text: "next")])
    }

    @Test func add_piecesOfALineThatIsTooLong_stayPieces() {
        let long = String(repeating: "x", count: LineSplitter.longest)
        #expect(
            lines([(long, .first, .stdout), (long, .middle, .stdout), ("end", .last, .stdout)])
                == [
                    Line(text: long, isPartial: true), Line(text: long, isPartial: true),
                    Line(text: "end", isPartial: true),
                ])
    }

    @Test func add_shortPieceThenTooMuch_splits() {
        let long = String(repeating: "x", count: LineSplitter.longest)
        #expect(
            lines([("a", .first, .stdout), (long, .last, .stdout)])
                == [Line(text: "a", isPartial: true), Line(text: long, isPartial: true)])
    }

    @Test func add_endOfStream_endsTheLine() {
        #expect(
            lines([("Enter: ", .first, .stdout), ("", .lastCut, .stdout)], finishes: false) == [Line(text: "Enter: ")])
        #expect(lines([("x", .cut, .stdout)], finishes: false) == [Line(text: "x")])
    }

    @Test func add_continuationWithoutBeginning_isShownOrSkipped() {
        let records: [(String, LineMark, LogStream)] = [
            ("rest", .middle, .stdout), ("end", .last, .stdout), ("next", .whole, .stdout),
        ]
        #expect(lines(records) == [Line(text: "restend", isPartial: true), Line(text: "next")])
        #expect(lines(records, skipsOrphans: true) == [Line(text: "next")])
    }

    @Test func finish_openLine_comesOutAsPartial() {
        #expect(lines([("Enter: ", .first, .stdout)], finishes: false).isEmpty)
        #expect(lines([("Enter: ", .first, .stdout)]) == [Line(text: "Enter: ", isPartial: true)])
    }
}
