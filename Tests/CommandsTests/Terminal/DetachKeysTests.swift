import Testing

@testable import Commands

@Suite struct DetachKeysTests {
    @Test(arguments: [
        ("abc", "abc", false), ("\u{10}\u{11}", "", true), ("ab\u{10}\u{11}cd", "ab", true),
        ("\u{10}a", "\u{10}a", false), ("\u{11}\u{10}", "\u{11}", false), ("\u{10}\u{10}\u{11}", "\u{10}", true),
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
