import Platform

extension WallTime {
    /// Reads what `--since` and `--until` take: RFC 3339 (`2026-11-21T11:30:00Z`, a space for the `T`, any offset,
    /// or just the date, which is midnight UTC), or a duration before `now` (`5m`, `1h30m`, `2d`, `500ms`).
    public static func parse(_ text: String, now: WallTime = .now) throws(LogError) -> WallTime {
        var cursor = Cursor(bytes: Array(text.utf8))
        if let moment = cursor.dateTime() { return moment }
        cursor.at = 0
        if let span = cursor.duration() {
            let (moment, overflow) = now.microseconds.subtractingReportingOverflow(span)
            if !overflow { return WallTime(microseconds: moment) }
        }
        throw LogError.badTime(text)
    }

    private struct Cursor {
        let bytes: [UInt8]
        var at = 0

        private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

        private mutating func take(_ wanted: UInt8...) -> Bool {
            guard let next, wanted.contains(next) else { return false }
            at += 1
            return true
        }

        /// Exactly `count` digits.
        private mutating func digits(_ count: Int) -> Int? {
            var value = 0
            for _ in 0..<count {
                guard let next, (0x30...0x39).contains(next) else { return nil }
                value = value * 10 + Int(next - 0x30)
                at += 1
            }
            return value
        }

        mutating func dateTime() -> WallTime? {
            guard let year = digits(4), take(0x2D), let month = digits(2), take(0x2D), let day = digits(2) else {
                return nil
            }
            let date = CivilDate(year: year, month: month, day: day)
            guard date.isValid else { return nil }
            let midnight = date.daysSince1970 * 86_400_000_000
            if next == nil { return WallTime(microseconds: midnight) }
            guard take(0x54, 0x74, 0x20), let ofDay = timeOfDay(), let offset = zone(), next == nil else { return nil }
            return WallTime(microseconds: midnight + ofDay - offset)
        }

        /// `11:30:00.123`, in microseconds; a leap second counts as the next minute's first.
        private mutating func timeOfDay() -> Int64? {
            guard let hour = digits(2), hour < 24, take(0x3A), let minute = digits(2), minute < 60,
                take(0x3A), let second = digits(2), second <= 60
            else { return nil }
            var micros = 0
            if take(0x2E) {
                var unit = 100_000
                guard let first = digits(1) else { return nil }
                micros = first * unit
                while let digit = digits(1) {
                    unit /= 10
                    micros += digit * unit
                }
            }
            return Int64((hour * 3600 + minute * 60 + second) * 1_000_000 + micros)
        }

        /// `Z` or `+01:00`, in microseconds.
        private mutating func zone() -> Int64? {
            if take(0x5A, 0x7A) { return 0 }
            let isWest = next == 0x2D
            guard take(0x2B, 0x2D), let hour = digits(2), hour < 24, take(0x3A), let minute = digits(2), minute < 60
            else { return nil }
            return Int64((hour * 60 + minute) * 60_000_000) * (isWest ? -1 : 1)
        }

        /// `1h30m`, in microseconds.
        mutating func duration() -> Int64? {
            var total: Int64 = 0
            guard next != nil else { return nil }
            while next != nil {
                var value: Int64 = 0
                guard next.map({ (0x30...0x39).contains($0) }) == true else { return nil }
                while let digit = digits(1) {
                    guard value < 1_000_000_000_000 else { return nil }
                    value = value * 10 + Int64(digit)
                }
                guard let unit = unit() else { return nil }
                let (part, tooBig) = value.multipliedReportingOverflow(by: unit)
                let (sum, overflow) = total.addingReportingOverflow(part)
                if tooBig || overflow { return nil }
                total = sum
            }
            return total
        }

        private mutating func unit() -> Int64? {
            if take(0x64) { return 86_400_000_000 }
            if take(0x68) { return 3_600_000_000 }
            if take(0x73) { return 1_000_000 }
            guard take(0x6D) else { return nil }
            return take(0x73) ? 1000 : 60_000_000
        }
    }
}
