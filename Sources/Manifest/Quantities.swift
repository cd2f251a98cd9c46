/// Texts that say how long or how much.
public enum Quantities {
    static let durationPattern = "^[0-9]{1,9}(ms|s|m|h)$"
    static let sizePattern = "^[0-9]{1,9}(B|KB|MB|GB)$"

    /// Reads `200ms`, `5s`, `2m` or `1h`.
    public static func duration(_ text: String) -> Duration? {
        guard let (count, unit) = split(text) else { return nil }
        switch unit {
        case "ms": return .milliseconds(count)
        case "s": return .seconds(count)
        case "m": return .seconds(count * 60)
        case "h": return .seconds(count * 3600)
        default: return nil
        }
    }

    /// Reads `64KB`, `256MB` or `1GB` (powers of 1024) as bytes.
    public static func size(_ text: String) -> Int? {
        guard let (count, unit) = split(text) else { return nil }
        switch unit {
        case "B": return count
        case "KB": return count << 10
        case "MB": return count << 20
        case "GB": return count << 30
        default: return nil
        }
    }

    private static func split(_ text: String) -> (count: Int, unit: Substring)? {
        let digits = text.utf8.prefix { $0.isDigit }
        guard 1...9 ~= digits.count, let count = Int(Substring(digits)) else { return nil }
        return (count, text.dropFirst(digits.count))
    }
}
