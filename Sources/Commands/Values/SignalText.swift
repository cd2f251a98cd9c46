import Platform

/// Signals as the manifest writes them.
enum SignalText {
    /// `TERM`
    static func name(_ number: Int32) -> String {
        let name = Signal(number).description
        return name.hasPrefix("SIG") ? String(name.dropFirst(3)) : String(number)
    }
}
