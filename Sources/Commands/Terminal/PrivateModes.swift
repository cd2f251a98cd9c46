/// Follows which modes a program sets on a terminal (`CSI ? … h` and `l`: another screen, no cursor, mouse reports), so
/// that whoever leaves it can put them back. Pure.
struct PrivateModes {
    /// Automatic wrapping and the visible cursor; all others are off where nobody sets them.
    private static let onAtFirst: Set<Int> = [7, 25]
    /// Longer sequences are none.
    private static let longest = 32

    private enum State {
        case text, escape, control
        case parameters([UInt8])
    }

    private var state = State.text
    private var modes: [Int: Bool] = [:]

    mutating func feed(_ bytes: [UInt8]) {
        for byte in bytes {
            switch (state, byte) {
            case (_, 0x1B): state = .escape
            case (.text, _): break
            case (.escape, UInt8(ascii: "[")): state = .control
            case (.control, UInt8(ascii: "?")): state = .parameters([])
            case (.parameters(let digits), 0x30...0x3B) where digits.count < Self.longest:
                state = .parameters(digits + [byte])
            case (.parameters(let digits), UInt8(ascii: "h")): set(digits, true)
            case (.parameters(let digits), UInt8(ascii: "l")): set(digits, false)
            default: state = .text
            }
        }
    }

    private mutating func set(_ digits: [UInt8], _ isOn: Bool) {
        for number in String(decoding: digits, as: UTF8.self).split(separator: ";") {
            if let mode = Int(number) { modes[mode] = isOn }
        }
        state = .text
    }

    /// What brings a terminal back that was fed the same.
    var undoing: String {
        modes.sorted { $0.key < $1.key }.reduce(into: "") { text, mode in
            let standard = Self.onAtFirst.contains(mode.key)
            if mode.value != standard { text += "\u{1B}[?\(mode.key)\(standard ? "h" : "l")" }
        }
    }
}
