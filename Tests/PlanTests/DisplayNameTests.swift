import Manifest
import Plan
import Testing

@Suite struct DisplayNameTests {
    private func name(
        _ folder: String, _ name: String, _ registry: inout PortRegistry, gone: Set<String> = []
    ) throws -> String {
        try plan(
            manifest([service("a")], folder: folder, name: name), &registry, machine: machine(gone: gone)
        ).displayName
    }

    @Test func name_thatNobodyHas_isShownAsItIs() throws {
        var registry = PortRegistry()
        #expect(try name("x", "newsroom", &registry) == "newsroom")
    }

    @Test func equalNames_getTheFoldersNameElseANumber() throws {
        var registry = PortRegistry()
        #expect(try name("newsroom", "newsroom", &registry) == "newsroom")
        #expect(try name("hotfix", "newsroom", &registry) == "newsroom-hotfix")
        #expect(try name("copy/newsroom", "newsroom", &registry) == "newsroom-2")
        #expect(try name("other/newsroom", "newsroom", &registry) == "newsroom-3")
        #expect(try name("newsroom-old", "newsroom", &registry) == "newsroom-old")
    }

    @Test func displayName_onceGiven_stays() throws {
        var registry = PortRegistry()
        _ = try name("one", "newsroom", &registry)
        #expect(try name("two", "newsroom", &registry) == "newsroom-two")
        registry.forget(manifest: "/src/one/services.json")
        #expect(try name("two", "newsroom", &registry) == "newsroom-two")
        #expect(try name("two", "papers", &registry) == "papers")
    }

    @Test func nameOfAVanishedProject_isFree() throws {
        var registry = PortRegistry()
        _ = try name("one", "newsroom", &registry)
        #expect(try name("two", "newsroom", &registry, gone: ["/src/one/services.json"]) == "newsroom")
    }
}
