/// What can go wrong with logs; `description` is a sentence for users.
public enum LogError: Error, Sendable, Equatable, CustomStringConvertible {
    /// `--since` or `--until`.
    case badTime(String)
    /// `--grep` or `ready: {log}`, with what the compiler of expressions said.
    case badPattern(String, reason: String)

    public var description: String {
        switch self {
        case .badTime(let text):
            "\"\(text)\" is not a time. Write RFC 3339 (2026-11-21T11:30:00Z) or how long ago it was (5m, 1h30m, 2d)."
        case .badPattern(let pattern, let reason):
            "\"\(pattern)\" is not a regular expression: \(reason). Put a backslash before characters meant literally."
        }
    }
}
