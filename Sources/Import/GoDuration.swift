/// Durations as Go writes them, `1m30s`.
enum GoDuration {
    static func milliseconds(_ text: String) -> Int? {
        var rest = Substring(text)
        var sum = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            let unit = rest.dropFirst(digits.count).prefix { !($0.isNumber || $0 == ".") }
            let factors: [Substring: Double] = [
                "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1, "us": 0.001, "µs": 0.001, "ns": 0.000_001,
            ]
            guard let number = Double(digits), let factor = factors[unit] else { return nil }
            sum += number * factor
            rest = rest.dropFirst(digits.count + unit.count)
        }
        return sum < 86_400_000 ? Int(sum) : nil
    }

    /// As a manifest has it.
    static func text(_ milliseconds: Int) -> String {
        milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms"
    }
}
