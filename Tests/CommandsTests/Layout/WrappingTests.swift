import Testing

@testable import Commands

struct WrappingTests {
    @Test func lines_longParagraph_isFilled() {
        #expect(
            Wrapping.lines("one two three four five six seven", width: 20)
                == ["one two three four", "five six seven"])
    }

    @Test func lines_paragraphsAndIndentedLines_areKept() {
        #expect(Wrapping.lines("one\n\n  two   three", width: 20) == ["one", "", "  two   three"])
    }

    @Test func lines_wordLongerThanWidth_standsAlone() {
        let long = String(repeating: "x", count: 30)
        #expect(Wrapping.lines("a \(long) b", width: 20) == ["a", long, "b"])
    }

    @Test func definitions_meaning_isWrappedBesideTerm() {
        let pairs = [("-n N", "only the last N lines of each service"), ("--a-very-long-option VALUE", "what it does")]
        let expected = """
              -n N          only the last N
                            lines of each
                            service
              --a-very-long-option VALUE
                            what it does
            """
        #expect(Wrapping.definitions(pairs, width: 36).joined(separator: "\n") == expected)
    }
}
