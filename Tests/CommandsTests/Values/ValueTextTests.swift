import Platform
import Testing

@testable import Commands

struct ValueTextTests {
    @Test(arguments: [
        ("200ms", 200), ("5s", 5000), ("1.5s", 1500), ("2m", 120_000), ("1h", 3_600_000), ("2h30m", 9_000_000),
        ("1d", 86_400_000), ("0s", 0),
    ])
    func duration_unitNamed_isRead(text: String, milliseconds: Int) {
        #expect(DurationText.parse(text) == .milliseconds(milliseconds))
    }

    @Test(arguments: ["", "5", "s", "5x", "5 s", "-5s", "1..5s", "5sm", "99999999999999999d", "٣s"])
    func duration_wrongText_isRefused(text: String) {
        #expect(DurationText.parse(text) == nil)
    }

    @Test(arguments: [
        (Duration.milliseconds(850), "850ms"), (.seconds(12), "12s"), (.seconds(200), "3m 20s"), (.seconds(180), "3m"),
        (.seconds(5 * 3600 + 120), "5h 2m"), (.seconds(4 * 86400 + 3600), "4d 1h"), (.zero, "0ms"),
    ])
    func duration_short_hasTwoUnitsAtMost(duration: Duration, expected: String) {
        #expect(DurationText.short(duration) == expected)
    }

    @Test(arguments: [
        (0, "0B"), (512, "512B"), (1024, "1.0KB"), (9_856_614, "9.4MB"), (134_217_728, "128MB"),
        (1_288_490_189, "1.2GB"),
        (1_048_000, "1.0MB"),
    ])
    func size_short_hasThreeDigitsAtMost(bytes: Int, expected: String) {
        #expect(SizeText.short(bytes) == expected)
    }
}
