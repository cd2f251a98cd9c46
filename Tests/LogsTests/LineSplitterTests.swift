import Testing

@testable import Logs

@Suite struct LineSplitterTests {
    /// Feeds the chunks one by one, then ends the stream.
    private func split(_ chunks: [[UInt8]], quietAfter: Set<Int> = []) -> (pieces: [([UInt8], LineMark)], most: Int) {
        var splitter = LineSplitter()
        var pieces: [([UInt8], LineMark)] = []
        var most = 0
        for (index, chunk) in chunks.enumerated() {
            chunk.withUnsafeBytes { splitter.feed($0) { pieces.append((Array($0), $1)) } }
            most = max(most, splitter.capacity)
            if quietAfter.contains(index) { splitter.flushQuiet { pieces.append((Array($0), $1)) } }
        }
        splitter.finish { pieces.append((Array($0), $1)) }
        #expect(splitter.capacity <= 4096)
        return (pieces, most)
    }

    private func split(_ chunks: String..., quietAfter: Set<Int> = []) -> [Piece] {
        split(chunks.map { Array($0.utf8) }, quietAfter: quietAfter).pieces.map {
            Piece(String(decoding: $0.0, as: UTF8.self), $0.1)
        }
    }

    /// The stream that pieces came from.
    private func joined(_ pieces: [([UInt8], LineMark)]) -> [UInt8] {
        pieces.flatMap { $0.1.endsInNewline ? $0.0 + [0x0A] : $0.0 }
    }

    @Test func feed_linesInOneChunk_comeWhole() {
        #expect(split("a\n\nbc\n") == [Piece("a", .whole), Piece("", .whole), Piece("bc", .whole)])
    }

    @Test func feed_lineOverSeveralChunks_comesWhole() {
        #expect(split("a", "b", "c\nd\n") == [Piece("abc", .whole), Piece("d", .whole)])
    }

