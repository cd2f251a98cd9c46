import Manifest
import Testing

@Suite struct QuantitiesTests {
    @Test func durations_areReadInEachUnit() {
        #expect(Quantities.duration("200ms") == .milliseconds(200))
        #expect(Quantities.duration("5s") == .seconds(5))
        #expect(Quantities.duration("2m") == .seconds(120))
        #expect(Quantities.duration("1h") == .seconds(3600))
        #expect(Quantities.duration("0s") == .zero)
        #expect(Quantities.duration("999999999h") == .seconds(999_999_999 * 3600))
    }

    @Test(arguments: [
        "", "5", "s", "5 s", " 5s", "5s ", "-5s", "+5s", "1.5s", "1m30s", "5S", "5sec", "1000000000s", "٥s",
    ])
    func otherTexts_areNoDurations(text: String) {
        #expect(Quantities.duration(text) == nil)
    }

    @Test func sizes_arePowersOf1024() {
        #expect(Quantities.size("100B") == 100)
        #expect(Quantities.size("64KB") == 65_536)
        #expect(Quantities.size("256MB") == 268_435_456)
        #expect(Quantities.size("1GB") == 1_073_741_824)
    }

    @Test(arguments: ["", "64", "64kb", "64 KB", "1.5GB", "-1MB", "1TB", "MB"])
    func otherTexts_areNoSizes(text: String) {
        #expect(Quantities.size(text) == nil)
    }
}
