/// `$` in texts that devmesh expands.
enum Dollars {
    /// A text that stands for itself.
    static func escaped(_ text: String) -> String { text.replacing("$", with: "$$") }

    /// A text in which the source has `$$` for a dollar, and no references.
    static func unescaped(_ text: String) -> String { text.replacing("$$", with: "$") }

    /// A text in which the source expands `$NAME`, `${NAME}` and `${NAME:-x}`, unset names to nothing, and `$$` is a
    /// dollar. Other forms stand for themselves.
    static func template(_ text: String) -> String {
        var result = ""
        var rest = Substring(text)
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...].dropFirst()
            let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
            if rest.first == "$" {
                result += "$$"
                rest = rest.dropFirst()
            } else if let first = name.first, !first.isNumber {
                result += "${\(name):-}"
                rest = rest.dropFirst(name.count)
            } else if let reference = reference(at: &rest) {
                result += reference
            } else {
                result += "$$"
            }
        }
        return result + rest
    }

    /// What begins with `{`, where it is `{NAME}` or `{NAME:-x}`.
    private static func reference(at rest: inout Substring) -> String? {
        guard rest.first == "{", let end = rest.firstIndex(of: "}") else { return nil }
        let inner = rest[..<end].dropFirst()
        let name = inner.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        let fallback = inner.dropFirst(name.count)
        guard let first = name.first, !first.isNumber, fallback.isEmpty || fallback.hasPrefix(":-") else { return nil }
        rest = rest[end...].dropFirst()
        return "${\(name)\(fallback.isEmpty ? ":-" : String(fallback))}"
    }
}
