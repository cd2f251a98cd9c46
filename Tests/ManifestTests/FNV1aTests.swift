import Manifest
import Testing

@Suite struct FNV1aTests {
    /// From the algorithm's own test vectors.
    @Test(arguments: [("", "cbf29ce484222325"), ("a", "af63dc4c8601ec8c"), ("foobar", "85944171f73967e8")])
    func digits_ofKnownTexts(text: String, expected: String) {
        #expect(FNV1a.digits(of: text.utf8) == expected)
    }
}
