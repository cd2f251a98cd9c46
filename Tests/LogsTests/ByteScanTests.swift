import Testing

@testable import Logs

@Suite struct ByteScanTests {
    @Test func firstByte_everyPlaceAndLength_isFound() {
        for length in 0..<40 {
            for place in 0..<max(1, length) {
                var bytes = [UInt8](repeating: 0xFF, count: length)
                if place < length { bytes[place] = 0x0A }
                bytes.withUnsafeBytes { buffer in
                    guard let base = buffer.baseAddress else { return }
                    #expect(firstNewline(in: base, from: 0, to: length) == (place < length ? place : nil))
                    #expect(firstNewline(in: base, from: min(place + 1, length), to: length) == nil)
                    #expect(lastNewline(in: base, before: length) == (place < length ? place : nil))
                }
            }
        }
    }

    @Test func plainRun_everyByteAtEveryPlace_stopsAtWhatIsNotPlain() {
        for byte in UInt8.min...UInt8.max {
            for place in 0..<17 {
                var bytes = [UInt8](repeating: 0x41, count: 20)
                bytes[place] = byte
                let isPlain = (0x20..<0x7F).contains(byte) || byte == 0x09
                let run = bytes.withUnsafeBytes { plainRun($0, from: 0) }
                if run != (isPlain ? 20 : place) { Issue.record("byte \(byte) at \(place): \(run)") }
            }
        }
    }

    @Test func contains_needle_isFoundOnlyWhereItIs() {
        "a needle in needles".bytes { hay in
            #expect(contains(hay, Array("needles".utf8)))
            #expect(contains(hay, []))
            #expect(!contains(hay, Array("needless".utf8)))
        }
        "".bytes { #expect(!contains($0, [0x61])) }
        "aab".bytes { #expect(contains($0, Array("ab".utf8))) }
    }
}

@Suite struct UTF8BorderTests {
    @Test(
        arguments: [
            ([], 0), ([0x61], 0), ([0xC3], 1), ([0xC3, 0xA4], 0), ([0xE2, 0x82], 2), ([0xE2], 1),
            ([0xE2, 0x82, 0xAC], 0),
            ([0xF0, 0x9D, 0x84], 3), ([0xF0, 0x9D, 0x84, 0x9E], 0), ([0xFF], 0), ([0x80, 0x80, 0x80, 0x80], 0),
            ([0xC0], 0), ([0x61, 0xF0], 1),
        ] as [([UInt8], Int)])
    func incompleteSuffix_bytes_areCounted(_ bytes: [UInt8], _ expected: Int) {
        bytes.withUnsafeBytes { #expect(incompleteUTF8Suffix($0) == expected) }
    }

    @Test(arguments: 0..<5)
    func isUTF8_randomBytes_agreesWithTheStandardLibrary(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            let alphabet: [UInt8] = [
                0x61, 0x80, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0x8F,
            ]
            let bytes = (0..<Int.random(in: 0...9, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
            let ours = bytes.withUnsafeBytes { isUTF8($0) }
            if ours != (String(validating: bytes, as: UTF8.self) != nil) { Issue.record("\(bytes): \(ours)") }
        }
    }
}
