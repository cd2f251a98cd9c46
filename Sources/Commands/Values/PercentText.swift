import Platform

/// Parts of a hundred.
enum PercentText {
    /// `10%`, `0.5%`, `33.3%`; what is less than a tenth of one, in full.
    static func of(_ percent: Double) -> String {
        if percent == percent.rounded() { return "\(Int(percent))%" }
        return (percent < 0.1 ? "\(percent)" : DecimalText.one(percent)) + "%"
    }
}
