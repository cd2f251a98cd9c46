/// Fills paragraphs to a width.
enum Wrapping {
    /// The lines of `text`: words moved between lines, paragraphs (blank lines) and indented lines kept.
    static func lines(_ text: String, width: Int, indent: Int = 0) -> [String] {
        var lines: [String] = []
        for paragraph in text.split(separator: "\n", omittingEmptySubsequences: false) {
            lines += fill(paragraph, width: max(20, width - indent))
        }
        let blanks = String(repeating: " ", count: indent)
        return lines.map { $0.isEmpty ? "" : blanks + $0 }
    }

    private static func fill(_ paragraph: Substring, width: Int) -> [String] {
        if paragraph.isEmpty || paragraph.first == " " { return [String(paragraph)] }
        var lines: [String] = []
        var line = ""
        var used = 0
        for word in paragraph.split(separator: " ") {
            let length = DisplayWidth.of(String(word))
            if used > 0, used + 1 + length > width {
                lines.append(line)
                line = ""
                used = 0
            }
            if used > 0 {
                line += " "
                used += 1
            }
            line += word
            used += length
        }
        lines.append(line)
        return lines
    }

    /// Two columns, `term` and what it means, the second wrapped beside the first.
    static func definitions(_ pairs: [(term: String, meaning: String)], width: Int) -> [String] {
        let widest = pairs.map { DisplayWidth.of($0.term) }.max() ?? 0
        let column = min(widest, max(12, width / 3)) + 4
        var lines: [String] = []
        for pair in pairs {
            let meaning = Wrapping.lines(pair.meaning, width: width, indent: column)
            let term = "  " + pair.term
            let room = column - DisplayWidth.of(term)
            if room >= 2, let first = meaning.first {
                lines.append(term + String(repeating: " ", count: room) + first.drop { $0 == " " })
                lines += meaning.dropFirst()
            } else {
                lines.append(term)
                lines += meaning
            }
        }
        return lines
    }
}
