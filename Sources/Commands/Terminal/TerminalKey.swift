/// A key that was pressed.
enum TerminalKey: Equatable {
    case character(Character)
    case enter, escape, backspace
    /// Tab, → or ↓; Shift-Tab, ← or ↑.
    case next, previous
    /// ^Z, which is no signal with `TerminalSettings.stopIsKey`.
    case suspend
    case other

    /// The keys in what one read(2) gave; pure. Terminals send a key's sequence at once, so an escape that nothing
    /// follows is the key.
    static func keys(in bytes: [UInt8]) -> [TerminalKey] {
        var keys: [TerminalKey] = []
        var rest = bytes[...]
        while let first = rest.popFirst() {
            switch first {
            case 0x0D, 0x0A: keys.append(.enter)
            case 0x7F, 0x08: keys.append(.backspace)
            case 0x09: keys.append(.next)
            case 0x1A: keys.append(.suspend)
            case 0x1B: keys.append(sequence(&rest))
            case ..<0x20: keys.append(.other)
            default:
                let count = first < 0x80 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3
                let text = String(decoding: [first] + rest.prefix(count), as: UTF8.self)
                rest = rest.dropFirst(count)
                keys.append(text.count == 1 ? .character(text.first!) : .other)
            }
        }
        return keys
    }

    /// What follows an escape: `[ … letter` or `O letter` (ECMA-48 §5.4).
    private static func sequence(_ rest: inout ArraySlice<UInt8>) -> TerminalKey {
        guard let kind = rest.first, kind == UInt8(ascii: "[") || kind == UInt8(ascii: "O") else { return .escape }
        rest = rest.dropFirst()
        while let byte = rest.popFirst() {
            guard (0x40...0x7E).contains(byte) else { continue }
            switch byte {
            case UInt8(ascii: "C"), UInt8(ascii: "B"): return .next
            case UInt8(ascii: "D"), UInt8(ascii: "A"), UInt8(ascii: "Z"): return .previous
            default: return .other
            }
        }
        return .other
    }
}

/// The keys in what is typed. What is pasted is none, where the terminal tells (`TerminalSettings.markingPastes`); pure.
struct TypedKeys {
    private static let begin = Array("\u{1B}[200~".utf8)
    private static let end = Array("\u{1B}[201~".utf8)

    private var isPasting = false
    /// What may be the beginning of a mark, whose rest comes with the next read.
    private var tail: [UInt8] = []
    /// Whether `tail` begins with an escape that was told as a key, as nothing followed it.
    private var isEscapeTold = false

    /// - Parameter bytes: what one read(2) gave.
    mutating func keys(in bytes: [UInt8]) -> [TerminalKey] {
        var keys: [TerminalKey] = []
        var rest = (tail + bytes)[...]
        if isEscapeTold, !rest.starts(with: Self.begin), !Self.begin.starts(with: rest) {
            rest = rest.dropFirst()
            isEscapeTold = false
        }
        while let found = rest.firstRange(of: isPasting ? Self.end : Self.begin) {
            if !isPasting { keys += TerminalKey.keys(in: Array(rest[..<found.lowerBound])) }
            isPasting.toggle()
            isEscapeTold = false
            rest = rest[found.upperBound...]
        }
        let mark = isPasting ? Self.end : Self.begin
        let count = (1..<mark.count).last { rest.suffix($0).elementsEqual(mark.prefix($0)) } ?? 0
        tail = Array(rest.suffix(count))
        if isPasting { return keys }
        if count == 1 { isEscapeTold = true } else { rest = rest.dropLast(count) }
        return keys + TerminalKey.keys(in: Array(rest))
    }
}
