import Project
import Testing

@Suite struct PlacesTests {
    private func places(_ environment: [String: String]) throws -> Places {
        try Places(environment: environment, user: 7)
    }

    @Test func places_followXDG() throws {
        #expect(
            try places(["XDG_STATE_HOME": "/s", "XDG_RUNTIME_DIR": "/run/user/7", "HOME": "/h"])
                == Places(state: "/s/devmesh", runtime: "/run/user/7/devmesh"))
    }

    @Test func places_withoutXDG_areBelowHomeAndTmp() throws {
        let expected = Places(state: "/h/.local/state/devmesh", runtime: "/tmp/devmesh-7")
        #expect(try places(["HOME": "/h"]) == expected)
        #expect(try places(["HOME": "/h", "XDG_STATE_HOME": "relative", "XDG_RUNTIME_DIR": ""]) == expected)
    }

    @Test func runtimeFolder_thatIsTooLongForASocket_isNotUsed() throws {
        let base = "/" + String(repeating: "x", count: 64)
        let project = LocatedProject(manifest: "/a/services.json")
        let fitting = try places(["HOME": "/h", "XDG_RUNTIME_DIR": String(base.prefix(65))])
        #expect(fitting.runtime == base + "/devmesh")
        #expect(project.socket(fitting).utf8.count <= 103)
        #expect(try places(["HOME": "/h", "XDG_RUNTIME_DIR": base + "xx"]).runtime == "/tmp/devmesh-7")
    }

    @Test func places_withoutHome_areAnError() {
        #expect(throws: ProjectError.noHome) { try places([:]) }
    }
}
