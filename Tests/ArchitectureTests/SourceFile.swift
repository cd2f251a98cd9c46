/// A Swift file with its comments and strings blanked, so that only code is judged.
struct SourceFile {
    /// Something found on a line, which counts from 1.
    struct Finding: Equatable {
        var line: Int
        var text: String
    }

    /// For messages: `Sources/Plan/Plan.swift`.
    let path: String
    /// The folder below Sources.
    let room: String
    private let lines: [Substring]

    init(path: String, room: String, text: String) {
        self.path = path
        self.room = room
        lines = codeOnly(text).split(separator: "\n", omittingEmptySubsequences: false)
    }

    var lineCount: Int { lines.last == "" ? lines.count - 1 : lines.count }

    /// The modules named by import statements, whatever stands before (`@testable`, `public`) or after (`struct`) the
    /// word; of a submodule the first part.
    var imports: [Finding] {
        findings { words in
            guard let at = words.firstIndex(of: "import"), words[..<at].allSatisfy(isModifier) else { return nil }
            let rest = words[(at + 1)...].drop { kinds.contains(String($0)) }
            return rest.first?.split(separator: ".").first.map(String.init)
        }
    }

    /// `#if` and `#elseif` lines that ask for the operating system, the machine or a module.
    var platformConditions: [Finding] {
        findings { words in
            guard let first = words.first, first == "#if" || first == "#elseif" else { return nil }
            let whole = words.joined(separator: " ")
            let asks = ["os(", "canImport(", "arch(", "targetEnvironment("].contains { whole.contains($0) }
            return asks ? whole : nil
        }
    }

    private func findings(_ judge: ([Substring]) -> String?) -> [Finding] {
        var found: [Finding] = []
        for (index, line) in lines.enumerated() {
            for statement in line.split(separator: ";") {
                let words = statement.split { $0 == " " || $0 == "\t" }
                if let text = judge(words) { found.append(Finding(line: index + 1, text: text)) }
            }
        }
        return found
    }
}

private let kinds: Set<String> = ["typealias", "struct", "class", "enum", "protocol", "let", "var", "func"]

private func isModifier(_ word: Substring) -> Bool {
    word.hasPrefix("@") || ["public", "package", "internal", "fileprivate", "private"].contains(word)
}

/// The text with comments and string literals left out and line ends kept.
///
/// Knows nested block comments, escapes, `"""` and raw strings; an interpolation is taken for a part of its string,
/// which is good enough where no quote stands in one that could end the line's string early.
private func codeOnly(_ text: String) -> String {
    let bytes = Array(text.utf8)
    var kept: [UInt8] = []
    var at = 0

    func has(_ prefix: StaticString) -> Bool {
        let wanted = UnsafeBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount)
        return bytes[at...].starts(with: wanted)
    }

    func skipLine() {
        while at < bytes.count, bytes[at] != newLine { at += 1 }
    }

    func skipBlock() {
        var depth = 0
        repeat {
            if has("/*") {
                depth += 1
                at += 2
            } else if has("*/") {
                depth -= 1
                at += 2
            } else {
                if bytes[at] == newLine { kept.append(newLine) }
                at += 1
            }
        } while depth > 0 && at < bytes.count
    }

    /// From a string's opening quotes, with `pounds` before them, to behind its end.
    func skipString(pounds: Int) {
        let quotes = has("\"\"\"") ? 3 : 1
        let end = Array(repeating: quote, count: quotes) + Array(repeating: pound, count: pounds)
        let escape = [backslash] + Array(repeating: pound, count: pounds)
        at += quotes
        while at < bytes.count, !bytes[at...].starts(with: end) {
            if bytes[at] == newLine {
                // A string on one line that has no end on it: what was taken for a quote was none.
                if quotes == 1 { return }
                kept.append(newLine)
            }
            at += bytes[at...].starts(with: escape) ? escape.count + 1 : 1
        }
        at = min(at + end.count, bytes.count)
    }

    while at < bytes.count {
        if has("//") {
            skipLine()
        } else if has("/*") {
            skipBlock()
        } else if bytes[at] == quote {
            skipString(pounds: 0)
        } else if bytes[at] == pound {
            let pounds = bytes[at...].prefix { $0 == pound }.count
            if at + pounds < bytes.count, bytes[at + pounds] == quote {
                at += pounds
                skipString(pounds: pounds)
            } else {
                kept += bytes[at..<(at + pounds)]
                at += pounds
            }
        } else {
            kept.append(bytes[at])
            at += 1
        }
    }
    return String(decoding: kept, as: UTF8.self)
}

private let newLine = UInt8(ascii: "\n")
private let quote = UInt8(ascii: "\"")
private let pound = UInt8(ascii: "#")
private let backslash = UInt8(ascii: "\\")
