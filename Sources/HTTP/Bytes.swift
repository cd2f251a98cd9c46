// Scans over raw bytes, eight at a time. Each returns `end` when it finds nothing.
//
// The trick (Mycroft): in `(x - k·0x01…) & ~x & 0x80…` the lowest set bit marks the first byte below k; borrows can
// only make false marks above it. So the position of the first mark is exact on a little-endian word.

let ones: UInt64 = 0x0101_0101_0101_0101
let highBits: UInt64 = 0x8080_8080_8080_8080

enum Byte {
    static let tab: UInt8 = 0x09
    static let lf: UInt8 = 0x0A
    static let cr: UInt8 = 0x0D
    static let space: UInt8 = 0x20
    static let colon: UInt8 = 0x3A
    static let comma: UInt8 = 0x2C
    static let slash: UInt8 = 0x2F
    static let semicolon: UInt8 = 0x3B
    static let delete: UInt8 = 0x7F
}

/// Loads eight bytes so that the first is the lowest, whatever the machine's order.
@inline(__always)
private func word(_ base: UnsafeRawPointer, _ at: Int) -> UInt64 {
    UInt64(littleEndian: base.loadUnaligned(fromByteOffset: at, as: UInt64.self))
}

@inline(__always)
func byte(_ base: UnsafeRawPointer, _ at: Int) -> UInt8 {
    base.load(fromByteOffset: at, as: UInt8.self)
}

/// The first byte that no field value may hold: below 0x20 other than HTAB, or DEL.
func firstControl(_ base: UnsafeRawPointer, from start: Int, to end: Int) -> Int {
    var at = start
    while at &+ 8 <= end {
        let x = word(base, at)
        let y = x ^ (ones &* UInt64(Byte.delete))
        let marks = (((x &- ones &* 0x20) & ~x) | ((y &- ones) & ~y)) & highBits
        if marks == 0 {
            at &+= 8
            continue
        }
        at &+= marks.trailingZeroBitCount &>> 3
        if byte(base, at) != Byte.tab { return at }
        at &+= 1
    }
    while at < end {
        let c = byte(base, at)
        if (c < 0x20 && c != Byte.tab) || c == Byte.delete { return at }
        at &+= 1
    }
    return end
}

/// The first control byte or space: what ends a request's target.
func firstControlOrSpace(_ base: UnsafeRawPointer, from start: Int, to end: Int) -> Int {
    var at = start
    while at &+ 8 <= end {
        let x = word(base, at)
        let y = x ^ (ones &* UInt64(Byte.delete))
        let marks = (((x &- ones &* 0x21) & ~x) | ((y &- ones) & ~y)) & highBits
        if marks != 0 { return at &+ (marks.trailingZeroBitCount &>> 3) }
        at &+= 8
    }
    while at < end {
        let c = byte(base, at)
        if c < 0x21 || c == Byte.delete { return at }
        at &+= 1
    }
    return end
}

/// The first `wanted`, as memchr finds it.
func first(_ wanted: UInt8, _ base: UnsafeRawPointer, from start: Int, to end: Int) -> Int {
    var at = start
    while at &+ 8 <= end {
        let x = word(base, at) ^ (ones &* UInt64(wanted))
        let marks = (x &- ones) & ~x & highBits
        if marks != 0 { return at &+ (marks.trailingZeroBitCount &>> 3) }
        at &+= 8
    }
    while at < end {
        if byte(base, at) == wanted { return at }
        at &+= 1
    }
    return end
}

// tchar (RFC 9110 §5.6.2) as a bit set over 0 … 127: ! # $ % & ' * + - . 0-9 A-Z ^ _ ` a-z | ~
private let tokenLow: UInt64 = 0x03FF_6CFA_0000_0000
private let tokenHigh: UInt64 = 0x57FF_FFFF_C7FF_FFFE

/// Whether a header name or a method may hold `c`.
@inline(__always)
func isTokenByte(_ c: UInt8) -> Bool {
    if c >= 0x80 { return false }
    let bits = c < 64 ? tokenLow : tokenHigh
    return (bits &>> UInt64(c & 63)) & 1 != 0
}

/// The first byte that no header name may hold. Letters and hyphens, which most names consist of, go by eights.
@inline(__always)
func firstNonToken(_ base: UnsafeRawPointer, from start: Int, to end: Int) -> Int {
    var at = start
    while true {
        while at &+ 8 <= end {
            let x = word(base, at)
            // With the high bits cleared no sum below carries into the next byte.
            let letters = (x | ones &* 0x20) & ~highBits
            let fromA = letters &+ ones &* (0x80 - 0x61)
            let aboveZ = letters &+ ones &* (0x80 - 0x7B)
            let hyphens = ((x ^ ones &* 0x2D) & ~highBits) &+ ~highBits
            let plain = ((fromA & ~aboveZ) | ~hyphens) & ~x & highBits
            if plain == highBits {
                at &+= 8
                continue
            }
            at &+= (~plain & highBits).trailingZeroBitCount &>> 3
            break
        }
        guard at < end, isTokenByte(byte(base, at)) else { return at }
        at &+= 1
    }
}

@inline(__always)
func isDigit(_ c: UInt8) -> Bool { c &- 0x30 < 10 }

/// Compares without case against a lower-case ASCII literal of letters, digits and hyphens.
@inline(__always)
func equalsLowercased(_ base: UnsafeRawPointer, _ range: Range<Int>, _ literal: StaticString) -> Bool {
    guard range.count == literal.utf8CodeUnitCount else { return false }
    let other = literal.utf8Start
    var index = 0
    while index < range.count {
        let c = byte(base, range.lowerBound &+ index)
        let lower = c &- 0x41 < 26 ? c | 0x20 : c
        if lower != other[index] { return false }
        index &+= 1
    }
    return true
}

/// Narrows a range so that it neither begins nor ends with a space or tab (OWS, RFC 9110 §5.6.3).
@inline(__always)
func trimmed(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> Range<Int> {
    var low = start
    var high = end
    while low < high, isBlank(byte(base, low)) { low &+= 1 }
    while high > low, isBlank(byte(base, high &- 1)) { high &-= 1 }
    return low..<high
}

@inline(__always)
func isBlank(_ c: UInt8) -> Bool { c == Byte.space || c == Byte.tab }
