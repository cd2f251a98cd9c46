/// How many bytes at the end of `bytes` are the beginning of something that is to be shown in one piece: a character,
/// or an escape sequence such as a colour (ECMA-48 §5.4). Longer ones, which are none, may be cut.
func incompleteSuffix(_ bytes: UnsafeRawBufferPointer) -> Int {
    var at = bytes.count
    let least = max(0, at - LineSplitter.slack + 1)
    while at > least {
        at -= 1
        guard bytes[at] == 0x1B else { continue }
        let rest = bytes[(at + 1)...]
        let isOpen = rest.isEmpty || rest.first == 0x5B && rest.dropFirst().allSatisfy { (0x20...0x3F).contains($0) }
        return isOpen ? bytes.count - at : incompleteUTF8Suffix(bytes)
    }
    return incompleteUTF8Suffix(bytes)
}

/// How many bytes at the end of `bytes` are the beginning of a UTF-8 sequence that is not complete: 0 … 3.
/// (RFC 3629 §4; overlong and surrogate forms are left to whoever decodes.)
func incompleteUTF8Suffix(_ bytes: UnsafeRawBufferPointer) -> Int {
    var back = 1
    while back <= 3 && back <= bytes.count {
        let byte = bytes[bytes.count - back]
        if byte & 0xC0 == 0x80 {
            back += 1
        } else {
            return back < utf8Length(lead: byte) ? back : 0
        }
    }
    return 0
}

/// The length that a sequence beginning with `lead` must have; 1 for ASCII and for bytes that begin nothing.
@inline(__always)
private func utf8Length(lead: UInt8) -> Int {
    switch lead {
    case 0xC2...0xDF: 2
    case 0xE0...0xEF: 3
    case 0xF0...0xF4: 4
    default: 1
    }
}

/// What a decoder finds at one place.
enum UTF8Step {
    /// A well-formed character of so many bytes.
    case character(Int)
    /// So many bytes that U+FFFD stands for: the longest beginning of a character, or one byte that begins nothing
    /// (Unicode 16 §3.9, "Substitution of Maximal Subparts").
    case invalid(Int)
}

/// Decodes what is at `at` (Unicode 16, table 3-7).
func utf8Step(_ bytes: UnsafeRawBufferPointer, at: Int) -> UTF8Step {
    let lead = bytes[at]
    if lead < 0x80 { return .character(1) }
    let length = utf8Length(lead: lead)
    guard length > 1, at + 1 < bytes.count else { return .invalid(1) }
    let second: ClosedRange<UInt8> =
        switch lead {
        case 0xE0: 0xA0...0xBF
        case 0xED: 0x80...0x9F
        case 0xF0: 0x90...0xBF
        case 0xF4: 0x80...0x8F
        default: 0x80...0xBF
        }
    guard second.contains(bytes[at + 1]) else { return .invalid(1) }
    var good = 2
    while good < length {
        guard at + good < bytes.count, bytes[at + good] & 0xC0 == 0x80 else { return .invalid(good) }
        good += 1
    }
    return .character(length)
}

/// Whether all of `bytes` is well-formed UTF-8.
func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var at = 0
    while at < bytes.count {
        at += plainRun(bytes, from: at)
        guard at < bytes.count else { break }
        guard case .character(let length) = utf8Step(bytes, at: at) else { return false }
        at += length
    }
    return true
}
