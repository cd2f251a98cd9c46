/// Follows what a program sets on a terminal and doesn't take back by itself: another screen, no cursor, mouse reports,
/// another keyboard. Who leaves the terminal can put it back, and who comes later can catch up. Pure.
///
/// Sources: xterm's ctlseqs, ECMA-48 §5.4, kitty's keyboard protocol.
public struct TerminalModes: Sendable {
    /// Automatic wrapping and the visible cursor; all others are off where nobody sets them.
    private static let onAtFirst: Set<Int> = [7, 25]
    /// Those that show the other screen, which has a stack of keyboards of its own.
    private static let otherScreen: Set<Int> = [47, 1047, 1049]
    /// Longer sequences are none.
    private static let longest = 32
    /// What a program sets beyond this many is not followed.
    private static let most = 64

    private enum State { case text, escape, control }

    private var state = State.text
    /// What stands between `CSI` and the last byte.
    private var parameters: [UInt8] = []
    /// `CSI ? … h` and `l`.
    private var modes: [Int: Bool] = [:]
    /// `CSI > … m`, xterm's modifyOtherKeys and its like.
    private var keyReports: [UInt8]?
    /// `CSI > … u`: those of the ordinary screen, and of the other.
    private var keyboards: [[[UInt8]]] = [[], []]
    private var hasApplicationKeypad = false
    private var hasScrollRegion = false
    private var hasCursorShape = false

    public init() {}

    private var screen: Int { Self.otherScreen.contains { modes[$0] == true } ? 1 : 0 }

    public mutating func feed(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        var at = 0
        while at < bytes.count {
            if case .text = state {
                guard let escape = firstByte(0x1B, in: base, from: at, to: bytes.count) else { return }
                at = escape
            }
            step(bytes[at])
            at += 1
        }
    }

    private mutating func step(_ byte: UInt8) {
        switch (state, byte) {
        case (_, 0x1B): state = .escape
        case (.escape, UInt8(ascii: "[")):
            state = .control
            parameters.removeAll(keepingCapacity: true)
        case (.control, 0x20...0x3F) where parameters.count < Self.longest: parameters.append(byte)
        case (.control, 0x40...0x7E):
            state = .text
            control(byte)
        case (.escape, _):
            state = .text
            switch byte {
            case UInt8(ascii: "="): hasApplicationKeypad = true
            case UInt8(ascii: ">"): hasApplicationKeypad = false
            case UInt8(ascii: "c"): self = TerminalModes()
            default: break
            }
        default: state = .text
        }
    }

    private mutating func control(_ last: UInt8) {
        let kind = parameters.first ?? 0
        switch (kind, last) {
        case (UInt8(ascii: "?"), UInt8(ascii: "h")): set(true)
        case (UInt8(ascii: "?"), UInt8(ascii: "l")): set(false)
        case (UInt8(ascii: ">"), UInt8(ascii: "m")):
            // Without a value it is back at what it was.
            let value = parameters.split(separator: UInt8(ascii: ";")).dropFirst()
            keyReports = value.isEmpty ? nil : parameters
        case (UInt8(ascii: ">"), UInt8(ascii: "u")):
            if keyboards[screen].count < Self.most { keyboards[screen].append(parameters) }
        case (UInt8(ascii: "<"), UInt8(ascii: "u")):
            let count = Int(String(decoding: parameters.dropFirst(), as: UTF8.self)) ?? 1
            keyboards[screen].removeLast(min(max(count, 0), keyboards[screen].count))
        case (UInt8(ascii: "?"), _), (UInt8(ascii: ">"), _): break
        case (_, UInt8(ascii: "r")): hasScrollRegion = !parameters.isEmpty
        case (_, UInt8(ascii: "q")) where parameters.last == 0x20:
            hasCursorShape = parameters.first != 0x20 && parameters.first != UInt8(ascii: "0")
        default: break
        }
    }

    private mutating func set(_ isOn: Bool) {
        for number in String(decoding: parameters.dropFirst(), as: UTF8.self).split(separator: ";") {
            guard let mode = Int(number), modes.count < Self.most || modes[mode] != nil else { continue }
            modes[mode] = isOn == Self.onAtFirst.contains(mode) ? nil : isOn
        }
    }

    // MARK: Sequences

    /// What brings a fresh terminal to where one is that was fed the same, but for what stands on it.
    public var setting: String {
        var text = keyboards[0].map { Self.control($0, "u") }.joined()
        for mode in modes.keys.sorted() { text += "\u{1B}[?\(mode)\(modes[mode]! ? "h" : "l")" }
        text += keyboards[1].map { Self.control($0, "u") }.joined()
        if let keyReports { text += Self.control(keyReports, "m") }
        if hasApplicationKeypad { text += "\u{1B}=" }
        return text
    }

    /// What brings a terminal back that was fed the same.
    public var undoing: String {
        var text = Self.popping(keyboards[1])
        if let keyReports { text += Self.control(keyReports.prefix { $0 != UInt8(ascii: ";") }, "m") }
        if hasApplicationKeypad { text += "\u{1B}>" }
        if hasCursorShape { text += "\u{1B}[0 q" }
        // It moves the cursor, which the ordinary screen gets back from the other, and must keep where there is none.
        if hasScrollRegion { text += screen == 1 ? "\u{1B}[r" : "\u{1B}7\u{1B}[r\u{1B}8" }
        for mode in modes.keys.sorted() { text += "\u{1B}[?\(mode)\(modes[mode]! ? "l" : "h")" }
        return text + Self.popping(keyboards[0])
    }

    private static func popping(_ keyboards: [[UInt8]]) -> String {
        keyboards.isEmpty ? "" : "\u{1B}[<\(keyboards.count)u"
    }

    private static func control(_ parameters: some Sequence<UInt8>, _ last: String) -> String {
        "\u{1B}[" + String(decoding: Array(parameters), as: UTF8.self) + last
    }
}
