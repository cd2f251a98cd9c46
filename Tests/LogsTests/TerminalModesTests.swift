import Testing

@testable import Logs

@Suite struct TerminalModesTests {
    @Test(arguments: [
        ("plain \u{1B}[31mred\u{1B}[0m", "", ""),
        ("\u{1B}[?1049h\u{1B}[?25l", "\u{1B}[?25l\u{1B}[?1049h", "\u{1B}[?25h\u{1B}[?1049l"),
        ("\u{1B}[?1049h\u{1B}[?25l\u{1B}[?25h\u{1B}[?1049l", "", ""),
        ("\u{1B}[?1000;1006h", "\u{1B}[?1000h\u{1B}[?1006h", "\u{1B}[?1000l\u{1B}[?1006l"),
        ("\u{1B}[?7l\u{1B}]0;title\u{7}\u{1B}[?x2004h", "\u{1B}[?7l", "\u{1B}[?7h"),
        ("\u{1B}\u{1B}[?2004h", "\u{1B}[?2004h", "\u{1B}[?2004l"), ("\u{1B}[?99999999999999999999h", "", ""),
        ("\u{1B}[?2026h\u{1B}[2J\u{1B}[?2026l", "", ""),
        // vim: other reports of keys, and its keypad.
        ("\u{1B}[>4;2m\u{1B}=", "\u{1B}[>4;2m\u{1B}=", "\u{1B}[>4m\u{1B}>"),
        ("\u{1B}[>4;2m\u{1B}=\u{1B}>\u{1B}[>4;m", "", ""),
        ("\u{1B}[>4;1m\u{1B}[>4m", "", ""), ("\u{1B}[6n\u{1B}[>c", "", ""),
        // neovim, fish: kitty's keyboard, with a stack for each screen.
        ("\u{1B}[>1u\u{1B}[>5u\u{1B}[<u", "\u{1B}[>1u", "\u{1B}[<1u"), ("\u{1B}[>1u\u{1B}[<9u", "", ""),
        (
            "\u{1B}[>1u\u{1B}[?1049h\u{1B}[>3u", "\u{1B}[>1u\u{1B}[?1049h\u{1B}[>3u",
            "\u{1B}[<1u\u{1B}[?1049l\u{1B}[<1u"
        ),
        ("\u{1B}[2;20r", "", "\u{1B}7\u{1B}[r\u{1B}8"),
        ("\u{1B}[?1049h\u{1B}[2;20r\u{1B}[r", "\u{1B}[?1049h", "\u{1B}[?1049l"),
        ("\u{1B}[6 q", "", "\u{1B}[0 q"), ("\u{1B}[6 q\u{1B}[ q", "", ""), ("\u{1B}[?25l\u{1B}=\u{1B}c", "", ""),
    ])
    func output_isSetAndUndone(_ output: String, _ setting: String, _ undoing: String) {
        var modes = TerminalModes()
        output.bytes { modes.feed($0) }
        #expect(modes.setting == setting)
        #expect(modes.undoing == undoing)
        // However it is cut.
        var again = TerminalModes()
        for byte in output.utf8 { [byte].withUnsafeBytes { again.feed($0) } }
        #expect(again.setting == setting)
        #expect(again.undoing == undoing)
        // What undoes it leaves nothing to be undone.
        undoing.bytes { modes.feed($0) }
        #expect(modes.undoing == "")
    }

    @Test func modes_withoutEnd_areNotAllKept() {
        var modes = TerminalModes()
        for mode in 100..<10_000 { "\u{1B}[?\(mode)h\u{1B}[>1u".bytes { modes.feed($0) } }
        #expect(modes.undoing.utf8.count < 1000)
    }
}
