import Testing

@testable import Manifest

/// The grammar as a whole: Fixtures/manifests/valid/env-files.env and invalid/env-file.env.
@Suite struct EnvironmentFileTests {
    private func assignments(_ text: String) -> [String] {
        EnvironmentFile(parsing: Array(text.utf8)).assignments.map { "\($0.line) \($0.name)=\($0.value)" }
    }

    @Test func nothing_isNoAssignment() {
        #expect(assignments("") == [])
        #expect(assignments("\n\n  \n\t# x\n#") == [])
    }

    @Test func exportAsAName_isAName() {
        #expect(assignments("export=1\nexported=2\nexport export=3") == ["1 export=1", "2 exported=2", "3 export=3"])
    }

    @Test func lines_areCountedBehindValuesOfSeveral() {
        #expect(assignments("A='1\n2\n3'\nB=4") == ["1 A=1\n2\n3", "4 B=4"])
    }

    @Test func unclosedQuote_isSaidAtItsPlaceAndTheRestRead() {
        let open = EnvironmentFile(parsing: Array("A=1\n  B='x\nC=2\n".utf8))
        #expect(
            open.faults.map { "\($0.position.line):\($0.position.column) \($0.sentence)" } == [
                "2:5 expected a closing ' for B, found the end of the file. "
                    + "Close it, or escape a \" within double quotes as \\\"."
            ])
        #expect(open.assignments.map(\.name) == ["A", "C"])
    }

    @Test func columns_countCharacters() {
        let file = EnvironmentFile(parsing: Array("A=\"größe\" é".utf8))
        #expect(file.faults.map(\.position) == [Position(line: 1, column: 11)])
    }

    @Test func faults_areBounded() {
        #expect(EnvironmentFile(parsing: Array(String(repeating: "x\n", count: 10_000).utf8)).faults.count == 50)
    }

    @Test func unclosedQuotes_onManyLines_areReadInLinearTime() {
        let text = String(repeating: "A='x\n", count: 10_001)
        #expect(EnvironmentFile(parsing: Array(text.utf8)).faults.count <= 50)
    }
}
