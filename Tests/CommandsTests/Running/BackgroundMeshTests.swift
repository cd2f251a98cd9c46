import Testing

@testable import Commands

struct BackgroundMeshTests {
    @Test func started_line_isReadBack() {
        let started = BackgroundMesh.Started(name: "news \"room\"\n", local: ["a", "b"])
        #expect(started.line.hasSuffix("\n"))
        #expect(BackgroundMesh.Started(Array(started.line.utf8)) == started)
    }

    @Test func started_nothingOrTorn_isNone() {
        #expect(BackgroundMesh.Started([]) == nil)
        #expect(BackgroundMesh.Started(Array("{\"name\":\"x\"".utf8)) == nil)
    }
}
