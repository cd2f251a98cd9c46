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
}
