import JSON
import Testing

@Suite struct JSONParsingTests {
    @Test func values_ofEveryKind_areRead() throws {
        let text = #" { "a" : [ 1 , -2.5 , 1e3, true , false , null ] , "b" : { } , "c":"x", "":[] } "#
        let json = try JSON(parsing: text)
        #expect(
            json == [
                "a": [1, -2.5, .double(1000), true, false, nil], "b": [:], "c": "x", "": [],
            ])
        #expect(json["a"]?[2]?.intValue == 1000)
        #expect(json["a"]?[1]?.doubleValue == -2.5)
        #expect(json["a"]?[1]?.intValue == nil)
        #expect(json["a"]?[5]?.isNull == true)
        #expect(json["a"]?[6] == nil)
        #expect(json["c"]?.stringValue == "x")
        #expect(json["nothing"] == nil)
    }

    @Test func scalars_atTheTop_areTexts() throws {
        #expect(try JSON(parsing: "0") == 0)
        #expect(try JSON(parsing: "\"\"") == "")
        #expect(try JSON(parsing: " null\n") == nil)
    }

    @Test func repeatedNames_areKeptAndTheLastIsFound() throws {
        let json = try JSON(parsing: #"{"a":1,"a":2}"#)
        #expect(json.objectValue?.count == 2)
        #expect(json["a"] == 2)
    }

    @Test func escapes_andSurrogatePairs_areDecoded() throws {
        #expect(try JSON(parsing: #""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é😀""#) == "\"\\/\u{8}\u{c}\n\r\té😀é😀")
        #expect(try JSON(parsing: #""\u0000\u001F""#) == "\u{0}\u{1f}")
    }

    @Test func numbers_atTheEdges_keepTheirValue() throws {
        #expect(try JSON(parsing: "9223372036854775807") == .int(.max))
        #expect(try JSON(parsing: "-9223372036854775808") == .int(.min))
        #expect(try JSON(parsing: "9223372036854775808") == .double(9_223_372_036_854_775_808))
        #expect(try JSON(parsing: "0.1e-2") == .double(0.001))
        #expect(try JSON(parsing: "1e-400") == .double(0))
    }

    @Test func everyInput_givesTheSame() throws {
        let bytes = Array("[1]".utf8)
        #expect(try JSON(parsing: bytes) == [1])
        #expect(try JSON(parsing: bytes[...]) == [1])
        #expect(try JSON(parsing: "[1]".utf8) == [1])
    }

    @Test(arguments: [
        ("", "1:1: expected a value, found nothing. Write an object, at least {}."),
        ("[1,]", "1:4: expected a value after the comma, found a closing bracket. Remove the comma."),
        (#"{"a":1,}"#, "1:8: expected a value after the comma, found a closing bracket. Remove the comma."),
        ("[1 2]", "1:4: expected a comma or the closing bracket, found 2. Put a comma between the two."),
        ("[01]", "1:2: expected a number, found 01. Write it as 80 or 0.5, or put \"\" around it if it is text."),
        ("[1.]", "1:2: expected a number, found 1.. Write it as 80 or 0.5, or put \"\" around it if it is text."),
        ("[1e999]", "1:2: expected a number that fits 64 bits, found 1e999. Write a smaller number."),
        ("[tru]", "1:2: expected a value, found tru. Put \"\" around it if tru is text."),
        ("// x\n1", "1:1: expected a value, found a comment. Remove the comment."),
        ("{\"a\"\n 1}", "2:2: expected a : after the name, found 1. Write \"name\": value."),
        ("{a:1}", "1:2: expected a name in double quotes, found a. Remove it, or complete what stands before it."),
        ("[1", "1:3: expected a closing ], found the end of the file. Close the [ of line 1, column 1."),
        ("\"é\t\"", "1:3: expected a character, found the control character \\t. Write \\t."),
        (
            "\"\\ud800\"",
            "1:2: expected a character, found \\ud800, half of a surrogate pair. "
                + "Write both halves, or the character itself."
        ),
        ("1 2", "1:3: expected the end of the file, found 2. Remove what stands after the closing bracket."),
        (
            "\"a",
            "1:3: expected a closing \", found the end of the line. "
                + "Close the string on the line it began on; write \\n for a line break."
        ),
    ])
    func fault_isSaidWithItsPlace(text: String, sentence: String) {
        let error = #expect(throws: JSONError.self) { try JSON(parsing: text) }
        #expect(error?.description == sentence)
    }

    @Test(
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0x61, 0xE2, 0x82, 0x22],
        ] as [[UInt8]])
    func bytes_thatAreNotUTF8_areRefused(bytes: [UInt8]) {
        let error = #expect(throws: JSONError.self) { try JSON(parsing: bytes) }
        #expect(error?.problem == .invalidUTF8)
    }

    @Test func nesting_beyondTheLimit_isRefusedNotACrash() throws {
        let deep = String(repeating: "[", count: 100_000)
        let error = #expect(throws: JSONError.self) { try JSON(parsing: deep) }
        #expect(error?.problem == .tooDeep(limit: 128))
        let allowed = String(repeating: "[", count: 128) + String(repeating: "]", count: 128)
        _ = try JSON(parsing: allowed)
    }
}
