import Platform

extension WallTime {
    /// Writes the 27 bytes of `2026-11-21T11:30:00.123456Z` (RFC 3339 §5.6), with no allocation. Years beyond
    /// 0000 … 9999 are held at the border.
    func write(to out: UnsafeMutableRawPointer) {
        let clamped = min(max(microseconds, Self.earliest), Self.latest)
        let (days, ofDay) = floorDivide(clamped, 86_400_000_000)
        let date = CivilDate(daysSince1970: days)
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

    private static let earliest: Int64 = -62_167_219_200_000_000
    private static let latest: Int64 = 253_402_300_799_999_999
}

/// A day of the proleptic Gregorian calendar; the arithmetic is Howard Hinnant's "chrono-compatible low-level date
/// algorithms".
struct CivilDate: Equatable {
    var year: Int
    var month: Int
    var day: Int

    init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    init(daysSince1970 days: Int64) {
        let shifted = Int(days) + 719_468
        let (era, ofEra) = floorDivide(shifted, 146_097)
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let dayOfYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    var daysSince1970: Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = floorDivide(shiftedYear, 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return Int64(era * 146_097 + dayOfEra - 719_468)
    }

    /// Whether the month has that day.
    var isValid: Bool {
        (1...12).contains(month) && day >= 1 && self == CivilDate(daysSince1970: daysSince1970)
    }
}

/// The quotient rounded down, and the remainder, which is never negative.
func floorDivide<Number: BinaryInteger>(_ value: Number, _ divisor: Number) -> (Number, Number) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
}

/// Writes `value` in decimal with leading zeros, exactly `digits` bytes.
@inline(__always)
func writeDigits(_ value: Int, _ digits: Int, to out: UnsafeMutableRawPointer) {
    var rest = UInt(value)
    var at = digits
    while at > 0 {
        at &-= 1
        out.storeBytes(of: 0x30 &+ UInt8(truncatingIfNeeded: rest % 10), toByteOffset: at, as: UInt8.self)
        rest /= 10
    }
}
