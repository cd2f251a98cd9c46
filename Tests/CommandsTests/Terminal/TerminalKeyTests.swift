import Testing

@testable import Commands

@Suite struct TerminalKeyTests {
    @Test(arguments: [
        ("ab", [TerminalKey.character("a"), .character("b")]), ("é€", [.character("é"), .character("€")]),
        ("\r", [.enter]), ("\u{7F}\u{8}", [.backspace, .backspace]), ("\u{1B}", [.escape]),
        ("\t\u{1B}[C\u{1B}OB", [.next, .next, .next]), ("\u{1B}[Z\u{1B}[A\u{1B}[D", [.previous, .previous, .previous]),
        ("\u{1B}[1;5Cx", [.next, .character("x")]), ("\u{1B}[15~q", [.other, .character("q")]), ("\u{1A}", [.suspend]),
        ("\u{1}", [.other]), ("\u{1B}[", [.other]),
    ])
    func typed_isReadAsKeys(_ typed: String, _ keys: [TerminalKey]) {
        #expect(TerminalKey.keys(in: Array(typed.utf8)) == keys)
    }

    @Test(arguments: [
        (["a\u{1B}[200~q\ro\u{1B}[201~b"], "ab"), (["\u{1B}[200~q", "q", "q\u{1B}[2", "01~b"], "b"),
        (["a\u{1B}[", "200~q\u{1B}[201~b"], "ab"), (["\u{1B}[20", "0", "~q\u{1B}", "[201~b"], "b"),
        (["\u{1B}[200~q\u{1B}[201~a\u{1B}[200~\u{1B}[201~b"], "ab"), (["\u{1B}[200~\u{1B}[200~q\u{1B}[201~b"], "b"),
    ])
    func pasted_isNoKey(_ reads: [String], _ typed: String) {
        var keys = TypedKeys()
        let found = reads.flatMap { keys.keys(in: Array($0.utf8)) }
        #expect(found == typed.map { .character($0) })
    }

    /// Behind an escape that is told at once, since nothing may follow it.
    @Test(arguments: [
        (["\u{1B}", "[200~q\u{1B}[201~b"], [TerminalKey.escape, .character("b")]),
        (["\u{1B}", "[2", "00~q\u{1B}[201~"], [.escape]), (["\u{1B}", "\u{1B}"], [.escape, .escape]),
        (["\u{1B}", "x"], [.escape, .character("x")]),
        (["\u{1B}", "[", "x"], [.escape, .character("["), .character("x")]), (["\u{1B}[", "C"], [.next]),
    ])
    func escape_isAKeyAndMayBeginAMark(_ reads: [String], _ expected: [TerminalKey]) {
        var keys = TypedKeys()
        #expect(reads.flatMap { keys.keys(in: Array($0.utf8)) } == expected)
    }
}
