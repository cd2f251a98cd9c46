import Manifest

/// A string command, read just far enough to know whether its shell can be replaced by the program.
enum ShellText {
    /// The text with `exec` put before its program where it is one simple command (POSIX XCU 2.9.1), so that the
    /// process spawned is the program itself and signals reach it; else the text as it is.
    static func replacingShell(_ text: String) -> String {
        let bytes = Array(text.utf8)
        guard let words = words(of: bytes) else { return text }
        guard let program = words.first(where: { !isAssignment(bytes[$0]) }) else { return text }
        let name = String(decoding: bytes[program], as: UTF8.self)
        if shellsOwn.contains(name) || name.utf8.contains(where: { "<>".utf8.contains($0) }) { return text }
        let start = program.lowerBound
        return String(decoding: bytes[..<start], as: UTF8.self) + "exec "
            + String(decoding: bytes[start...], as: UTF8.self)
    }

    /// The ranges of the words; nil where there is more than one simple command, or what is hard to tell.
    private static func words(of bytes: [UInt8]) -> [Range<Int>]? {
        var words: [Range<Int>] = []
        var start: Int?
        var at = 0
        while at < bytes.count {
            let byte = bytes[at]
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"):
                if let begin = start { words.append(begin..<at) }
                start = nil
                at += 1
                continue
            case UInt8(ascii: "'"), UInt8(ascii: "\""):
                guard let end = endOfQuote(bytes, at) else { return nil }
                start = start ?? at
                at = end
            case UInt8(ascii: "\\"):
                start = start ?? at
                at += 2
                continue
            case UInt8(ascii: "$") where at + 1 < bytes.count && bytes[at + 1] == UInt8(ascii: "{"):
                guard let end = bytes[at...].firstIndex(of: UInt8(ascii: "}")) else { return nil }
                start = start ?? at
                at = end
            // `2>&1` is no list.
            case UInt8(ascii: "&") where at > 0 && bytes[at - 1] == UInt8(ascii: ">"): break
            case UInt8(ascii: "&"), UInt8(ascii: ";"), UInt8(ascii: "|"), UInt8(ascii: "("), UInt8(ascii: ")"),
                UInt8(ascii: "`"), UInt8(ascii: "\n"), UInt8(ascii: "#"):
                return nil
            default: start = start ?? at
            }
            at += 1
        }
        if let start { words.append(start..<bytes.count) }
        return words
    }

    /// Where the quote that begins at `start` ends; nil where it doesn't, or commands are run within it.
    private static func endOfQuote(_ bytes: [UInt8], _ start: Int) -> Int? {
        let quote = bytes[start]
        var at = start + 1
        while at < bytes.count {
            if bytes[at] == quote { return at }
            if quote == UInt8(ascii: "\"") {
                if bytes[at] == UInt8(ascii: "`") || bytes[at...].starts(with: "$(".utf8) { return nil }
                if bytes[at] == UInt8(ascii: "\\") { at += 1 }
            }
            at += 1
        }
        return nil
    }

    /// The program that the text begins with, assignments aside; nil where it is the shell's own or hard to tell.
    static func program(of text: String) -> String? {
        for word in text.split(whereSeparator: \.isWhitespace) {
            // Where it is looked for then is the shell's business.
            if word.hasPrefix("PATH=") { return nil }
            if word == "exec" || isAssignment(Array(word.utf8)[...]) { continue }
            // An option of `exec`.
            if word.hasPrefix("-") { return nil }
            let isPlain = word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_./+-@".contains($0)) }
            return isPlain && !shellsOwn.contains(String(word)) ? String(word) : nil
        }
        return nil
    }

    private static func isAssignment(_ word: ArraySlice<UInt8>) -> Bool {
        guard let equals = word.firstIndex(of: UInt8(ascii: "=")) else { return false }
        return Variable.isName(word[..<equals])
    }

    /// Reserved words and built-ins, which `exec` does not know or which mean something else there.
    private static let shellsOwn: Set<String> = [
        "!", "{", "}", "[", "[[", ".", ":", "alias", "bg", "break", "builtin", "case", "cd", "command", "continue",
        "declare", "do", "done", "echo", "elif", "else", "esac", "eval", "exec", "exit", "export", "false", "fg", "fi",
        "for", "function", "getopts", "hash", "if", "jobs", "kill", "let", "local", "popd", "printf", "pushd", "pwd",
        "read", "readonly", "return", "select", "set", "shift", "source", "test", "then", "time", "times", "trap",
        "true", "type", "typeset", "ulimit", "umask", "unalias", "unset", "until", "wait", "while",
    ]
}

extension Command {
    /// The program that it starts with, by name or path, as far as that can be told without running it.
    public var program: String? {
        switch self {
        case .shell(let text): ShellText.program(of: text)
        case .argv(let words): words.first
        }
    }
}
