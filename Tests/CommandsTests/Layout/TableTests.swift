import Testing

@testable import Commands

struct TableTests {
    static let table = Table(
        columns: [
            .init(title: "SERVICE"), .init(title: "STATE"), .init(title: "PID", alignment: .right, dropRank: 1),
            .init(title: "MEM", alignment: .right, dropRank: 2), .init(title: "WHY"),
        ],
        rows: [
            [.init("reader"), .init("ready", .green), .init("812"), .init("9.4MB"), .init("")],
            [.init("db"), .init("failed", .red), .init(""), .init(""), .init("exit code 1, next try in 4 s")],
        ])

    @Test func lines_noLimit_areAligned() {
        let expected = """
            SERVICE  STATE   PID    MEM  WHY
            reader   ready   812  9.4MB
            db       failed              exit code 1, next try in 4 s
            """
        #expect(Self.text(width: nil) == expected)
    }

    @Test func lines_narrower_cutReasonThenDropColumns() {
        let cut = """
            SERVICE  STATE   PID    MEM  WHY
            reader   ready   812  9.4MB
            db       failed              exit code 1, ne…
            """
        #expect(Self.text(width: 45) == cut)
        let dropped = """
            SERVICE  STATE   PID  WHY
            reader   ready   812
            db       failed       exit code 1, …
            """
        #expect(Self.text(width: 36) == dropped)
    }

    static func text(width: Int?) -> String { table.lines(width: width, colours: false).joined(separator: "\n") }

    @Test(arguments: 1...80) func lines_anyWidth_neverWrap(width: Int) {
        for line in Self.table.lines(width: width, colours: false) {
            #expect(DisplayWidth.of(line) <= max(width, 7))
        }
    }

    @Test func lines_colours_dontCountAsWidth() {
        let line = Self.table.lines(width: 60, colours: true)[1]
        #expect(line == "reader   \u{1B}[32mready\u{1B}[0m   812  9.4MB")
    }

    @Test func lines_emptyColumn_isLeftOut() {
        let table = Table(
            columns: [.init(title: "A"), .init(title: "B"), .init(title: "C")],
            rows: [[.init("1"), .init(""), .init("3")]])
        #expect(table.lines(width: nil, colours: false) == ["A  C", "1  3"])
    }

    @Test(arguments: [
        ("reader", 6), ("größe", 5), ("読者", 4), ("e\u{301}", 1), ("👩‍👩‍👧", 2), ("a\tb", 2), ("", 0),
    ])
    func displayWidth_countsColumns(text: String, width: Int) {
        #expect(DisplayWidth.of(text) == width)
    }

    @Test func truncate_neverExceedsWidth() {
        #expect(DisplayWidth.truncate("members", to: 5) == "memb…")
        #expect(DisplayWidth.truncate("members", to: 7) == "members")
        #expect(DisplayWidth.truncate("読者読者", to: 4) == "読…")
        #expect(DisplayWidth.truncate("members", to: 0) == "")
    }
}
