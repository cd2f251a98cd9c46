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

/// The length of the well-formed UTF-8 character at `at`, or nil where there is none (Unicode 16, table 3-7).
func utf8Character(_ bytes: UnsafeRawBufferPointer, at: Int) -> Int? {
    let lead = bytes[at]
    if lead < 0x80 { return 1 }
    let length = utf8Length(lead: lead)
    guard length > 1, at + length <= bytes.count else { return nil }
    let second = bytes[at + 1]
    let range: ClosedRange<UInt8> =
        switch lead {
        case 0xE0: 0xA0...0xBF
        case 0xED: 0x80...0x9F
        case 0xF0: 0x90...0xBF
        case 0xF4: 0x80...0x8F
        default: 0x80...0xBF
        }
    guard range.contains(second) else { return nil }
    for offset in 2..<max(2, length) where bytes[at + offset] & 0xC0 != 0x80 { return nil }
    return length
}

/// Whether all of `bytes` is well-formed UTF-8.
func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var at = 0
    while at < bytes.count {
        at += plainRun(bytes, from: at)
        guard at < bytes.count else { break }
        guard let length = utf8Character(bytes, at: at) else { return false }
        at += length
    }
    return true
}
