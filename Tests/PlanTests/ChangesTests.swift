import Manifest
import Plan
import Testing

@Suite struct ChangesTests {
    @Test func changes_tellAddedChangedUnchangedAndRemovedApart() throws {
        var registry = PortRegistry()
        let old = try plan(manifest([service("a"), service("b"), service("c")]), &registry)
        let new = try plan(
            manifest([service("d"), service("c"), service("b", fingerprint: "2")]), &registry)
        #expect(
            Changes.between(old, new)
                == Changes(added: ["d"], changed: ["b"], unchanged: ["c"], removed: ["a"]))
        #expect(Changes.between(new, new) == Changes(unchanged: ["d", "c", "b"]))
    }

    @Test func addressGainedThroughAbsentUses_isNoChange() throws {
        var registry = PortRegistry()
        let old = try plan(manifest([service("a")]), &registry)
        let new = try plan(manifest([service("a"), service("b")]), &registry)
        #expect(Changes.between(old, new).unchanged == ["a"])
    }

    @Test func frontOrEdgeThatHadToMove_isAChange() throws {
        var registry = PortRegistry()
        let old = try plan(manifest([service("a"), service("b", uses: ["a"]), service("c")]), &registry)
        let new = try plan(
            manifest([service("a"), service("b", uses: ["a"]), service("c", port: 20_100, fingerprint: "2")]),
            &registry)
        #expect(Changes.between(old, new).changed == ["b", "c"])
    }
}
