/// Reads a JSON text for `JSONDocument` and mends what it can: after a fault it goes on where the next member or
/// element seems to begin, and does not report what only follows from the fault.
struct JSONSyntaxParser {
    private var scanner: JSONScanner
    private let maximumDepth: Int
    /// The open brackets, outermost first.
    private var open: [(bracket: UInt8, offset: Int)] = []
    /// By the fault's index: the offset of the bracket that it speaks of.
    private var openings: [Int: Int] = [:]

    struct Fault {
        var offset: Int
        var problem: JSONProblem
        /// Where the bracket stands that `problem` speaks of.
        var opening: Int?
    }

    /// In the order of the text.
    var faults: [Fault] {
        scanner.faults.prefix(JSONDocument.maximumErrors).enumerated().map { index, fault in
            Fault(offset: fault.offset, problem: fault.problem, opening: openings[index])
        }.sorted { $0.offset < $1.offset }
    }

    init(_ bytes: [UInt8], maximumDepth: Int) {
        scanner = JSONScanner(bytes)
        self.maximumDepth = maximumDepth
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { scanner.offset = 3 }
    }

    mutating func document() -> JSONSyntax {
        if scanner.bytes.starts(with: [0xFF, 0xFE]) || scanner.bytes.starts(with: [0xFE, 0xFF]) {
            report(.invalidUTF8)
            return JSONSyntax(kind: .invalid, offset: 0, end: 0)
        }
        skipTrivia()
        guard scanner.byte != nil else {
            report(.empty)
            return JSONSyntax(kind: .invalid, offset: scanner.offset, end: scanner.offset)
        }
        let root = value()
        skipTrivia()
        if scanner.byte != nil, !hasGivenUp { report(.trailingText(scanner.describeHere())) }
        return root
    }

    private var hasGivenUp: Bool { scanner.faults.count >= JSONDocument.maximumErrors }

    private mutating func report(_ problem: JSONProblem, opening: Int? = nil) {
        openings[scanner.faults.count] = opening
        scanner.report(problem, at: scanner.offset)
    }

    private mutating func value() -> JSONSyntax {
        let start = scanner.offset
        let kind = kind()
        return JSONSyntax(kind: kind, offset: start, end: scanner.offset)
    }

