import Testing

@testable import Commands
@testable import Logs

@Suite struct LogScreenTests {
    /// Writes to a screen of so many columns; `=…` is the line that stays, all else the log.
    private func shown(_ steps: [String], columns: Int = 20, rows: Int = 6) -> [String] {
        var screen = LogScreen()
        var model = ScreenModel(columns: columns, rows: rows)
        for step in steps {
            let line = step == "=" ? nil : step.hasPrefix("=") ? String(step.dropFirst()) : nil
            model.write(
                step.hasPrefix("=") ? screen.show(line, columns: columns) : screen.write(Array(step.utf8)))
        }
        return model.text
    }

    @Test func log_rollsByAboveTheLine() {
        #expect(shown(["=states", "one\n", "two\nthree\n"]) == ["one", "two", "three", "states"])
        let many = (1...50).map { "line \($0)" }
        #expect(shown(["=states"] + many.map { $0 + "\n" }) == many + ["states"])
    }

    @Test func line_changed_replacesTheOld() {
        #expect(shown(["=states of three", "one\n", "=shorter", "two\n"]) == ["one", "two", "shorter"])
    }

    @Test func line_takenAway_leavesTheLog() {
        #expect(shown(["=states", "one\n", "=", "two\n"]) == ["one", "two"])
        #expect(shown(["one\n", "=states", "=", "=states"]) == ["one", "states"])
    }

    @Test(arguments: ["Enter: ", "\u{1B}[31mred\u{1B}[0m", "tab\there", "übung", String(repeating: "x", count: 45)])
    func unfinishedLine_goesOnWhereItStood(_ start: String) {
        var alone = ScreenModel(columns: 20, rows: 6)
        alone.write(Array((start + "and on\nnext\n").replacing("\t", with: "     ").utf8))
        let steps = ["=states", start, "=other", "and on\n", "next\n"].map { $0.replacing("\t", with: "     ") }
        #expect(shown(steps) == alone.text + ["other"])
    }

    /// At the edge of the screen the cursor waits beside the last column.
    @Test func unfinishedLine_thatFillsItsRow_goesOnInTheNext() {
        let full = String(repeating: "x", count: 40)
        #expect(
            shown(["=states", full, "yy", "z\n"])
                == [String(repeating: "x", count: 20), String(repeating: "x", count: 20), "yyz", "states"])
    }

    /// A tab stops at the margin, and a wide character that doesn't fit into a row is in the next. Behind a full row
    /// the line goes on in the next, where the line was that stays.
    @Test(arguments: [
        ("\t\tX", 40, 18), ("\t\t\tX", 20, nil), ("日日日日日日日日日日XY", 21, 2), ("日日日日日日日日日日X", 21, nil),
        ("a日日日日日日日日日日", 20, 3),
    ])
    func unfinishedLine_goesOnBehindItsLastColumn(_ start: String, _ columns: Int, _ column: Int?) {
        var screen = LogScreen()
        _ = screen.show("states", columns: columns)
        _ = screen.write(Array(start.utf8))
        let bytes = String(decoding: screen.write(Array("AAA".utf8)), as: UTF8.self)
        #expect(bytes.hasPrefix("\r\u{1B}[J" + (column.map { "\u{1B}[A\u{1B}[\($0)G" } ?? "") + "AAA"))
    }

    @Test func unfinishedLine_thatFillsItsRow_itsEndIsNoEmptyLine() {
        let full = String(repeating: "x", count: 20)
        #expect(shown(["=states", full, "\n", "next\n"]) == [full, "next", "states"])
        #expect(shown(["=states", full, "\nnext\n"]) == [full, "next", "states"])
    }

    @Test func unfinishedLine_writtenAnew_takesThePlaceOfTheOld() {
        let anew = "\(LiveText.beginningAnew)"
        #expect(shown(["=states", "10 %", anew + "20 %", anew + "100 %\n", "b\n"]) == ["100 %", "b", "states"])
        let long = String(repeating: "x", count: 25)
        #expect(shown(["=states", long, anew + "20 %\n"]).suffix(2) == ["20 %", "states"])
        #expect(
            shown(["=states", long, anew + "20 %", anew + "30 %\n"]) == [
                String(long.prefix(20)), "xxxxx", "30 %", "states",
            ])
    }

    @Test func window_narrowed_unfinishedLineIsLeftAsItIs() {
        var screen = LogScreen()
        var model = ScreenModel(columns: 20, rows: 6)
        model.write(screen.show("states", columns: 20))
        model.write(screen.write(Array("Enter: ".utf8)))
        model.write(screen.show("states", columns: 10))
        model.write(screen.write(Array("and on\n".utf8)))
        #expect(model.text == ["Enter: ", "and on", "states"])
    }

    @Test func line_leftInTheMiddleOfALog_itsEndIsNotAnEmptyLine() {
        #expect(shown(["=states", "Enter: ", "=", "=states", "\n", "next\n"]) == ["Enter: ", "next", "states"])
        #expect(shown(["=states", "Enter: ", "=", "=states", "\nnext\n"]) == ["Enter: ", "next", "states"])
        #expect(shown(["=states", "Enter: ", "=", "more\n"]) == ["Enter: ", "more"])
    }

    @Test func nothingNew_writesNothing() {
        var screen = LogScreen()
        #expect(!screen.show("states", columns: 20).isEmpty)
        #expect(screen.show("states", columns: 20).isEmpty)
        #expect(screen.write([]).isEmpty)
    }
}
