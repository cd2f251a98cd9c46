/// A value of a JSON text that people write, with its place: for readers that point at what they complain about.
public struct JSONSyntax: Sendable {
    public var kind: Kind
    /// Bytes from the start of the file; `end` is behind the last.
    public var offset: Int
    public var end: Int

    public enum Kind: Sendable {
        /// Something stood here that is no value; an error of the document tells of it.
        case invalid
        case null
        case bool(Bool)
        case int(Int)
        case double(Double)
        case string(String)
        case array([JSONSyntax])
        case object([Member])
    }

    public struct Member: Sendable {
        public var name: String
        /// Of the name's opening quote.
        public var nameOffset: Int
        public var value: JSONSyntax
    }
}

extension JSONSyntax {
    /// Finds the member of that name, the last where it is repeated.
    public subscript(name: String) -> JSONSyntax? {
        guard case .object(let members) = kind else { return nil }
        return members.last { $0.name == name }?.value
    }

    /// The value without its places; what is invalid becomes null.
    public var json: JSON {
        switch kind {
        case .invalid, .null: .null
        case .bool(let value): .bool(value)
        case .int(let value): .int(value)
        case .double(let value): .double(value)
        case .string(let value): .string(value)
        case .array(let elements): .array(elements.map(\.json))
        case .object(let members): .object(members.map { JSON.Member($0.name, $0.value.json) })
        }
    }
}

/// A JSON text that people write, read as far as it can be: `//` and `/* */` comments, trailing commas and a byte
/// order mark are accepted, repeated names are kept, and every syntax error is reported, not only the first.
public struct JSONDocument: Sendable {
    public let bytes: [UInt8]
    public let root: JSONSyntax
    /// In the order of the text; at most `maximumErrors`, after which reading ended.
    public let errors: [JSONError]
    private let lines: LineMap

    public static let maximumErrors = 50

    /// Reads a text in time linear to its length; never fails, see `errors`.
    /// - Parameter maximumDepth: how many arrays and objects may stand in one another; what is deeper is skipped and
    ///   reported.
    public init(parsing bytes: [UInt8], maximumDepth: Int = 128) {
        var parser = JSONSyntaxParser(bytes, maximumDepth: maximumDepth)
        let root = parser.document()
        let lines = LineMap(bytes)
        self.bytes = bytes
        self.root = root
        self.lines = lines
        errors = parser.faults.map { fault in
            let position = lines.position(at: fault.offset, in: bytes)
            var problem = fault.problem
            if let opening = fault.opening {
                problem = problem.withOpening(lines.position(at: opening, in: bytes))
            }
            return JSONError(
                problem: problem, offset: fault.offset, line: position.line, column: position.column)
        }
    }

    /// Finds line and column of a byte, in constant time.
    public func position(at offset: Int) -> TextPosition {
        lines.position(at: offset, in: bytes)
    }

    /// Finds the byte of the text that gave a byte of a string's value: escapes are longer than what they stand for.
    /// - Parameter utf8Offset: from the start of the value, in UTF-8.
    public func offset(ofByte utf8Offset: Int, in string: JSONSyntax) -> Int {
        var offset = string.offset + 1
        var decoded = 0
        while decoded < utf8Offset, offset < string.end {
            guard bytes[offset] == UInt8(ascii: "\\"), offset + 1 < string.end else {
                offset += 1
                decoded += 1
                continue
            }
            guard bytes[offset + 1] == UInt8(ascii: "u") else {
                offset += 2
                decoded += 1
                continue
            }
            let digits = String(decoding: bytes[offset + 2..<min(offset + 6, string.end)], as: UTF8.self)
            let unit = UInt32(digits, radix: 16) ?? 0
            let isPair = unit & 0xFC00 == 0xD800
            decoded += isPair ? 4 : Unicode.Scalar(unit).map { UTF8.width($0) } ?? 0
            offset += isPair ? 12 : 6
        }
        return min(offset, string.end)
    }
}
