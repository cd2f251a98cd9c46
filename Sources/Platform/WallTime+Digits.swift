extension WallTime {
    /// Writes the 27 bytes of `2026-11-21T11:30:00.123456Z` (RFC 3339 §5.6), with no allocation. Years beyond
    /// 0000 … 9999 are held at the border.
    public func write(to out: UnsafeMutableRawPointer) {
        let clamped = WallTime(microseconds: min(max(microseconds, Self.earliest), Self.latest))
        let (date, ofDay) = clamped.dateAndTime
        let seconds = Int(ofDay / 1_000_000)
        writeDigits(date.year, 4, to: out)
        out.storeBytes(of: 0x2D, toByteOffset: 4, as: UInt8.self)
        writeDigits(date.month, 2, to: out + 5)
        out.storeBytes(of: 0x2D, toByteOffset: 7, as: UInt8.self)
        writeDigits(date.day, 2, to: out + 8)
        out.storeBytes(of: 0x54, toByteOffset: 10, as: UInt8.self)
        writeDigits(seconds / 3600, 2, to: out + 11)
        out.storeBytes(of: 0x3A, toByteOffset: 13, as: UInt8.self)
        writeDigits(seconds / 60 % 60, 2, to: out + 14)
        out.storeBytes(of: 0x3A, toByteOffset: 16, as: UInt8.self)
        writeDigits(seconds % 60, 2, to: out + 17)
        out.storeBytes(of: 0x2E, toByteOffset: 19, as: UInt8.self)
        writeDigits(Int(ofDay % 1_000_000), 6, to: out + 20)
        out.storeBytes(of: 0x5A, toByteOffset: 26, as: UInt8.self)
    }

    /// RFC 3339 UTC, as `2026-11-21T11:14:43.123Z`.
    /// - Parameter digits: of the fraction: 0, 3 or 6.
    public func rfc3339(digits: Int = 3) -> String {
        let count = digits == 0 ? 19 : 20 + digits
        return String(unsafeUninitializedCapacity: 27) { buffer in
            // Room for the 27 bytes was asked for.
            write(to: UnsafeMutableRawPointer(buffer.baseAddress!))
            buffer[count] = UInt8(ascii: "Z")
            return count + 1
        }
    }

    private static let earliest: Int64 = -62_167_219_200_000_000
    private static let latest: Int64 = 253_402_300_799_999_999
}

/// Writes `value` in decimal with leading zeros, exactly `digits` bytes.
@inlinable @inline(__always)
public func writeDigits(_ value: Int, _ digits: Int, to out: UnsafeMutableRawPointer) {
    var rest = UInt(value)
    var at = digits
    while at > 0 {
        at &-= 1
        out.storeBytes(of: 0x30 &+ UInt8(truncatingIfNeeded: rest % 10), toByteOffset: at, as: UInt8.self)
        rest /= 10
    }
}
