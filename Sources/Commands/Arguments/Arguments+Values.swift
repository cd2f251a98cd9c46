/// Values that are more than text; what can't be read is wrong usage.
extension Arguments {
    /// A whole number from 0 up.
    func count(_ option: String) throws(UsageError) -> Int? {
        guard let text = value(option) else { return nil }
        guard let number = Int(text), number >= 0, text.utf8.first != UInt8(ascii: "+") else {
            throw .invalidValue(text, of: "--" + option, expected: "a number, as 20")
        }
        return number
    }

    func duration(_ option: String) throws(UsageError) -> Duration? {
        guard let text = value(option) else { return nil }
        guard let duration = DurationText.parse(text) else {
            throw .invalidValue(text, of: "--" + option, expected: "a span of time, as 500ms, 30s or 2m")
        }
        return duration
    }
}
