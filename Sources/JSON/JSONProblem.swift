/// What is wrong with a JSON text, in words for people.
public enum JSONProblem: Sendable, Equatable {
    case empty
    case noValue(found: String)
    case unknownWord(String)
    case malformedNumber(String)
    case numberOutOfRange(String)
    case unterminatedString
    case singleQuotes
    case controlCharacter(UInt8)
    case unknownEscape(String)
    case loneSurrogate(String)
    case invalidUTF8
    case noName(found: String)
    case unquotedName(String)
    case missingColon(found: String)
    case missingComma(found: String)
    case extraComma
    case trailingComma
    case comment
    case hashComment
    case unterminatedComment
    case unclosed(bracket: String, line: Int, column: Int)
    case mismatched(found: String, bracket: String, line: Int, column: Int)
    case strayBracket(String)
    case trailingText(String)
    case tooDeep(limit: Int)
}

extension JSONProblem {
    /// What should have stood there.
    public var expected: String {
        switch self {
        case .empty, .noValue, .unknownWord: "a value"
        case .malformedNumber: "a number"
        case .numberOutOfRange: "a number that fits 64 bits"
        case .unterminatedString: "a closing \""
        case .singleQuotes: "a string in double quotes"
        case .controlCharacter, .loneSurrogate: "a character"
        case .unknownEscape: "an escape"
        case .invalidUTF8: "UTF-8"
        case .noName, .unquotedName: "a name in double quotes"
        case .missingColon: "a : after the name"
        case .missingComma: "a comma or the closing bracket"
        case .extraComma, .trailingComma: "a value after the comma"
        case .comment: "a value"
        case .hashComment: "// before a comment"
        case .unterminatedComment: "a closing */"
        case .unclosed(let bracket, _, _), .mismatched(_, let bracket, _, _):
            "a closing \(bracket == "{" ? "}" : "]")"
        case .strayBracket(let bracket): "nothing to close, or an opening \(bracket == "}" ? "{" : "[") before"
        case .trailingText: "the end of the file"
        case .tooDeep(let limit): "at most \(limit) levels of nesting"
        }
    }

    /// What stands there instead.
    public var found: String {
        switch self {
        case .empty: "nothing"
        case .noValue(let found), .noName(let found), .missingColon(let found), .missingComma(let found): found
        case .unknownWord(let text), .malformedNumber(let text), .numberOutOfRange(let text),
            .unquotedName(let text), .unknownEscape(let text), .strayBracket(let text), .trailingText(let text):
            text
        case .unterminatedString: "the end of the line"
        case .singleQuotes: "single quotes"
        case .controlCharacter(let byte): "the control character \(JSONProblem.escape(byte))"
        case .loneSurrogate(let text): "\(text), half of a surrogate pair"
        case .invalidUTF8: "a byte that is not"
        case .extraComma: "another comma"
        case .trailingComma: "a closing bracket"
        case .comment: "a comment"
        case .hashComment: "#"
        case .mismatched(let found, _, _, _): found
        case .unterminatedComment, .unclosed: "the end of the file"
        case .tooDeep: "more"
        }
    }

    /// What to do about it.
    public var mend: String {
        switch self {
        case .empty: "Write an object, at least {}"
        case .noValue, .noName, .strayBracket, .extraComma: "Remove it, or complete what stands before it"
        case .unknownWord(let word): "Put \"\" around it if \(word) is text"
        case .malformedNumber: "Write it as 80 or 0.5, or put \"\" around it if it is text"
        case .numberOutOfRange: "Write a smaller number"
        case .unterminatedString: "Close the string on the line it began on; write \\n for a line break"
        case .singleQuotes: "Use \" instead of '"
        case .controlCharacter(let byte): "Write \(JSONProblem.escape(byte))"
        case .unknownEscape: "Write \\\\ for a backslash; known are \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX"
        case .loneSurrogate: "Write both halves, or the character itself"
        case .invalidUTF8: "Save the file as UTF-8"
        case .unquotedName(let name): "Write \"\(name)\""
        case .missingColon: "Write \"name\": value"
        case .missingComma: "Put a comma between the two"
        case .trailingComma: "Remove the comma"
        case .comment: "Remove the comment"
        case .hashComment: "Write // instead of #"
        case .unterminatedComment: "Close the comment"
        case .unclosed(let bracket, let line, let column), .mismatched(_, let bracket, let line, let column):
            "Close the \(bracket) of line \(line), column \(column)"
        case .trailingText: "Remove what stands after the closing bracket"
        case .tooDeep: "Flatten it"
        }
    }

    /// Writes a control character the way JSON wants it.
    static func escape(_ byte: UInt8) -> String {
        switch byte {
        case 0x08: "\\b"
        case 0x09: "\\t"
        case 0x0A: "\\n"
        case 0x0C: "\\f"
        case 0x0D: "\\r"
        default: "\\u00" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
    }
}

/// Why a text is not JSON, and where: `offset` in bytes from 0, line and column from 1 (columns in Unicode scalars).
public struct JSONError: Error, Equatable, CustomStringConvertible {
    public var problem: JSONProblem
    public var offset: Int
    public var line: Int
    public var column: Int

    /// `3:7: expected a value, found tru. Put "" around it if tru is text.`
    public var description: String {
        "\(line):\(column): expected \(problem.expected), found \(problem.found). \(problem.mend)."
    }
}