    /// A colour that is cut would be shown as text.
    @Test(arguments: ["\u{1B}", "\u{1B}[", "\u{1B}[38;5;1"])
    func quiet_withinAnEscape_holdsItBack(_ start: String) {
        #expect(
            split("x " + start, "m\n", quietAfter: [0]) == [Piece("x ", .first), Piece(start + "m", .last)])
        let long = String(repeating: "x", count: LineSplitter.longest - start.utf8.count)
        #expect(split(long + start, "m\n") == [Piece(long, .first), Piece(start + "m", .last)])
    }

    @Test func quiet_behindAnEscape_holdsNothingBack() {
        #expect(split("x\u{1B}[31mé", "y\n", quietAfter: [0]) == [Piece("x\u{1B}[31mé", .first), Piece("y", .last)])
        let none = "\u{1B}[" + String(repeating: "1", count: 40)
        #expect(split(none, "y\n", quietAfter: [0]) == [Piece(none, .first), Piece("y", .last)])
    }

    @Test func feed_carriageReturns_areKept() {
        #expect(split("a\r\nb\rc\r", "\n") == [Piece("a\r", .whole), Piece("b\rc\r", .whole)])
    }

    @Test func finish_unterminatedLine_comesOut() {
        #expect(split("a\nx") == [Piece("a", .whole), Piece("x", .cut)])
    }

    @Test func finish_nothingHeld_saysNothing() {
        #expect(split("a\n") == [Piece("a", .whole)])
    }

    @Test func flushQuiet_prompt_comesAsPieceAndContinues() {
        #expect(split("Enter: ", "42\n", quietAfter: [0]) == [Piece("Enter: ", .first), Piece("42", .last)])
    }

    @Test func flushQuiet_promptThenEnd_closesTheChain() {
        #expect(split("Enter: ", quietAfter: [0]) == [Piece("Enter: ", .first), Piece("", .lastCut)])
    }

    @Test func flushQuiet_incompleteCharacter_isHeldBack() {
        let euro = Array("€".utf8)
        let (pieces, _) = split([[0x61] + euro[..<2], [euro[2], 0x0A]], quietAfter: [0])
        #expect(pieces.map(\.0) == [[0x61], euro])
        #expect(pieces.map(\.1) == [.first, .last])
    }

    @Test func feed_lineOfExactlyTheLimit_staysWhole() {
        let line = [UInt8](repeating: 0x78, count: LineSplitter.longest)
        let (pieces, _) = split([line + [0x0A]])
        #expect(pieces.map(\.1) == [.whole])
    }

    @Test func feed_lineOverTheLimit_comesInPieces() {
        let line = [UInt8](repeating: 0x78, count: 2 * LineSplitter.longest + 5)
        for chunk in [line.count + 1, 65536, 1000, 4097] {
            let (pieces, _) = split((line + [0x0A]).chunked(chunk))
            #expect(pieces.map(\.1) == [.first, .middle, .last])
            #expect(pieces.map(\.0.count) == [LineSplitter.longest, LineSplitter.longest, 5])
        }
    }

    @Test func feed_characterOnAPieceBorder_staysWhole() {
        let line = [UInt8](repeating: 0x78, count: LineSplitter.longest - 1) + Array("€€".utf8)
        for chunk in [line.count + 1, 65536, 777] {
            let (pieces, _) = split((line + [0x0A]).chunked(chunk))
            #expect(pieces.map(\.0.count) == [LineSplitter.longest - 1, 6])
            #expect(joined(pieces) == line + [0x0A])
        }
    }

    @Test func feed_hundredMegabytesWithoutNewline_boundedMemoryNoByteLost() {
        var splitter = LineSplitter()
        var total = 0
        var pieces = 0
        var most = 0
        let chunk = [UInt8](repeating: 0x61, count: 65_521)
        while total + splitter.heldCount < 100 << 20 {
            chunk.withUnsafeBytes {
                splitter.feed($0) { bytes, _ in
                    total += bytes.count
                    pieces += 1
                    #expect(bytes.count <= LineSplitter.longest)
                }
            }
            most = max(most, splitter.capacity)
        }
        let fed = total + splitter.heldCount
        splitter.finish { bytes, mark in
            total += bytes.count
            #expect(mark == .lastCut)
        }
        #expect(total == fed && fed >= 100 << 20)
        #expect(pieces >= 1600)
        // One piece, with the room that an array takes beyond what was asked for.
        #expect(most <= 2 * LineSplitter.longest)
        #expect(splitter.capacity <= 4096)
    }

    @Test(arguments: 0..<40)
    func feed_randomBytesInRandomChunks_comeBackAsWritten(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        // Few distinct bytes, so that newlines, characters cut in two and long lines all occur.
        let alphabet: [UInt8] = [0x61, 0x0A, 0x0D, 0xE2, 0x82, 0xAC, 0xFF, 0xF0, 0x00]
        var stream: [UInt8] = []
        for _ in 0..<Int.random(in: 0...200, using: &random) {
            switch Int.random(in: 0..<40, using: &random) {
            case 0: stream += [UInt8](repeating: 0x7A, count: Int.random(in: 0...200_000, using: &random))
            case 1...9: stream += Array("€uro 𝄞\n".utf8)
            default: stream.append(alphabet.randomElement(using: &random)!)
            }
        }
        var chunks: [[UInt8]] = []
        var quiet: Set<Int> = []
        var at = 0
        while at < stream.count {
            let count = min(
                stream.count - at, Int.random(in: 1...(Bool.random(using: &random) ? 7 : 70_000), using: &random))
            chunks.append(Array(stream[at..<(at + count)]))
            if Int.random(in: 0..<5, using: &random) == 0 { quiet.insert(chunks.count - 1) }
            at += count
        }
        let (pieces, most) = split(chunks, quietAfter: quiet)
        #expect(joined(pieces) == stream)
        #expect(most <= 2 * LineSplitter.longest)
        // Marks form lines: a line begins once, and continues only after a beginning.
        var isInside = false
        for (bytes, mark) in pieces {
            #expect(mark.begins != isInside)
            #expect(bytes.count <= LineSplitter.longest && !bytes.contains(0x0A))
            isInside = mark.hasMore
        }
        #expect(!isInside)
    }
}

extension LineSplitter {
    /// Bytes that were fed and not handed out.
    var heldCount: Int {
        var copy = self
        var count = 0
        copy.finish { bytes, _ in count = bytes.count }
        return count
    }
}

extension Array {
    func chunked(_ size: Int) -> [[Element]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
    }
}

/// The same numbers for the same seed (SplitMix64), so that a failure can be seen again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
