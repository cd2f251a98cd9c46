/// The variables that devmesh itself gives to a service (contract §4). A manifest may name them in `${}` of `env` and
/// of array `run` and `build`, though their values are known only when a process is started. Until then such a text
/// holds a reference: the name between two NULs, which no argument or variable can hold otherwise.
public enum Injected {
    private static let mark: Character = "\0"

    /// Whether the name is devmesh's own: `PORT` and all of `SERVICE_*`. A manifest cannot set these.
    public static func isReserved(_ name: String) -> Bool {
        name == "PORT" || name.hasPrefix("SERVICE_")
    }

    /// What stands in a text for a value that comes later.
    static func reference(to name: String) -> String {
        "\(mark)\(name)\(mark)"
    }

    /// Puts values in place of a text's references; nothing in place of those that `value` does not know. A text
    /// without references comes back as it is.
    public static func resolve(_ text: String, _ value: (String) -> String?) -> String {
        guard text.utf8.contains(0) else { return text }
        var result = ""
        for (index, piece) in text.split(separator: mark, omittingEmptySubsequences: false).enumerated() {
            result += index.isMultiple(of: 2) ? String(piece) : value(String(piece)) ?? ""
        }
        return result
    }

    /// Writes the references of a text as the manifest has them, `${PORT}`: for people.
    public static func display(_ text: String) -> String {
        resolve(text) { "${\($0)}" }
    }

    /// The part of a variable's name that says which service: `reader-2` → `READER_2`, as in
    /// `SERVICE_READER_2_ADDRESS`.
    public static func stem(of service: String) -> String {
        let bytes = service.utf8.map { $0.isWordByte ? $0.asciiUppercased : UInt8(ascii: "_") }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Command {
    /// The command with values in place of injected variables.
    /// - Parameter value: gives the value of an injected variable of the instance, as `PORT`.
    public func resolved(_ value: (String) -> String?) -> Command {
        switch self {
        case .shell: self
        case .argv(let words): .argv(words.map { Injected.resolve($0, value) })
        }
    }
}
