/// Finds ctrl-P ctrl-Q in what is typed, also where a program has the terminal say keys in another way: xterm's
/// modifyOtherKeys (`CSI 27;5;112~`) and kitty's keyboard protocol (`CSI 112;5u`). Pure.
///
/// A terminal sends a key's sequence at once: one that a read(2) cuts is passed on as it is.
struct DetachKeys {
    private enum Key {
        case first, second
        /// That a key was let go, or one that alone types nothing.
        case silent
        case other
    }

    /// The first key, and what is silent behind it: waits for what comes next.
    private var held: [UInt8] = []

    /// - Returns: what is to be passed on, and whether the keys were typed; what follows them is dropped.
    mutating func feed(_ typed: [UInt8]) -> (bytes: [UInt8], isDetached: Bool) {
        var bytes: [UInt8] = []
        var rest = typed[...]
        while !rest.isEmpty {
            let sent = rest.prefix(Self.length(of: rest))
            rest = rest.dropFirst(sent.count)
            switch Self.key(sent) {
            case .second where !held.isEmpty: return (bytes, true)
            case .silent where !held.isEmpty: held += sent
            case .first:
                bytes += held
                held = Array(sent)
            default:
                bytes += held + sent
                held = []
            }
        }
        return (bytes, false)
    }

    /// A byte, or a whole control sequence (ECMA-48 §5.4).
    private static func length(of bytes: ArraySlice<UInt8>) -> Int {
        guard bytes.starts(with: [0x1B, 0x5B]) else { return 1 }
        let end = bytes.dropFirst(2).firstIndex { !(0x20...0x3F).contains($0) }
        return end.map { $0 - bytes.startIndex + 1 } ?? 1
    }

    private static func key(_ sent: ArraySlice<UInt8>) -> Key {
        if sent.count == 1 { return sent.first == 0x10 ? .first : sent.first == 0x11 ? .second : .other }
        let fields = sent.dropFirst(2).dropLast().split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
            .map { field in
                field.split(separator: UInt8(ascii: ":")).map { Int(String(decoding: $0, as: UTF8.self)) ?? 0 }
            }
        switch sent.last {
        case UInt8(ascii: "u") where fields.count > 1:
            // `code[:…] ; modifiers[:event] …`; event 3 is that it was let go, from 57441 on are Shift and its like.
            if fields[1].dropFirst().first == 3 || (57441...57454).contains(fields[0].first ?? 0) { return .silent }
            return key(fields[0].first, fields[1].first)
        case UInt8(ascii: "~") where fields.count == 3 && fields[0] == [27]:
            return key(fields[2].first, fields[1].first)
        default: return .other
        }
    }

    /// - Parameter modifiers: as bits, plus one: 4 is Ctrl, 64 and 128 are locks.
    private static func key(_ code: Int?, _ modifiers: Int?) -> Key {
        guard let modifiers, (modifiers - 1) & 0x3F == 4 else { return .other }
        return code == 112 ? .first : code == 113 ? .second : .other
    }
}
