import JSON
import Testing

@Suite struct JSONSyntaxTests {
    static func document(_ text: String) -> JSONDocument { JSONDocument(parsing: [UInt8](text.utf8)) }

    @Test func comments_trailingCommasAndByteOrderMark_areAccepted() {
        let document = Self.document(
            "\u{FEFF}// head\n{ /* a */ \"a\": [1, 2,], // b\n \"b\": {\"c\": null,},\n}\n// end")
        #expect(document.errors == [])
        #expect(document.root.json == ["a": [1, 2], "b": ["c": nil]])
    }

    @Test func places_ofNamesAndValues_areExact() throws {
        let document = Self.document("\u{FEFF}{\"é😀\": 1,\r\n  \"b\": [true]}")
        guard case .object(let members) = document.root.kind, case .array(let elements) = members[1].value.kind else {
            Issue.record("not an object with an array: \(document.root)")
            return
        }
        #expect(document.position(at: document.root.offset) == TextPosition(line: 1, column: 1))
        #expect(document.position(at: members[0].nameOffset) == TextPosition(line: 1, column: 2))
        #expect(document.position(at: members[0].value.offset) == TextPosition(line: 1, column: 8))
        #expect(document.position(at: members[1].nameOffset) == TextPosition(line: 2, column: 3))
        #expect(document.position(at: elements[0].offset) == TextPosition(line: 2, column: 9))
        #expect(document.position(at: elements[0].end) == TextPosition(line: 2, column: 13))
    }

    @Test func places_inALongFile_agreeWithCounting() {
        let text = "[" + (0..<600).map { "\"é\($0)\"" + ($0 % 7 == 0 ? ",\n" : ",") }.joined() + "]"
        let document = Self.document(text)
        guard case .array(let elements) = document.root.kind else {
            Issue.record("not an array")
            return
        }
        #expect(elements.count == 600)
        for element in elements {
            let before = text.utf8.prefix(element.offset)
            let lines = before.split(separator: 0x0A, omittingEmptySubsequences: false)
            let column = String(decoding: lines.last!, as: UTF8.self).unicodeScalars.count + 1
            #expect(document.position(at: element.offset) == TextPosition(line: lines.count, column: column))
        }
    }

    @Test func repeatedNames_areAllThere() {
        guard case .object(let members) = Self.document(#"{"a": 1, "a": 2}"#).root.kind else {
            Issue.record("not an object")
            return
        }
        #expect(members.map(\.name) == ["a", "a"])
        #expect(members.map(\.nameOffset) == [1, 9])
    }

    @Test func bytesOfAValue_areFoundBehindEscapes() {
        let text = #"["a\n\u00e9\ud83d\ude00é$x"]"#
        let document = Self.document(text)
        guard case .array(let elements) = document.root.kind, case .string(let value) = elements[0].kind else {
            Issue.record("not a string")
            return
        }
        let dollar = value.utf8.distance(from: value.startIndex, to: value.firstIndex(of: "$")!)
        #expect(document.offset(ofByte: dollar, in: elements[0]) == text.utf8.count - 4)
        #expect(document.offset(ofByte: 0, in: elements[0]) == 2)
    }