    private mutating func kind() -> JSONSyntax.Kind {
        guard let byte = scanner.byte else { return .invalid }
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard open.count < maximumDepth else {
                report(.tooDeep(limit: maximumDepth))
                skipBrackets()
                return .invalid
            }
            open.append((byte, scanner.offset))
            scanner.offset += 1
            defer { open.removeLast() }
            return byte == UInt8(ascii: "{") ? .object(members()) : .array(elements())
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            let text = string()
            return text.map { .string($0) } ?? .invalid
        case UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return switch scanner.number() {
            case .int(let value): .int(value)
            case .double(let value): .double(value)
            case nil: .invalid
            }
        case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"):
            report(.noValue(found: scanner.describeHere()))
            return .invalid
        default: return word()
        }
    }

    private mutating func word() -> JSONSyntax.Kind {
        let start = scanner.offset
        let word = scanner.text(scanner.skipWord())
        switch word {
        case "true": return .bool(true)
        case "false": return .bool(false)
        case "null": return .null
        case "":
            report(.noValue(found: scanner.describeHere()))
            scanner.offset += 1
        default: scanner.report(.unknownWord(word), at: start)
        }
        return .invalid
    }

    /// Nil where it could not be read whole.
    private mutating func string() -> String? {
        if scanner.byte == UInt8(ascii: "'") { report(.singleQuotes) }
        let faults = scanner.faults.count
        let text = scanner.string()
        return scanner.faults.count == faults ? text : nil
    }

    private mutating func elements() -> [JSONSyntax] {
        var elements: [JSONSyntax] = []
        while next(before: UInt8(ascii: "]")) {
            let faults = scanner.faults.count
            elements.append(value())
            comma(isSound: scanner.faults.count == faults || isClosed(elements.last))
        }
        return elements
    }

    private mutating func members() -> [JSONSyntax.Member] {
        var members: [JSONSyntax.Member] = []
        while next(before: UInt8(ascii: "}")) {
            let faults = scanner.faults.count
            let member = member()
            if let member { members.append(member) }
            comma(isSound: scanner.faults.count == faults || isClosed(member?.value))
        }
        return members
    }

    private mutating func member() -> JSONSyntax.Member? {
        let start = scanner.offset
        var name = ""
        if scanner.byte == UInt8(ascii: "\"") || scanner.byte == UInt8(ascii: "'") {
            name = string() ?? ""
        } else {
            let word = scanner.skipWord()
            name = String(decoding: scanner.bytes[word], as: UTF8.self)
            if word.isEmpty {
                report(.noName(found: scanner.describeHere()))
                if scanner.byte != UInt8(ascii: ":") {
                    _ = value()
                    return nil
                }
            } else {
                scanner.report(.unquotedName(scanner.text(word)), at: start)
            }
        }
        skipTrivia()
        if scanner.byte == UInt8(ascii: ":") {
            scanner.offset += 1
        } else {
            report(.missingColon(found: scanner.describeHere()))
            if scanner.byte == UInt8(ascii: "=") { scanner.offset += 1 }
            if scanner.byte == UInt8(ascii: ",") || scanner.byte == UInt8(ascii: "}") {
                return .init(
                    name: name, nameOffset: start,
                    value: JSONSyntax(kind: .invalid, offset: scanner.offset, end: scanner.offset))
            }
        }
        skipTrivia()
        return JSONSyntax.Member(name: name, nameOffset: start, value: value())
    }

    /// Whether an element or member comes; else the bracket has been closed, as well as it could be.
    private mutating func next(before closing: UInt8) -> Bool {
        while true {
            skipTrivia()
            if hasGivenUp { scanner.offset = scanner.bytes.count }
            guard let byte = scanner.byte else {
                if !hasGivenUp { reportUnclosed() }
                return false
            }
            switch byte {
            case closing:
                scanner.offset += 1
                return false
            case UInt8(ascii: ","):
                report(.extraComma)
                scanner.offset += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                let opener = byte == UInt8(ascii: "}") ? UInt8(ascii: "{") : UInt8(ascii: "[")
                if open.dropLast().contains(where: { $0.bracket == opener }) {
                    report(
                        .mismatched(found: scanner.describeHere(), bracket: bracketName, line: 0, column: 0),
                        opening: open.last?.offset)
                    return false
                }
                if scanner.faults.last?.offset != scanner.offset {
                    report(.strayBracket(scanner.describeHere()))
                }
                scanner.offset += 1
            default: return true
            }
        }
    }

    /// The end of the file closes all brackets; only the innermost is worth a sentence.
    private mutating func reportUnclosed() {
        if case .unclosed = scanner.faults.last?.problem { return }
        report(.unclosed(bracket: bracketName, line: 0, column: 0), opening: open.last?.offset)
    }

    private var bracketName: String {
        open.last?.bracket == UInt8(ascii: "{") ? "{" : "["
    }

    /// Whether an array or object got its closing bracket, whatever was wrong within.
    private func isClosed(_ value: JSONSyntax?) -> Bool {
        switch value?.kind {
        case .array: scanner.bytes[value!.end - 1] == UInt8(ascii: "]")
        case .object: scanner.bytes[value!.end - 1] == UInt8(ascii: "}")
        default: false
        }
    }

    /// Reads the comma behind a value.
    /// - Parameter isSound: whether the value was read well, so that something else here is a fault of its own.
    private mutating func comma(isSound: Bool) {
        skipTrivia()
        guard let byte = scanner.byte else { return }
        switch byte {
        case UInt8(ascii: ","): scanner.offset += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"): break
        default:
            if isSound { report(.missingComma(found: scanner.describeHere())) }
            if !isSound || byte == UInt8(ascii: ":") { resynchronise() }
        }
    }

    /// After a fault: skips to the comma, closing bracket or line end where something new may begin.
    private mutating func resynchronise() {
        while let byte = scanner.byte {
            switch byte {
            case UInt8(ascii: ","):
                scanner.offset += 1
                return
            case UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: "\""), 0x0A: return
            case UInt8(ascii: "{"), UInt8(ascii: "["): skipBrackets()
            default: scanner.offset += 1
            }
        }
    }

    /// Skips an array or object of any depth without reading it.
    private mutating func skipBrackets() {
        var depth = 0
        while let byte = scanner.byte {
            switch byte {
            case UInt8(ascii: "\""):
                skipString()
                continue
            case UInt8(ascii: "/"):
                let start = scanner.offset
                skipTrivia()
                if scanner.offset > start { continue }
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
            scanner.offset += 1
            if depth == 0 { return }
        }
    }

    private mutating func skipString() {
        scanner.offset += 1
        while let byte = scanner.byte, byte != 0x0A {
            let isEscape = byte == UInt8(ascii: "\\") && scanner.offset + 1 < scanner.bytes.count
            scanner.offset += isEscape ? 2 : 1
            if byte == UInt8(ascii: "\"") { return }
        }
    }

    private mutating func skipTrivia() {
        while true {
            scanner.skipSpace()
            guard let byte = scanner.byte else { return }
            if byte == UInt8(ascii: "#") {
                report(.hashComment)
                skipLine()
                continue
            }
            guard byte == UInt8(ascii: "/"), scanner.offset + 1 < scanner.bytes.count else { return }
            switch scanner.bytes[scanner.offset + 1] {
            case UInt8(ascii: "/"): skipLine()
            case UInt8(ascii: "*"): skipBlockComment()
            default: return
            }
        }
    }

    private mutating func skipLine() {
        while let byte = scanner.byte, byte != 0x0A { scanner.offset += 1 }
    }

    private mutating func skipBlockComment() {
        let start = scanner.offset
        scanner.offset += 2
        while scanner.offset + 1 < scanner.bytes.count {
            if scanner.bytes[scanner.offset] == UInt8(ascii: "*"),
                scanner.bytes[scanner.offset + 1] == UInt8(ascii: "/")
            {
                scanner.offset += 2
                return
            }
            scanner.offset += 1
        }
        scanner.offset = scanner.bytes.count
        scanner.report(.unterminatedComment, at: start)
    }
}

extension JSONProblem {
    /// The same with the place of the bracket that it speaks of.
    func withOpening(_ position: TextPosition) -> JSONProblem {
        switch self {
        case .unclosed(let bracket, _, _):
            .unclosed(bracket: bracket, line: position.line, column: position.column)
        case .mismatched(let found, let bracket, _, _):
            .mismatched(found: found, bracket: bracket, line: position.line, column: position.column)
        default: self
        }
    }
}
