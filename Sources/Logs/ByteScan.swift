/// Looks for single bytes eight at a time ("has a zero byte", Bit Twiddling Hacks): `memchr` belongs to the C
/// library, which only Platform may import.
private let ones: UInt64 = 0x0101_0101_0101_0101
private let highs: UInt64 = 0x8080_8080_8080_8080

/// The offset of the first `\n` in `base[from..<to]`.
@inline(__always)
func firstNewline(in base: UnsafeRawPointer, from: Int, to: Int) -> Int? {
    firstByte(0x0A, in: base, from: from, to: to)
}

/// The offset of the first `byte` in `base[from..<to]`.
@inline(__always)
func firstByte(_ byte: UInt8, in base: UnsafeRawPointer, from: Int, to: Int) -> Int? {
    let pattern = ones &* UInt64(byte)
    var at = from
    while at &+ 8 <= to {
        let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: at, as: UInt64.self)) ^ pattern
        let zeros = (word &- ones) & ~word & highs
        if zeros != 0 { return at &+ zeros.trailingZeroBitCount &>> 3 }
        at &+= 8
    }
    while at < to {
        if base.load(fromByteOffset: at, as: UInt8.self) == byte { return at }
        at &+= 1
    }
    return nil
}

/// The offset of the last `\n` in `base[0..<end]`.
func lastNewline(in base: UnsafeRawPointer, before end: Int) -> Int? {
    var at = end
    while at > 0 {
        at &-= 1
        if base.load(fromByteOffset: at, as: UInt8.self) == 0x0A { return at }
    }
    return nil
}

/// The length of the run of printable ASCII (0x20 … 0x7E) and, if allowed, tabs that `bytes` has from `start` on.
func plainRun(_ bytes: UnsafeRawBufferPointer, from start: Int, tabs: Bool = true) -> Int {
    guard let base = bytes.baseAddress else { return 0 }
    var at = start
    while at &+ 8 <= bytes.count {
        let word = base.loadUnaligned(fromByteOffset: at, as: UInt64.self)
        // A byte below 0x20, or DEL, or with its high bit set; tabs fall out of the fast lane and are looked at below.
        let isLow = (word &- ones &* 0x20) & ~word
        let del = word ^ (ones &* 0x7F)
        let isDel = (del &- ones) & ~del
        if (isLow | isDel | word) & highs != 0 { break }
        at &+= 8
    }
    while at < bytes.count {
        let byte = bytes[at]
        guard (byte >= 0x20 && byte < 0x7F) || (tabs && byte == 0x09) else { break }
        at &+= 1
    }
    return at &- start
}

/// Whether `needle` occurs in `hay`.
func contains(_ hay: UnsafeRawBufferPointer, _ needle: [UInt8]) -> Bool {
    guard let first = needle.first else { return true }
    guard let base = hay.baseAddress, hay.count >= needle.count else { return false }
    let end = hay.count - needle.count + 1
    var from = 0
    while let at = firstByte(first, in: base, from: from, to: end) {
        var matched = 1
        while matched < needle.count && hay[at + matched] == needle[matched] { matched += 1 }
        if matched == needle.count { return true }
        from = at + 1
    }
    return false
}
