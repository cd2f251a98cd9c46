/// Durations as people write and read them.
enum DurationText {
    private static let units: [(suffix: String, milliseconds: Double)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    /// Reads `200ms`, `1.5s`, `5m`, `2h30m`; nil where the text is none, or none that a clock can hold.
    static func parse(_ text: String) -> Duration? {
        var rest = Substring(text)
        guard !rest.isEmpty else { return nil }
        var total = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(digits.count)
            let suffix = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(suffix.count)
            guard let number = Double(digits), let unit = units.first(where: { $0.suffix == suffix }) else {
                return nil
            }
            total += number * unit.milliseconds
        }
        guard total < 1e15 else { return nil }
        return .milliseconds(Int64(total.rounded()))
    }

    /// A span as a table shows it, two units at most: `850ms`, `12s`, `3m 20s`, `5h 2m`, `4d 1h`.
    static func short(_ duration: Duration) -> String {
        let seconds = duration.components.seconds
        if seconds < 1 { return "\(max(0, duration.components.attoseconds / 1_000_000_000_000_000))ms" }
        if seconds < 60 { return "\(seconds)s" }
        if seconds < 3600 { return pair(seconds / 60, "m", seconds % 60, "s") }
        if seconds < 86400 { return pair(seconds / 3600, "h", seconds % 3600 / 60, "m") }
        return pair(seconds / 86400, "d", seconds % 86400 / 3600, "h")
    }

    /// As the manifest would write it, with nothing rounded away above a millisecond: `1500ms`, `30s`, `2m`.
    static func exact(_ duration: Duration) -> String {
        let milliseconds = Int64(duration.wholeMilliseconds)
        let fitting = units.last { unit in
            milliseconds > 0 && milliseconds % Int64(unit.milliseconds) == 0 && unit.suffix != "d"
        }
        guard let unit = fitting else { return "\(milliseconds)ms" }
        return "\(milliseconds / Int64(unit.milliseconds))\(unit.suffix)"
    }

    private static func pair(_ big: Int64, _ bigUnit: String, _ small: Int64, _ smallUnit: String) -> String {
        small == 0 ? "\(big)\(bigUnit)" : "\(big)\(bigUnit) \(small)\(smallUnit)"
    }
}

extension Duration {
    /// Rounded down.
    var wholeMilliseconds: Int {
        Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000)
    }
}
