import Platform
import TestSupport
import Testing

@testable import Logs

@Suite struct TerminalTextTests {
    /// Each `NAME.in` of Fixtures/logs/terminal is what a program wrote, `NAME.out` what a terminal may get of it.
    @Test(arguments: Fixtures.names(in: "logs/terminal", suffix: ".in"))
    func write_fixture_givesItsOutput(_ name: String) {
        let input = Fixtures.bytes("logs/terminal/" + name)
        let expected = Fixtures.bytes("logs/terminal/" + name.dropLast(3) + ".out")
        let lines = input.split(separator: 0x0A, omittingEmptySubsequences: false)
        let result = Array(lines.map { shown(Array($0)) }.joined(separator: [0x0A]))
        #expect(String(decoding: result, as: UTF8.self) == String(decoding: expected, as: UTF8.self))
    }

    @Test func write_withoutColor_takesColorOutToo() {
        #expect(shown("\u{1B}[31mred\u{1B}[0m", color: false) == "red")
    }

    @Test func write_lineWrittenAnew_isShownAsItWasLast() {
        #expect(shown("\u{1B}[31m10%\r20%\r\u{1B}[K100%\r") == "100%")
        #expect(withoutEscapes(Array("\u{1B}[1m10%\r100%".utf8)) == Array("10%^M100%".utf8))
    }

    @Test(arguments: 0..<20)
    func write_randomBytes_leaveNothingButColor(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let alphabet: [UInt8] = [
            0x1B, 0x5B, 0x5D, 0x50, 0x6D, 0x4A, 0x3B, 0x31, 0x07, 0x5C, 0xC2, 0x9B, 0x9D, 0x08, 0x0D, 0x41, 0x3F, 0x90,
        ]
        for _ in 0..<3000 {
            let bytes = (0..<Int.random(in: 0...16, using: &random)).map { _ in alphabet.randomElement(using: &random)!
            }
            let out = shown(bytes)
            if !isHarmless(out) { Issue.record("\(bytes) became \(out)") }
        }
    }

    /// Printable text, with no control but whole SGR sequences.
    private func isHarmless(_ bytes: [UInt8]) -> Bool {
        var scalars = Array(String(decoding: bytes, as: UTF8.self).unicodeScalars)[...]
        while let scalar = scalars.popFirst() {
            if scalar == "\u{1B}" {
                guard scalars.popFirst() == "[" else { return false }
                while let next = scalars.first, "0123456789;:".unicodeScalars.contains(next) { scalars.removeFirst() }
                guard scalars.popFirst() == "m" else { return false }
            } else if scalar.value < 0x20 && scalar != "\t" || (0x7F...0x9F).contains(scalar.value) {
                return false
            }
        }
        return true
    }

    private func shown(_ bytes: [UInt8], color: Bool = true) -> [UInt8] {
        let out = OutputBytes()
        bytes.withUnsafeBytes { TerminalText(allowsColor: color).write($0, to: out) }
        return Array(out.bytes)
    }

    private func withoutEscapes(_ bytes: [UInt8]) -> [UInt8]? { bytes.withUnsafeBytes { Logs.withoutEscapes($0) } }

    private func shown(_ text: String, color: Bool = true) -> String {
        String(decoding: shown(Array(text.utf8), color: color), as: UTF8.self)
    }
}
