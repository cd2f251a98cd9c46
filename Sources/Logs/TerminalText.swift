/// Makes a program's bytes harmless for a terminal that they share with other programs (ECMA-48).
///
/// Colour (SGR) passes, and is reset at the end of what is written. What moves the cursor, clears, retitles, rings or
/// answers back is taken out, in its 7-bit and in its C1 form; other control characters are shown as `^X`, and bytes
/// that are not UTF-8 as U+FFFD.
struct TerminalText {
    /// Whether SGR passes; with `NO_COLOR` it does not.
    var allowsColor: Bool
    /// Whether what a carriage return goes back over is kept, with the return shown as `^M`; else a line that was
    /// written anew, as a progress bar is, comes as it was last.
    var keepsOverwritten = false

    private static let escape: UInt8 = 0x1B
    private static let bell: UInt8 = 0x07

    /// Longer ones are not gone on with as a whole.
    private static let longestColor = 64

    /// Appends what may be shown of `line`, which has no newline.
    func write(_ line: UnsafeRawBufferPointer, to out: OutputBytes) {
        var color: [UInt8] = []
        write(line, to: out, color: &color)
    }

    /// - Parameter color: the sequences that say in which colour the line begins here, and then how it goes on.
    func write(_ line: UnsafeRawBufferPointer, to out: OutputBytes, color: inout [UInt8]) {
        var end = line.count
        while end > 0 && line[end - 1] == 0x0D { end -= 1 }
        let bytes = UnsafeRawBufferPointer(rebasing: line[..<end])
        let start = out.count
        out.append(color)
        var at = 0
        while true {
            let run = plainRun(bytes, from: at)
            if run > 0 { out.append(UnsafeRawBufferPointer(rebasing: bytes[at..<(at + run)])) }
            at += run
            guard at < bytes.count else { break }
            let byte = bytes[at]
            if byte == Self.escape {
                at = skipEscape(bytes, at, out, &color)
            } else if byte == 0x0D && !keepsOverwritten {
                out.shorten(to: start)
                color = []
                at += 1
            } else if byte < 0x80 {
                if byte != Self.bell {
                    out.append(0x5E)
                    out.append(byte ^ 0x40)
                }
                at += 1
            } else if byte == 0xC2 && at + 1 < bytes.count && (0x80..<0xA0).contains(bytes[at + 1]) {
                at = skipC1(bytes, at)
            } else {
                at = writeCharacter(bytes, at, out)
            }
        }
        if !color.isEmpty { out.append("\u{1B}[0m" as StaticString) }
    }

    /// Appends the character at `at`, or U+FFFD; returns where the text goes on.
    private func writeCharacter(_ bytes: UnsafeRawBufferPointer, _ at: Int, _ out: OutputBytes) -> Int {
        switch utf8Step(bytes, at: at) {
        case .character(let length):
            out.append(UnsafeRawBufferPointer(rebasing: bytes[at..<(at + length)]))
            return at + length
        case .invalid(let length):
            out.append("\u{FFFD}" as StaticString)
            return at + length
        }
    }

    /// Passes the sequence that begins with the ESC at `at` on if it is colour; returns where the text goes on.
    private func skipEscape(
        _ bytes: UnsafeRawBufferPointer, _ at: Int, _ out: OutputBytes, _ color: inout [UInt8]
    ) -> Int {
        guard at + 1 < bytes.count else { return at + 1 }
        switch bytes[at + 1] {
        case 0x5B:  // [
            guard let end = endOfControl(bytes, at + 2) else { return at + 2 }
            let parameters = bytes[(at + 2)..<(end - 1)]
            // Private forms such as `ESC [ > 4 m` are no colour: they change what the keyboard sends.
            if bytes[end - 1] == 0x6D && allowsColor
                && parameters.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x3B || $0 == 0x3A })
            {
                out.append(UnsafeRawBufferPointer(rebasing: bytes[at..<end]))
                let first = parameters.prefix { $0 != 0x3B }
                // Without a number, or with 0, it begins with a reset.
                if first.allSatisfy({ $0 == 0x30 }) || color.count > Self.longestColor { color = [] }
                if !parameters.allSatisfy({ $0 == 0x30 }) { color += bytes[at..<end] }
            }
            return end
        case 0x5D, 0x50, 0x58, 0x5E, 0x5F:  // ] P X ^ _
            return endOfString(bytes, at + 2) ?? at + 2
        default:
            var end = at + 1
            while end < bytes.count && (0x20...0x2F).contains(bytes[end]) { end += 1 }
            return end < bytes.count && (0x30...0x7E).contains(bytes[end]) ? end + 1 : at + 1
        }
    }

    /// Returns where the text goes on after the C1 control (U+0080 … U+009F) at `at`, two bytes long.
    private func skipC1(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> Int {
        switch bytes[at + 1] {
        case 0x9B: endOfControl(bytes, at + 2) ?? at + 2
        case 0x90, 0x98, 0x9D, 0x9E, 0x9F: endOfString(bytes, at + 2) ?? at + 2
        default: at + 2
        }
    }

    /// The end of a control sequence whose parameters begin at `start` (ECMA-48 §5.4); nil if it is none.
    private func endOfControl(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int? {
        var at = start
        while at < bytes.count && (0x30...0x3F).contains(bytes[at]) { at += 1 }
        while at < bytes.count && (0x20...0x2F).contains(bytes[at]) { at += 1 }
        return at < bytes.count && (0x40...0x7E).contains(bytes[at]) ? at + 1 : nil
    }

    /// Longer ones are shown without their beginning, so that a line full of beginnings is looked through once, not
    /// once for each.
    private static let longestString = 4096

    /// The end of a control string (OSC, DCS, …): after BEL, `ESC \` or U+009C; nil if it has none near in this line.
    private func endOfString(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int? {
        var at = start
        let limit = min(bytes.count, start + Self.longestString)
        while at < limit {
            if bytes[at] == Self.bell { return at + 1 }
            if at + 1 < bytes.count {
                if bytes[at] == Self.escape && bytes[at + 1] == 0x5C { return at + 2 }
                if bytes[at] == 0xC2 && bytes[at + 1] == 0x9C { return at + 2 }
            }
            at += 1
        }
        return nil
    }
}

/// `bytes` without escape sequences, for matching: a pattern should find a word whatever its colour.
/// Nil where there is nothing to take out.
func withoutEscapes(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
    guard let base = bytes.baseAddress, firstByte(0x1B, in: base, from: 0, to: bytes.count) != nil else { return nil }
    let out = OutputBytes(capacity: bytes.count + 8)
    TerminalText(allowsColor: false, keepsOverwritten: true).write(bytes, to: out)
    return Array(out.bytes)
}
