import Foundation
import HTTP
import Testing

/// The raw messages of `Fixtures/http1`, each against the description beside it.
@Suite struct MessageFixtureTests {
    @Test(arguments: Fixture.all)
    func message_whole_readsAsDescribed(_ fixture: Fixture) {
        #expect(describe(fixture, cuts: []) == fixture.expected)
    }

    @Test(arguments: Fixture.all)
    func message_byteByByte_readsAsWhole(_ fixture: Fixture) {
        #expect(describe(fixture, cuts: Array(1..<max(1, fixture.bytes.count))) == fixture.expected)
    }

    @Test(arguments: Fixture.all)
    func message_cutInTwoAnywhere_readsAsWhole(_ fixture: Fixture) {
        for cut in 1..<max(1, fixture.bytes.count) {
            #expect(describe(fixture, cuts: [cut]) == fixture.expected, "cut at \(cut)")
        }
    }

    /// Bytes that no fixture holds: whatever they are, the cuts must not matter, and nothing may crash.
    @Test(arguments: Fixture.all)
    func message_mutated_readsTheSameInPieces(_ fixture: Fixture) {
        var random = SeededGenerator(state: UInt64(fixture.bytes.count) &* 0x9E37_79B9_7F4A_7C15)
        let odd = Array("\r\n\0 \t:;,0aG\u{7F}".utf8) + [0xFF]
        for _ in 0..<30 {
            var bytes = fixture.bytes
            for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[at] = odd.randomElement(using: &random)!
                case 1: bytes.insert(odd.randomElement(using: &random)!, at: at)
                default: bytes.remove(at: at)
                }
            }
            let mutant = Fixture(name: fixture.name, bytes: bytes, expected: "")
            let whole = describe(mutant, cuts: [])
            #expect(describe(mutant, cuts: Array(1..<max(1, bytes.count))) == whole, "\(bytes)")
            if !bytes.isEmpty {
                let cut = Int.random(in: 0..<bytes.count, using: &random)
                #expect(describe(mutant, cuts: [cut]) == whole, "\(bytes) cut at \(cut)")
            }
        }
    }

    @Test func fixtures_areAllThere() {
        #expect(Fixture.all.count >= 60)
    }

    private func describe(_ fixture: Fixture, cuts: [Int]) -> String {
        let bounds = [0] + cuts + [fixture.bytes.count]
        var reader = MessageDescription(
            isRequest: !fixture.name.hasPrefix("responses/"), answering: fixture.answeredMethod,
            limits: fixture.limits)
        for (start, end) in zip(bounds, bounds.dropFirst()) { reader.feed(fixture.bytes[start..<end]) }
        return reader.text
    }
}

struct Fixture: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    let expected: String

    var testDescription: String { name }

    var limits: HTTPLimits {
        name.hasPrefix("limits/")
            ? HTTPLimits(startLine: 64, head: 256, fields: 4, trailers: 32, chunkLine: 16) : .standard
    }

    var answeredMethod: HTTPMethod {
        if name.contains("/to-HEAD-") { .head } else { name.contains("/to-CONNECT-") ? .connect : .get }
    }

    static let all: [Fixture] = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Fixtures/http1")
            .standardized
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: root.path)) ?? []
        return names.filter { $0.hasSuffix(".http") }.sorted().compactMap { path in
            let name = String(path.dropLast(5))
            guard let bytes = try? Data(contentsOf: root.appending(path: path)),
                let expected = try? String(contentsOf: root.appending(path: name + ".expect"), encoding: .utf8)
            else { return nil }
            return Fixture(name: name, bytes: Array(bytes), expected: expected)
        }
    }()
}

/// SplitMix64: the same numbers in every run.
private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