    @Test(
        arguments: [
            ("", ["1:1 a value|nothing"], "null"),
            ("{\"a\": 1 \"b\": 2}", ["1:9 a comma or the closing bracket|a string"], #"{"a":1,"b":2}"#),
            (
                "{a: 1, 'b': 'x'}",
                [
                    "1:2 a name in double quotes|a", "1:8 a string in double quotes|single quotes",
                    "1:13 a string in double quotes|single quotes",
                ], #"{"a":1,"b":"x"}"#
            ),
            (
                "{\"a\" 1, \"b\" = 2, \"c\"}",
                [
                    "1:6 a : after the name|1", "1:13 a : after the name|=", "1:21 a : after the name|}",
                ], #"{"a":1,"b":2,"c":null}"#
            ),
            (
                "{\"a\": yes,\n \"b\": 08,\n \"c\": \"open,\n \"d\": 4}",
                [
                    "1:7 a value|yes", "2:7 a number|08", "3:13 a closing \"|the end of the line",
                ], #"{"a":null,"b":null,"c":null,"d":4}"#
            ),
            (
                "{\"a\": [1, 2, \"b\": 3}",
                [
                    "1:17 a comma or the closing bracket|:", "1:20 a closing ]|}",
                ], #"{"a":[1,2,"b"]}"#
            ),
            ("[1,,2]]", ["1:4 a value after the comma|another comma", "1:7 the end of the file|]"], "[1,2]"),
            ("{\"a\": ]}", ["1:7 a value|]"], #"{"a":null}"#),
            ("{\"a\": {\"b\": [1", ["1:15 a closing ]|the end of the file"], #"{"a":{"b":[1]}}"#),
            ("[1, /* x", ["1:5 a closing */|the end of the file", "1:9 a closing ]|the end of the file"], "[1]"),
            ("{\"a\": 1, ]}", ["1:10 nothing to close, or an opening [ before|]"], #"{"a":1}"#),
            ("# x\n[1]", ["1:1 // before a comment|#"], "[1]"),
            (
                "[\"\\x\", \"\\ud800\"]",
                ["1:3 an escape|\\x", "1:9 a character|\\ud800, half of a surrogate pair"], "[null,null]"
            ),
        ] as [(String, [String], String)])
    func faults_areAllReportedAndTheRestRead(text: String, faults: [String], json: String) {
        let document = Self.document(text)
        #expect(document.errors.map { "\($0.line):\($0.column) \($0.problem.expected)|\($0.problem.found)" } == faults)
        #expect(document.root.json.serialized() == json)
    }

    @Test func nesting_beyondTheLimit_isOneErrorAndTheRestIsRead() {
        let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        let document = Self.document("{\"deep\": \(deep), \"b\": tru}")
        #expect(document.errors.map(\.problem) == [.tooDeep(limit: 128), .unknownWord("tru")])
        let open = Self.document(String(repeating: "{\"a\":", count: 100_000))
        #expect(open.errors.first?.problem == .tooDeep(limit: 128))
    }

    @Test func errors_areBounded() {
        #expect(Self.document(String(repeating: "[?,", count: 20_000)).errors.count == JSONDocument.maximumErrors)
        #expect(Self.document("[" + String(repeating: "x,", count: 20_000)).errors.count == JSONDocument.maximumErrors)
        #expect(Self.document(String(repeating: "#\n", count: 20_000)).errors.count == JSONDocument.maximumErrors)
    }

    @Test func aMegabyteOnOneLine_isReadWithPlaces() {
        let text = "[" + String(repeating: #"{"name": "value", "list": [1, 2.5, true]}, "#, count: 25_000) + "oops]"
        let document = Self.document(text)
        #expect(document.errors.map(\.column) == [text.utf8.count - 4])
    }

    /// The skipped string ends with the file, in the middle of an escape.
    @Test func backslashAtTheEnd_ofWhatIsSkipped_isTheEnd() {
        let document = Self.document(#"[[x ["\"#)
        #expect(document.errors.count == 2)
        #expect(document.root.end == 7)
    }

    @Test func anyBytes_areReadWithoutACrash() {
        let alphabet = [UInt8]("{}[]\",:'\\/*#u0d8a-+.eE1tn \n".utf8) + [0xFF, 0xEF, 0xBB, 0xBF, 0xC3, 0xA9, 0x00]
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<5_000 {
            let bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator)!
            }
            let document = JSONDocument(parsing: bytes)
            let strict = try? JSON(parsing: bytes)
            if let strict {
                #expect(document.errors == [], "\(bytes)")
                #expect(document.root.json == strict, "\(bytes)")
            }
        }
    }
}
