extension JSON {
    /// Parses one JSON text, strictly as RFC 8259 has it: no comments, no trailing commas, nothing behind it.
    ///
    /// Repeated names are kept. Whole numbers that do not fit 64 bits become doubles. Lone surrogates are refused,
    /// since a `String` cannot hold them.
    /// - Parameter maximumDepth: how many arrays and objects may stand in one another.
    public init(parsing bytes: [UInt8], maximumDepth: Int = 128) throws(JSONError) {
        var parser = StrictParser(scanner: JSONScanner(bytes), maximumDepth: maximumDepth)
        do {
            self = try parser.text()
        } catch {
            throw JSONError(error, in: bytes)
        }
    }

    public init(parsing bytes: some Collection<UInt8>, maximumDepth: Int = 128) throws(JSONError) {
        try self.init(parsing: [UInt8](bytes), maximumDepth: maximumDepth)
    }

    public init(parsing text: String, maximumDepth: Int = 128) throws(JSONError) {
        try self.init(parsing: [UInt8](text.utf8), maximumDepth: maximumDepth)
    }
}

extension JSONError {
    init(_ fault: JSONScanner.Fault, in bytes: [UInt8]) {
        let position = LineMap.position(at: fault.offset, in: bytes)
        self.init(problem: fault.problem, offset: fault.offset, line: position.line, column: position.column)
    }
}

/// Recursive descent; the depth limit keeps the stack small.
private struct StrictParser {
    typealias Fault = JSONScanner.Fault

    var scanner: JSONScanner
    let maximumDepth: Int
    var depth = 0

    mutating func text() throws(Fault) -> JSON {
        scanner.skipSpace()
        if scanner.byte == nil { throw Fault(offset: scanner.offset, problem: .empty) }
        let value = try value()
        scanner.skipSpace()
        if scanner.byte != nil { throw here(.trailingText(scanner.describeHere())) }
        return value
    }

    mutating func value() throws(Fault) -> JSON {
        guard let byte = scanner.byte else { throw here(.noValue(found: scanner.describeHere())) }
        switch byte {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            guard let number = scanner.number() else { throw scanner.faults[0] }
            return switch number {
            case .int(let value): .int(value)
            case .double(let value): .double(value)
            }
        case UInt8(ascii: "a")...UInt8(ascii: "z"): return try literal()
        case UInt8(ascii: "/"): throw here(.comment)
        default: throw here(.noValue(found: scanner.describeHere()))
        }
    }

    mutating func string() throws(Fault) -> String {
        let text = scanner.string()
        if let fault = scanner.faults.first { throw fault }
        return text
    }

    mutating func literal() throws(Fault) -> JSON {
        let start = scanner.offset
        let word = scanner.text(scanner.skipWord())
        switch word {
        case "true": return .bool(true)
        case "false": return .bool(false)
        case "null": return .null
        default: throw Fault(offset: start, problem: .unknownWord(word))
        }
    }

    mutating func array() throws(Fault) -> JSON {
        let opening = try open()
        var elements: [JSON] = []
        if !close(UInt8(ascii: "]")) {
            repeat {
                scanner.skipSpace()
                if scanner.byte == UInt8(ascii: "]") { throw here(.trailingComma) }
                elements.append(try value())
            } while try comma(or: UInt8(ascii: "]"), opening: opening)
        }
        depth -= 1
        return .array(elements)
    }

    mutating func object() throws(Fault) -> JSON {
        let opening = try open()
        var members: [JSON.Member] = []
        if !close(UInt8(ascii: "}")) {
            repeat {
                scanner.skipSpace()
                guard scanner.byte == UInt8(ascii: "\"") else {
                    throw here(
                        scanner.byte == UInt8(ascii: "}") ? .trailingComma : .noName(found: scanner.describeHere()))
                }
                let name = try string()
                scanner.skipSpace()
                guard scanner.byte == UInt8(ascii: ":") else {
                    throw here(.missingColon(found: scanner.describeHere()))
                }
                scanner.offset += 1
                scanner.skipSpace()
                members.append(JSON.Member(name, try value()))
            } while try comma(or: UInt8(ascii: "}"), opening: opening)
        }
        depth -= 1
        return .object(members)
    }

    mutating func open() throws(Fault) -> Int {
        depth += 1
        if depth > maximumDepth { throw here(.tooDeep(limit: maximumDepth)) }
        scanner.offset += 1
        return scanner.offset - 1
    }

    mutating func close(_ bracket: UInt8) -> Bool {
        scanner.skipSpace()
        guard scanner.byte == bracket else { return false }
        scanner.offset += 1
        return true
    }

    /// Whether a comma stood here rather than the closing bracket.
    mutating func comma(or bracket: UInt8, opening: Int) throws(Fault) -> Bool {
        if close(bracket) { return false }
        if scanner.byte == UInt8(ascii: ",") {
            scanner.offset += 1
            return true
        }
        guard scanner.byte != nil else {
            let position = LineMap.position(at: opening, in: scanner.bytes)
            throw here(
                .unclosed(
                    bracket: bracket == UInt8(ascii: "}") ? "{" : "[", line: position.line, column: position.column))
        }
        throw here(.missingComma(found: scanner.describeHere()))
    }

    func here(_ problem: JSONProblem) -> Fault {
        Fault(offset: scanner.offset, problem: problem)
    }
}
