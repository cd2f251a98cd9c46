import Testing

@testable import Mesh

@Suite struct SentencesTests {
    @Test(arguments: [(1, "restarted once by itself"), (2, "restarted 2 times by itself")])
    func restarted_countsInWords(count: Int, expected: String) {
        #expect(Sentences.restarted(count) == expected)
    }
}
