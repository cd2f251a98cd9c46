import Testing

@testable import Logs

@Suite struct LogPatternTests {
    @Test(arguments: [
        ("listening", "now listening on 8080", true), ("listening", "Listening", false),
        ("(?i)listening", "Listening", true), ("on \\d+", "listening on 8080", true), ("on \\d+$", "on 8080 x", false),
        ("a|b", "xbx", true), ("colou?r", "color", true), ("ab*c", "ac", true), ("ab{0}c", "ac", true),
        ("[(]x", "(x", true), ("(foo)?bar", "bar", true), ("a.c", "abc", true), ("ü.x", "ü–x", true),
        ("", "anything", true), ("ready in [0-9]+ ms", "ready in 12 ms", true), ("\\.js", "main.js", true),
        ("x#y", "ax#yb", true), ("^$", "", true),
    ])
    func matches_line_asTheExpressionSays(_ pattern: String, _ line: String, _ expected: Bool) throws {
        let matcher = LineMatcher(try LogPattern(pattern))
        line.bytes { #expect(matcher.matches($0) == expected) }
    }

    @Test(arguments: [
        ("listening", "listening", true), ("on \\d+ now", "on ", false), ("colou?r", "colo", false),
        ("a|b", "", false), ("(?i)x", "", false), ("(abc)def", "def", false), ("ab+c", "ab", false), ("", "", true),
    ])
    func required_expression_isWhatEveryMatchHolds(_ source: String, _ required: String, _ isLiteral: Bool) throws {
        let pattern = try LogPattern(source)
        #expect(String(decoding: pattern.required, as: UTF8.self) == required)
        #expect(pattern.isLiteral == isLiteral)
    }

    @Test func matches_coloredLine_seesTheWords() throws {
        let matcher = LineMatcher(try LogPattern("ready on 80"))
        "\u{1B}[32mready\u{1B}[0m on \u{1B}[1m80\u{1B}[0m".bytes { #expect(matcher.matches($0)) }
    }

    @Test(arguments: ["(", "[a", "*", "a{2,1}"])
    func init_whatIsNoExpression_saysWhy(_ source: String) {
        do throws(LogError) {
            _ = try LogPattern(source)
            Issue.record("\(source) was accepted")
        } catch {
            #expect(error.description.contains("not a regular expression"))
        }
    }
}
