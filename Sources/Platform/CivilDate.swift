/// A day of the proleptic Gregorian calendar; the arithmetic is Howard Hinnant's "chrono-compatible low-level date
/// algorithms".
public struct CivilDate: Sendable, Equatable {
    public var year: Int
    public var month: Int
    public var day: Int

    public init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    public init(daysSince1970 days: Int64) {
        let shifted = Int(days) + 719_468
        let (era, ofEra) = floorDivide(shifted, 146_097)
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let dayOfYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    public var daysSince1970: Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = floorDivide(shiftedYear, 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return Int64(era * 146_097 + dayOfEra - 719_468)
    }

    /// Whether the month has that day.
    public var isValid: Bool {
        (1...12).contains(month) && day >= 1 && self == CivilDate(daysSince1970: daysSince1970)
    }
}

extension WallTime {
    /// The day in UTC, and the microseconds since its midnight.
    public var dateAndTime: (date: CivilDate, microseconds: Int64) {
        let (days, microseconds) = floorDivide(microseconds, 86_400_000_000)
        return (CivilDate(daysSince1970: days), microseconds)
    }
}

/// The quotient rounded down, and the remainder, which is never negative.
private func floorDivide<Number: BinaryInteger>(_ value: Number, _ divisor: Number) -> (Number, Number) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
}
