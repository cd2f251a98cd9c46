import Platform
import Testing

@testable import Logs

@Suite struct RecordTests {
    private let time = WallTime(microseconds: 1_795_260_600_123_456)

    @Test func append_oneLine_readsAsTheLayoutSays() {
        let encoder = RecordEncoder(nextSeq: 42)
        encoder.begin(line: 6, time: time, stream: .stdout, instance: 1)
        "listening on 8080".bytes { encoder.append($0, .whole) }
        let text = String(decoding: encoder.bytes, as: UTF8.self)
        #expect(text == "00000000000042 000000000007 2026-11-21T11:30:00.123456Z o 0001 . listening on 8080\n")
        #expect(encoder.nextSeq == 43)
        #expect(encoder.line == 7)
        #expect(encoder.count == 1)
    }

    @Test func append_counters_carryAndCountLinesOnce() {
        let encoder = RecordEncoder(nextSeq: 999)
        encoder.begin(line: 9998, time: time, stream: .stderr, instance: 12)
        for mark in [LineMark.first, .middle, .last, .whole] { "x".bytes { encoder.append($0, mark) } }
        let records = parsed(encoder.bytes)
        #expect(records.map(\.seq) == [999, 1000, 1001, 1002])
        #expect(records.map(\.line) == [9999, 9999, 9999, 10000])
        #expect(encoder.line == 10000)
        #expect(encoder.count == 2)
    }

    @Test(arguments: LogStream.allCases, LineMark.allCases)
    func parse_whatWasEncoded_comesBack(_ stream: LogStream, _ mark: LineMark) throws {
        let encoder = RecordEncoder(nextSeq: 7)
        encoder.begin(line: 3, time: time, stream: stream, instance: 9999)
        "päyload".bytes { encoder.append($0, mark) }
        let bytes = encoder.bytes
        let record = try #require(LogRecord(UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - 1)])))
        #expect(record.seq == 7)
        #expect(record.line == (mark.begins ? 4 : 3))
        #expect(record.stream == stream)
        #expect(record.instance == 9999)
        #expect(record.mark == mark)
        #expect(String(decoding: record.time, as: UTF8.self) == time.rfc3339(digits: 6))
        #expect(String(decoding: record.payload, as: UTF8.self) == "päyload")
    }

    @Test(arguments: [
        "", "x", "00000000000042 000000000007 2026-11-21T11:30:00.123456Z o 0001 .",
        "0000000000004x 000000000007 2026-11-21T11:30:00.123456Z o 0001 . a",
        "00000000000042 000000000007 2026-11-21T11:30:00.123456Z x 0001 . a",
        "00000000000042 000000000007 2026-11-21T11:30:00.123456Z o 0001 ! a",
        "00000000000042-000000000007 2026-11-21T11:30:00.123456Z o 0001 . a",
        String(repeating: "\0", count: 200),
    ])
    func parse_whatIsNoRecord_isNil(_ text: String) {
        text.bytes { #expect(LogRecord($0) == nil) }
    }

    @Test func release_betweenBatches_givesMemoryBackAndWorksOn() {
        let encoder = RecordEncoder(nextSeq: 1)
        encoder.begin(line: 0, time: time, stream: .stdout, instance: 1)
        "a".bytes { encoder.append($0, .whole) }
        encoder.clear()
        encoder.release()
        "b".bytes { encoder.append($0, .whole) }
        #expect(parsed(encoder.bytes).map(\.seq) == [2])
    }

    private func parsed(_ bytes: UnsafeRawBufferPointer) -> [LogRecord] {
        bytes.split(separator: 0x0A).compactMap { LogRecord(UnsafeRawBufferPointer(rebasing: $0)) }
    }
}

extension LogRecord: Equatable {
    public static func == (left: LogRecord, right: LogRecord) -> Bool { left.seq == right.seq }
}
