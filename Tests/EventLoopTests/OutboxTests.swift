import EventLoop
import Platform
import TestSupport
import Testing

@Suite struct OutboxTests {
    @Test func shortMessages_leaveAtTheEndOfTheTurn_inTheirOrder() throws {
        let loop = try EventLoop()
        let notes = Notes()
        let first = Note("first", notes)
        let second = Note("second", notes)
        loop.later {
            for (sender, text) in [(first, "a"), (second, "b"), (first, "c")] {
                #expect(post(text, from: sender, to: loop.outbox))
            }
            #expect(notes.lines.isEmpty)
        }
        loop.later { notes.lines.append("work of the same turn") }
        // Nobody wakes the loop but for this, on the turn after.
        loop.later { loop.later { loop.stop() } }
        try withExtendedLifetime((first, second)) { try loop.run() }
        #expect(notes.lines == ["work of the same turn", "first: a", "second: b", "first: c"])
    }

    /// A loop that is stopped sends what was posted before, as its last.
    @Test func stoppedLoop_sendsWhatWasPosted() throws {
        let loop = try EventLoop()
        let notes = Notes()
        let sender = Note("last", notes)
        loop.later {
            #expect(post("word", from: sender, to: loop.outbox))
            loop.stop()
        }
        try withExtendedLifetime(sender) { try loop.run() }
        #expect(notes.lines == ["last: word"])
    }

    @Test func sixteenMessages_leaveAtOnce() throws {
        let outbox = try EventLoop().outbox
        let notes = Notes()
        let sender = Note("x", notes)
        for index in 1...15 { #expect(post("\(index)", from: sender, to: outbox)) }
        #expect(notes.lines.isEmpty)
        #expect(post("16", from: sender, to: outbox))
        #expect(notes.lines == (1...16).map { "x: \($0)" })
        #expect(post("17", from: sender, to: outbox))
        outbox.flush()
        #expect(notes.lines.last == "x: 17")
    }

    @Test func longMessage_isTheSenders_afterWhatWasPostedBefore() throws {
        let outbox = try EventLoop().outbox
        let notes = Notes()
        let sender = Note("x", notes)
        let longest = String(repeating: "l", count: 4096)
        #expect(post("short", from: sender, to: outbox))
        #expect(post(longest, from: sender, to: outbox))
        #expect(!post(longest + "l", from: sender, to: outbox))
        #expect(notes.lines == ["x: short", "x: \(longest)"])
    }

    /// As many as fit, each as long as may be.
    @Test func longestMessages_allFit() throws {
        let outbox = try EventLoop().outbox
        let notes = Notes()
        let sender = Note("x", notes)
        let texts = (0..<40).map { String(repeating: Character(UnicodeScalar(UInt8(65 + $0 % 26))), count: 4096) }
        for text in texts { #expect(post(text, from: sender, to: outbox)) }
        outbox.flush()
        #expect(notes.lines == texts.map { "x: \($0)" })
    }
}

private func post(_ text: String, from sender: any Sender, to outbox: Outbox) -> Bool {
    var text = text
    return text.withUTF8 { outbox.post(UnsafeRawBufferPointer($0), from: sender) }
}

private final class Notes { var lines: [String] = [] }

/// Notes what it is told to send.
private final class Note: Sender {
    private let name: String
    private let notes: Notes

    init(_ name: String, _ notes: Notes) {
        self.name = name
        self.notes = notes
    }

    func sendNow(_ bytes: UnsafeRawBufferPointer) {
        notes.lines.append("\(name): \(String(decoding: bytes, as: UTF8.self))")
    }
}
