import JSON
import Testing

@testable import Manifest

@Suite struct DiagnosticTests {
    @Test func diagnostic_isOneLineWithItsPlace() {
        var diagnostic = Diagnostic(
            severity: .error, file: "services.json", position: Position(line: 12, column: 7),
            keyPath: "services.reader.restart",
            sentence: Sentence(expected: "a", found: "b", mend: "Did you mean \"always\"?"))
        #expect(
            "\(diagnostic)"
                == "services.json:12:7: services.reader.restart: expected a, found b. Did you mean \"always\"?")
        diagnostic.severity = .warning
        diagnostic.keyPath = ""
        diagnostic.sentence.mend = "Mend it"
        #expect("\(diagnostic)" == "services.json:12:7: warning: expected a, found b. Mend it.")
    }

    @Test func trail_quotesNamesThatAreNotPlain() {
        #expect(KeyTrail().key("services").key("a.b").key("uses").element(0).text == "services[\"a.b\"].uses[0]")
        #expect(KeyTrail().key("").text == "[\"\"]")
    }

    @Test func trail_leadsToAPlace() {
        let text = #"{ "a": [1, { "b": true }], "c": 2 }"#
        let root = JSONDocument(parsing: Array(text.utf8)).root
        #expect(KeyTrail(to: 17, in: root).text == "a[1].b")
        #expect(KeyTrail(to: 8, in: root).text == "a[0]")
        #expect(KeyTrail(to: 28, in: root).text == "c")
        #expect(KeyTrail(to: 0, in: root).text == "")
    }

    @Test func quotedText_isOneShortLineWithoutPasswords() {
        #expect(Sentence.quoted("a\nb\u{7f}") == #""a\u{a}b\u{7f}""#)
        #expect(Sentence.quoted("http://u:p@h") == "\"http://u:********@h\"")
        #expect(Sentence.quoted(String(repeating: "é", count: 61)) == "\"" + String(repeating: "é", count: 60) + "…\"")
    }
}
