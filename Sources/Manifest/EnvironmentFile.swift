/// An envFile (contract §2): lines of `NAME=value`, with `export` before them or not, and `#` comments.
///
/// Bare values are literal; a `#` behind white space begins a comment, and white space around them does not count.
/// Single quotes are literal to the last character. Double quotes know `\n \" \\ \$`; another backslash stays.
/// Quoted values may span lines. Nothing expands.
struct EnvironmentFile {
    struct Assignment: Equatable {
        var name: String
        var value: String
        var line: Int
    }

    /// In the order of the file; of a repeated name the last counts.
    private(set) var assignments: [Assignment] = []
    private(set) var faults: [(sentence: Sentence, position: Position)] = []

    private let bytes: [UInt8]
    private var offset = 0
    private var line = 1
    private var lineStart = 0
    private static let maximumFaults = 50

    init(parsing bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            offset = 3
            lineStart = 3
        }
        while offset < bytes.count, faults.count < Self.maximumFaults { readLine() }
    }

    private var byte: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private var position: Position {
        let before = bytes[lineStart..<offset].count { $0 & 0xC0 != 0x80 }
        return Position(line: line, column: before + 1)
    }

    private mutating func report(_ sentence: Sentence, at position: Position) {
        faults.append((sentence, position))
    }

    private mutating func readLine() {
        defer { skipLine() }
        skipBlanks()
        guard let byte, byte != UInt8(ascii: "#"), byte != 0x0A else { return }
        if bytes[offset...].starts(with: "export".utf8), offset + 6 < bytes.count, isBlank(bytes[offset + 6]) {
            offset += 6
            skipBlanks()
        }
        let start = position
        let nameStart = offset
        while let byte = self.byte, byte != UInt8(ascii: "="), byte != 0x0A { offset += 1 }
        let name = String(decoding: bytes[nameStart..<offset], as: UTF8.self)
        guard self.byte == UInt8(ascii: "=") else {
            // Without `=` it may be anything, also a part of a secret: only a plain name is shown.
            let shown = name.trimmingBlanks
            report(.noAssignment(TextRule.variableName.matches(shown) ? shown : nil), at: start)
            return
        }
        guard TextRule.variableName.matches(name) else {
            report(.wrongVariableInFile(name), at: start)
            return
        }
        offset += 1
        if let value = readValue(of: name) {
            assignments.append(Assignment(name: name, value: value, line: start.line))
        }
    }

    private mutating func readValue(of name: String) -> String? {
        skipBlanks()
        let start = position
        var value: [UInt8] = []
        if let quote = byte, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") {
            guard readQuoted(quote, into: &value) else {
                report(.unclosedQuote(String(Unicode.Scalar(quote)), of: name), at: start)
                return nil
            }
            skipBlanks()
            if let byte, byte != 0x0A, byte != UInt8(ascii: "#") {
                report(.textAfterQuote(of: name, from: line == start.line ? nil : start.line), at: position)
                return nil
            }
        } else {
            readBare(into: &value)
        }
        guard let text = String(validating: value, as: UTF8.self), !value.contains(0) else {
            let what = value.contains(0) ? "a NUL" : "bytes that are not"
            report(.notText("\(what) in the value of \(name)"), at: start)
            return nil
        }
        return text
    }

    private mutating func readBare(into value: inout [UInt8]) {
        while let byte, byte != 0x0A {
            if byte == UInt8(ascii: "#"), isBlank(bytes[offset - 1]) { break }
            value.append(byte)
            offset += 1
        }
        while let last = value.last, isBlank(last) { value.removeLast() }
    }

    /// Reads to behind the closing quote; false where there is none.
    private mutating func readQuoted(_ quote: UInt8, into value: inout [UInt8]) -> Bool {
        let start = (offset, line, lineStart)
        offset += 1
        while let byte {
            offset += 1
            if byte == quote { return true }
            if byte == 0x0A { beginLine() }
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\""), let escaped = self.byte {
                switch escaped {
                case UInt8(ascii: "n"): value.append(0x0A)
                case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "$"): value.append(escaped)
                default:
                    value.append(byte)
                    continue
                }
                offset += 1
            } else {
                value.append(byte)
            }
        }
        // Go on with the next line, so that what stands there is looked at too.
        (offset, line, lineStart) = start
        return false
    }

    private func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0D
    }

    private mutating func skipBlanks() {
        while let byte, isBlank(byte) { offset += 1 }
    }

    private mutating func skipLine() {
        while let byte, byte != 0x0A { offset += 1 }
        if byte != nil {
            offset += 1
            beginLine()
        }
    }

    private mutating func beginLine() {
        line += 1
        lineStart = offset
    }
}

extension String {
    fileprivate var trimmingBlanks: String {
        String(Substring(self).drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
