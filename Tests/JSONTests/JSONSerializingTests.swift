import JSON
import Testing

@Suite struct JSONSerializingTests {
    static let sample: JSON = [
        "text": "a\"b\\c\n\u{1}é😀/", "numbers": [1, -2.5, .int(.max)], "none": nil, "yes": true, "empty": [],
        "object": [:], "deep": ["x": [["y": 1]]],
    ]

    @Test func compact_isOneLineInOrder() {
        #expect(
            Self.sample.serialized()
                == #"{"text":"a\"b\\c\n\u0001é😀/","numbers":[1,-2.5,9223372036854775807],"none":null,"yes":true,"#
                + #""empty":[],"object":{},"deep":{"x":[{"y":1}]}}"#)
    }

    @Test func pretty_indentsByTwo() {
        let json: JSON = ["a": [1, []], "b": ["c": [:]]]
        #expect(
            json.pretty() == """
                {
                  "a": [
                    1,
                    []
                  ],
                  "b": {
                    "c": {}
                  }
                }
                """)
    }

    @Test func bothForms_parseBackToTheSame() throws {
        #expect(try JSON(parsing: Self.sample.serialized()) == Self.sample)
        #expect(try JSON(parsing: Self.sample.pretty()) == Self.sample)
    }

    @Test func doubles_areValidJSON() throws {
        #expect(JSON.double(.infinity).serialized() == "null")
        #expect(JSON.double(.nan).serialized() == "null")
        for value in [1e300, 2.5e-308, 0.1, -0.0, 1e16] {
            #expect(try JSON(parsing: JSON.double(value).serialized()).doubleValue == value)
        }
    }
}
