import Manifest
import Testing

@Suite struct NearestTests {
    @Test(arguments: [
        ("alway", "always"), ("ALWAYS", "always"), ("alwyas", "always"), ("nevr", "never"),
        ("on_failure", "on-failure"),
        ("onfailure", "on-failure"),
    ])
    func mistypedName_findsTheNameMeant(name: String, meant: String) {
        #expect(Manifest.nearest(to: name, among: ["never", "on-failure", "always"]) == meant)
    }

    @Test(arguments: ["", "x", "sometimes", "railway", String(repeating: "a", count: 5000)])
    func farName_findsNothing(name: String) {
        #expect(Manifest.nearest(to: name, among: ["never", "on-failure", "always"]) == nil)
    }

    @Test func nearestOfSeveral_isTheNearestThenTheFirst() {
        #expect(Manifest.nearest(to: "reader", among: ["rearer", "readers", "leader"]) == "rearer")
        #expect(Manifest.nearest(to: "redaer", among: ["rdr", "leader", "reader"]) == "reader")
        #expect(Manifest.nearest(to: "ps", among: ["up", "p", "pss"]) == "p")
    }
}
