/// Reads the words of JSON: strings, numbers and literals. Faults are collected and reading goes on, so that one
/// scanner serves the strict parser (which stops at the first) and the one for people (which reports all).
struct JSONScanner {
    let bytes: [UInt8]
    var offset = 0
    private(set) var faults: [Fault] = []

    struct Fault: Error {
        var offset: Int
        var problem: JSONProblem
    }

    enum Number {
        case int(Int)
        case double(Double)
    }

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The byte here; nil at the end.
    var byte: UInt8? {
        offset < bytes.count ? bytes[offset] : nil
    }

    mutating func report(_ problem: JSONProblem, at offset: Int) {
        faults.append(Fault(offset: offset, problem: problem))
    }

    mutating func skipSpace() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x09, 0x0A, 0x0D: offset += 1
            default: return
            }
        }
    }

    /// Reads a string whose opening quote stands here, to behind the closing one. After a fault the value is what
    /// could be read.
    mutating func string() -> String {
        let quote = bytes[offset]
        let opening = offset
        offset += 1
        var run = offset
        var decoded: [UInt8] = []
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == quote {
                let text = finish(decoded, run: run, opening: opening)
                offset += 1
                return text
            }
            if byte == UInt8(ascii: "\\") {
                decoded.append(contentsOf: bytes[run..<offset])
                appendEscape(to: &decoded)
                run = offset
                continue
            }
            if byte < 0x20 {
                if byte == 0x0A || byte == 0x0D { break }
                report(.controlCharacter(byte), at: offset)
            }
            offset += 1
        }
        report(.unterminatedString, at: offset)
        return finish(decoded, run: run, opening: opening)
    }

    private mutating func finish(_ decoded: [UInt8], run: Int, opening: Int) -> String {
        let whole = decoded.isEmpty ? bytes[run..<offset] : decoded + bytes[run..<offset]
        if let text = String(validating: whole, as: UTF8.self) { return text }
        report(.invalidUTF8, at: opening + 1 + Self.firstInvalid(bytes[(opening + 1)..<offset]))
        return String(decoding: whole, as: UTF8.self)
    }

    /// Counts the bytes before the first that is not UTF-8.
    private static func firstInvalid(_ bytes: ArraySlice<UInt8>) -> Int {
        var parser = Unicode.UTF8.ForwardParser()
        var iterator = bytes.makeIterator()
        var count = 0
        while case .valid(let scalar) = parser.parseScalar(from: &iterator) { count += scalar.count }
        return count
    }

    /// Reads an escape whose backslash stands here (RFC 8259 §7).
    private mutating func appendEscape(to buffer: inout [UInt8]) {
        let start = offset
        guard offset + 1 < bytes.count, bytes[offset + 1] >= 0x20 else {
            offset += 1
            return report(.unknownEscape("\\"), at: start)
        }
        let letter = bytes[offset + 1]
        offset += 2
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): buffer.append(letter)
        case UInt8(ascii: "b"): buffer.append(0x08)
        case UInt8(ascii: "f"): buffer.append(0x0C)
        case UInt8(ascii: "n"): buffer.append(0x0A)
        case UInt8(ascii: "r"): buffer.append(0x0D)
        case UInt8(ascii: "t"): buffer.append(0x09)
        case UInt8(ascii: "u"): appendUnicodeEscape(from: start, to: &buffer)
        default:
            while offset < bytes.count, bytes[offset] & 0xC0 == 0x80 { offset += 1 }
            report(.unknownEscape(text(start..<offset)), at: start)
        }
    }

    private mutating func appendUnicodeEscape(from start: Int, to buffer: inout [UInt8]) {
        guard let unit = hexDigits() else {
            return report(.unknownEscape(text(start..<min(offset, bytes.count))), at: start)
        }
        var value = UInt32(unit)
        if unit & 0xFC00 == 0xD800, offset + 1 < bytes.count, bytes[offset] == UInt8(ascii: "\\"),
            bytes[offset + 1] == UInt8(ascii: "u")
        {
            let second = offset
            offset += 2
            if let low = hexDigits(), low & 0xFC00 == 0xDC00 {
                value = 0x10000 + (UInt32(unit & 0x3FF) << 10) + UInt32(low & 0x3FF)
            } else {
                offset = second
            }
        }
        guard let scalar = Unicode.Scalar(value) else {
            return report(.loneSurrogate(text(start..<start + 6)), at: start)
        }
        buffer.append(contentsOf: UTF8.encode(scalar)!)
    }

    /// Reads four hexadecimal digits; stands behind as many as there are.
    private mutating func hexDigits() -> UInt16? {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let byte, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            value = value << 4 | UInt16(digit)
            offset += 1
        }
        return value
    }

    /// Reads a number (RFC 8259 §6), or whatever word stands in its place.
    mutating func number() -> Number? {
        let start = offset
        var isWhole = true
        if byte == UInt8(ascii: "-") { offset += 1 }
        let digits = offset
        skipDigits()
        var isSound = offset > digits && (bytes[digits] != UInt8(ascii: "0") || offset == digits + 1)
        if byte == UInt8(ascii: ".") {
            isWhole = false
            offset += 1
            isSound = skipDigits() && isSound
        }
        if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
            isWhole = false
            offset += 1
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { offset += 1 }
            isSound = skipDigits() && isSound
        }
        let end = offset
        skipWord()
        guard isSound, offset == end else {
            report(.malformedNumber(text(start..<offset)), at: start)
            return nil
        }
        if isWhole, let value = whole(start..<end) { return .int(value) }
        guard let value = Double(String(decoding: bytes[start..<end], as: UTF8.self)), value.isFinite else {
            report(.numberOutOfRange(text(start..<end)), at: start)
            return nil
        }
        return .double(value)
    }

    @discardableResult
    private mutating func skipDigits() -> Bool {
        let start = offset
        while let byte, byte &- 0x30 < 10 { offset += 1 }
        return offset > start
    }

    /// The whole number; nil where it does not fit 64 bits.
    private func whole(_ range: Range<Int>) -> Int? {
        let isNegative = bytes[range.lowerBound] == UInt8(ascii: "-")
        var value = 0
        for byte in bytes[(range.lowerBound + (isNegative ? 1 : 0))..<range.upperBound] {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let digit = Int(byte &- 0x30)
            let (sum, overflow2) = product.addingReportingOverflow(isNegative ? -digit : digit)
            if overflow || overflow2 { return nil }
            value = sum
        }
        return value
    }

    /// Skips letters, digits, `_ $ . + -` and what is beyond ASCII, and returns it.
    @discardableResult
    mutating func skipWord() -> Range<Int> {
        let start = offset
        while let byte {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x80...0xFF: break
            case UInt8(ascii: "_"), UInt8(ascii: "$"), UInt8(ascii: "."), UInt8(ascii: "+"), UInt8(ascii: "-"): break
            default: return start..<offset
            }
            offset += 1
        }
        return start..<offset
    }

    /// The text of a range for a sentence: cut where it is long.
    func text(_ range: Range<Int>) -> String {
        let limit = 40
        if range.count <= limit { return String(decoding: bytes[range], as: UTF8.self) }
        return String(decoding: bytes[range.lowerBound..<range.lowerBound + limit], as: UTF8.self) + "…"
    }

    /// Names what stands here, for `found …`.
    func describeHere() -> String {
        guard let byte else { return "the end of the file" }
        switch byte {
        case 0..<0x20, 0x7F: return "the control character \(JSONProblem.escape(byte))"
        case UInt8(ascii: "\""): return "a string"
        default:
            var copy = self
            copy.skipWord()
            return text(offset..<max(copy.offset, offset + 1))
        }
    }
}
