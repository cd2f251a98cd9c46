import JSON
import Platform
import TestSupport
import Testing

@testable import Logs

private let time = WallTime(microseconds: 1_795_260_600_123_456)

/// Formats one line that has just these properties.
private func withLine<T>(
    _ text: [UInt8], service: Int = 0, stream: LogStream = .stdout, instance: Int = 1, isPartial: Bool = false,
    _ body: (LogLine) -> T
) -> T {
    var bytes = [UInt8](repeating: 0, count: 27)
    bytes.withUnsafeMutableBytes { time.write(to: $0.baseAddress!) }
    return bytes.withUnsafeBytes { time in
        text.withUnsafeBytes { text in
            body(
                LogLine(
                    seq: 42, firstSeq: 42, time: time, service: service, stream: stream, instance: instance,
                    text: text, isPartial: isPartial))
        }
    }
}

@Suite struct TextFormatterTests {
    private func text(
        _ formatter: TextFormatter, _ line: String, service: Int = 0, stream: LogStream = .stdout,
        instance: Int = 1
    ) -> String {
        let out = OutputBytes()
        withLine(Array(line.utf8), service: service, stream: stream, instance: instance) {
            formatter.write($0, to: out)
        }
        return String(decoding: out.bytes, as: UTF8.self)
    }

    @Test func write_names_arePaddedToTheLongest() {
        let formatter = TextFormatter(LogFormat(), names: ["reader", "db"])
        #expect(text(formatter, "a") == "reader | a\n")
        #expect(text(formatter, "b", service: 1) == "db     | b\n")
    }

    @Test func write_streams_areToldApart() {
        let formatter = TextFormatter(LogFormat(), names: ["db"])
        #expect(text(formatter, "a", stream: .stderr) == "db | a\n")
        #expect(text(formatter, "a", stream: .build, instance: 0) == "db # a\n")
        #expect(text(formatter, "a", stream: .devmesh, instance: 0) == "db * a\n")
    }

    @Test func write_secondInstance_makesInstancesShow() {
        let formatter = TextFormatter(LogFormat(), names: ["reader", "db"])
        #expect(text(formatter, "a") == "reader | a\n")
        #expect(text(formatter, "b", instance: 2) == "reader.2 | b\n")
        #expect(text(formatter, "c") == "reader.1 | c\n")
        #expect(text(formatter, "d", service: 1) == "db       | d\n")
        #expect(text(formatter, "e", stream: .build, instance: 0) == "reader   # e\n")
    }

    @Test func write_veryLongName_doesNotPushTheOthers() {
        let long = String(repeating: "x", count: 40)
        let formatter = TextFormatter(LogFormat(), names: [long, "db"])
        #expect(text(formatter, "a", service: 1) == "db | a\n")
        #expect(text(formatter, "a") == "\(long) | a\n")
    }

    @Test func write_withTimes_beginsWithTheTime() {
        let formatter = TextFormatter(LogFormat(showsTimes: true), names: ["db"])
        #expect(text(formatter, "a") == "2026-11-21T11:30:00.123Z db | a\n")
    }

    @Test func write_withoutPrefix_isTheLineAlone() {
        let formatter = TextFormatter(LogFormat(showsPrefix: false), names: ["db"])
        #expect(text(formatter, "\u{1B}[2Ja\r") == "\u{1B}[2Ja\r\n")
    }

    @Test func write_onATerminal_isColoredAndHarmless() {
        let formatter = TextFormatter(LogFormat(usesColor: true, isTerminal: true), names: ["db"])
        var palette = Palette(["db"])
        let color = palette.color(of: "db")
        #expect(text(formatter, "\u{1B}[2Ja") == "\u{1B}[38;5;\(color)mdb |\u{1B}[0m a\n")
        #expect(text(formatter, "a", stream: .stderr) == "\u{1B}[38;5;\(color)mdb \u{1B}[31m|\u{1B}[0m a\n")
    }

    @Test func palette_name_decidesTheColor_whateverTheOrder() {
        func colors(_ names: [String]) -> [UInt8] {
            var palette = Palette(names.reversed())
            return names.map { palette.color(of: $0) }
        }
        // A change here would change everybody's colours.
        #expect(colors(["reader", "purge", "members"]) == [35, 100, 37])
        #expect(colors(["reader", "Reader"]) == [35, 35])
        let twelve = ["reader", "purge", "members", "db", "web", "api", "cache", "queue", "a", "b", "c", "d"]
        #expect(Set(colors(twelve)).count == twelve.count)
        #expect(colors(twelve) == colors(twelve.reversed()).reversed())
        #expect(Set(colors(twelve + ["e", "f"])).count == twelve.count)
    }
}

@Suite struct JSONLineFormatterTests {
    private func json(_ text: [UInt8], stream: LogStream = .stdout, instance: Int = 1, isPartial: Bool = false)
        -> String
    {
        let out = OutputBytes()
        withLine(text, stream: stream, instance: instance, isPartial: isPartial) {
            JSONLineFormatter(names: ["reader"]).write($0, to: out)
        }
        return String(decoding: out.bytes, as: UTF8.self)
    }

    private func line(_ text: String, stream: String = "stdout", instance: String = #""reader.1""#) -> String {
        #"{"seq":42,"time":"2026-11-21T11:30:00.123Z","service":"reader","instance":\#(instance),"#
            + #""stream":"\#(stream)","line":\#(text)}"# + "\n"
    }

    @Test func write_line_isAsTheContractSays() {
        #expect(json(Array("hello €".utf8)) == line(#""hello €""#))
        #expect(json([], stream: .stderr, instance: 3) == line(#""""#, stream: "stderr", instance: #""reader.3""#))
    }

    @Test func write_buildAndDevmesh_haveNoInstance() {
        #expect(json([0x61], stream: .build, instance: 0) == line(#""a""#, stream: "build", instance: "null"))
        #expect(json([0x61], stream: .devmesh, instance: 0) == line(#""a""#, stream: "devmesh", instance: "null"))
    }

    @Test func write_controlsAndQuotes_areEscaped() {
        #expect(
            json(Array("\"\\\t\r\u{1}\u{1B}\u{7F}\u{9B}2Jä".utf8)) == line(#""\"\\\t\r\u0001\u001b\u007f\u009b2Jä""#))
    }

    @Test func write_invalidUTF8_addsBase64() {
        #expect(json([0x61, 0xFF, 0xE2, 0x82]) == line("\"a\u{FFFD}\u{FFFD}\",\"base64\":\"Yf/igg==\""))
    }

    @Test func write_piece_saysPartial() {
        #expect(json([0x61], isPartial: true) == line(#""a","partial":true"#))
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
    ])
    func writeBase64_vectorsOfRFC4648_agree(_ text: String, _ expected: String) {
        let out = OutputBytes()
        text.bytes { JSONLineFormatter.writeBase64($0, to: out) }
        #expect(String(decoding: out.bytes, as: UTF8.self) == expected)
    }

    @Test(arguments: 0..<10)
    func write_randomBytes_areReadBackByOurParser(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                UInt8.random(in: .min ... .max, using: &random)
            }
            let value = try JSON(parsing: json(bytes))
            if value["line"]?.stringValue != String(decoding: bytes, as: UTF8.self) { Issue.record("\(bytes)") }
        }
    }
}
