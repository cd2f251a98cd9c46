import Platform
import Testing

@Suite struct CivilDateTests {
    @Test func daysSince1970_everyDayOfCenturies_comesBack() {
        for day in stride(from: Int64(-100_000), through: 200_000, by: 1) {
            let date = CivilDate(daysSince1970: day)
            if date.daysSince1970 != day { Issue.record("day \(day) became \(date)") }
        }
    }
}
