/// Parts that several sentences share.
enum Phrase {
    /// `a, b or c`
    static func list(_ words: [String], joined last: String) -> String {
        guard words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " \(last) " + words[words.count - 1]
    }

    /// `1 service`, `3 services`
    static func count(_ number: Int, _ noun: String) -> String { number == 1 ? "1 \(noun)" : "\(number) \(noun)s" }

    /// A sentence that goes on: the full stop taken away.
    static func withoutStop(_ text: String) -> String { text.hasSuffix(".") ? String(text.dropLast()) : text }

    /// Who is spoken of: the command, or devmesh where none was named.
    static func subject(_ command: String?) -> String { command.map { "`devmesh \($0)`" } ?? "devmesh" }

    /// The line that shows the help.
    static func help(_ command: String?) -> String { command.map { "devmesh \($0) --help" } ?? "devmesh help" }
}
