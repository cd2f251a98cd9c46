import Platform
import Testing

@Suite struct ClockTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000_000, "2000-02-29T00:00:00.000Z"),
        (1_795_259_683_123_456, "2026-11-21T11:14:43.123Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (4_102_444_799_999_999, "2099-12-31T23:59:59.999Z"),
    ])
    func rfc3339_knownMoments(_ microseconds: Int64, _ expected: String) {
        #expect(WallTime(microseconds: microseconds).rfc3339() == expected)
    }

    @Test func rfc3339_digits() {
        let time = WallTime(microseconds: 1_500_007)
        #expect(time.rfc3339(digits: 0) == "1970-01-01T00:00:01Z")
        #expect(time.rfc3339(digits: 6) == "1970-01-01T00:00:01.500007Z")
    }

    @Test func nanoseconds_hugeDuration_isClamped() {
        #expect(Duration.seconds(Int64.max).nanoseconds == .max)
        #expect(Duration.milliseconds(9_223_372_036_999).nanoseconds == .max)
        #expect(Duration.milliseconds(1500).nanoseconds == 1_500_000_000)
    }

    @Test(arguments: [
        (0, "0 ms"), (999, "999 ms"), (1000, "1 s"), (2500, "2.5 s"), (30_000, "30 s"), (90_050, "90 s"),
    ])
    func inWords_duration_hasATenthAtMost(_ milliseconds: Int, _ expected: String) {
        #expect(Duration.milliseconds(milliseconds).inWords == expected)
    }

    @Test func plus_moreThanTheClockCanTell_isItsLastMoment() {
        #expect(Instant.now + .milliseconds(Int64.max) == Instant(nanoseconds: .max))
        #expect(Instant(nanoseconds: -2) + .seconds(Int64.min) == Instant(nanoseconds: .min))
    }
}
