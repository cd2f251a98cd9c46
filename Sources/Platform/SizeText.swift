/// Bytes as tables and sentences show them.
public enum SizeText {
    /// Three digits at most: `512B`, `9.4MB`, `128MB`, `1.2GB`; 1 KB is 1024 bytes.
    public static func short(_ bytes: Int) -> String {
        let units = ["B", "KB", "MB", "GB", "TB"]
        var value = Double(bytes)
        var unit = 0
        while value >= 999.5, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return unit > 0 && value < 9.95 ? DecimalText.one(value) + units[unit] : "\(Int(value.rounded()))" + units[unit]
    }
}

/// Numbers with one decimal place.
public enum DecimalText {
    public static func one(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(abs(tenths % 10))"
    }
}
