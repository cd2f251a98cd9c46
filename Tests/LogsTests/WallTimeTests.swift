import Platform
import Testing

@testable import Logs

@Suite struct WallTimeTests {
    private let now = WallTime(microseconds: 1_795_260_600_000_000)  // 2026-11-21T11:30:00Z

    @Test(arguments: [0, 1_795_260_600_123_456, -1, 951_782_399_999_999, 951_782_400_000_000, 4_107_542_400_000_000])
    func write_moment_agreesWithPlatform(_ microseconds: Int64) {
        var bytes = [UInt8](repeating: 0, count: 27)
        bytes.withUnsafeMutableBytes { WallTime(microseconds: microseconds).write(to: $0.baseAddress!) }
        #expect(String(decoding: bytes, as: UTF8.self) == WallTime(microseconds: microseconds).rfc3339(digits: 6))
    }

    @Test func write_yearsBeyondFourDigits_areHeldAtTheBorder() {
        var bytes = [UInt8](repeating: 0, count: 27)
        bytes.withUnsafeMutableBytes { WallTime(microseconds: .max).write(to: $0.baseAddress!) }
        #expect(String(decoding: bytes, as: UTF8.self) == "9999-12-31T23:59:59.999999Z")
    }

    @Test(arguments: [
        ("2026-11-21T11:30:00Z", "2026-11-21T11:30:00.000000Z"),
        ("2026-11-21t11:30:00.5z", "2026-11-21T11:30:00.500000Z"),
        ("2026-11-21 11:30:00+01:30", "2026-11-21T10:00:00.000000Z"),
        ("2026-11-21T11:30:00.1234567-05:00", "2026-11-21T16:30:00.123456Z"),
        ("2024-02-29", "2024-02-29T00:00:00.000000Z"),
        ("5m", "2026-11-21T11:25:00.000000Z"),
        ("1h30m", "2026-11-21T10:00:00.000000Z"),
        ("2d", "2026-11-19T11:30:00.000000Z"),
        ("500ms", "2026-11-21T11:29:59.500000Z"),
        ("0s", "2026-11-21T11:30:00.000000Z"),
    ])
    func parse_time_isRead(_ text: String, _ expected: String) throws {
        #expect(try WallTime.parse(text, now: now).rfc3339(digits: 6) == expected)
    }

    @Test(arguments: [
        "", "x", "5", "m", "5 m", "5x", "-5m", "2026-02-30", "2026-13-01T00:00:00Z", "2026-11-21T24:00:00Z",
        "2026-11-21T11:30", "2026-11-21T11:30:00", "2026-11-21T11:30:00Zx", "99999999999999d",
    ])
    func parse_whatIsNoTime_saysWhatToWrite(_ text: String) {
        #expect(throws: LogError.badTime(text)) { try WallTime.parse(text, now: now) }
        #expect(LogError.badTime(text).description.contains("5m"))
    }
}
