import Testing

@testable import Commands

@Suite struct PrivateModesTests {
    @Test(arguments: [
        ("plain \u{1B}[31mred\u{1B}[0m", ""),
        ("\u{1B}[?1049h\u{1B}[?25l", "\u{1B}[?25h\u{1B}[?1049l"),
        ("\u{1B}[?1049h\u{1B}[?25l\u{1B}[?25h\u{1B}[?1049l", ""),
        ("\u{1B}[?1000;1006h", "\u{1B}[?1000l\u{1B}[?1006l"),
        ("\u{1B}[?7l\u{1B}]0;title\u{7}\u{1B}[?x2004h", "\u{1B}[?7h"),
        ("\u{1B}\u{1B}[?2004h", "\u{1B}[?2004l"),
        ("\u{1B}[?99999999999999999999h", ""),
    ])
    func output_isUndone(_ output: String, _ undoing: String) {
        var modes = PrivateModes()
        modes.feed(Array(output.utf8))
        #expect(modes.undoing == undoing)
        // However it is cut.
        var again = PrivateModes()
        for byte in output.utf8 { again.feed([byte]) }
        #expect(again.undoing == undoing)
    }
}
