import Testing

@testable import Commands

@Suite struct DetachKeysTests {
    @Test(arguments: [
        ("abc", "abc", false), ("\u{10}\u{11}", "", true), ("ab\u{10}\u{11}cd", "ab", true),
        ("\u{10}a", "\u{10}a", false), ("\u{11}\u{10}", "\u{11}", false), ("\u{10}\u{10}\u{11}", "\u{10}", true),
        // As vim has xterm send them.
        ("a\u{1B}[27;5;112~\u{1B}[27;5;113~", "a", true), ("\u{1B}[27;5;112~x", "\u{1B}[27;5;112~x", false),
        ("\u{1B}[27;6;112~\u{1B}[27;5;113~", "\u{1B}[27;6;112~\u{1B}[27;5;113~", false),
        // As kitty sends them, with events, Num Lock, and Ctrl let go between.
        ("\u{1B}[112;5u\u{1B}[113;5u", "", true),
        ("\u{1B}[112;133:1u\u{1B}[112;133:3u\u{1B}[57442;1:3u\u{1B}[57442;5:1u\u{1B}[113;133u", "", true),
        ("\u{1B}[112;5u\u{1B}[112;5:3ua", "\u{1B}[112;5u\u{1B}[112;5:3ua", false),
        ("\u{1B}[112;5:3u", "\u{1B}[112;5:3u", false),
        ("\u{10}\u{1B}[113;5u", "", true), ("\u{1B}[A\u{1B}", "\u{1B}[A\u{1B}", false),
        ("\u{1B}[112", "\u{1B}[112", false),
        ("\u{1B}[112;;u", "\u{1B}[112;;u", false), ("\u{1B}[u", "\u{1B}[u", false),
    ])
    func typed_passesOnAllButTheKeys(_ typed: String, _ passedOn: String, _ isDetached: Bool) {
        var keys = DetachKeys()
        let result = keys.feed(Array(typed.utf8))
        #expect(String(decoding: result.bytes, as: UTF8.self) == passedOn)
        #expect(result.isDetached == isDetached)
    }

    @Test func keys_inTwoReads_areFound() {
        var keys = DetachKeys()
        #expect(keys.feed([0x10]) == ([], false))
        #expect(keys.feed([0x11]) == ([], true))
    }

    @Test func firstKey_alone_isPassedOnWithTheNext() {
        var keys = DetachKeys()
        #expect(keys.feed([0x10]) == ([], false))
        #expect(keys.feed([0x61]) == ([0x10, 0x61], false))
    }
}
