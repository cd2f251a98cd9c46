import Platform
import Project
import TestSupport
import Testing

@Suite struct LocatorTests {
    @Test func search_takesTheNearestParent() throws {
        let fixture = ProjectFixture()
        fixture.folder.write("shop/web/src/main.c", "")
        #expect(try fixture.locator(in: "shop/web/src").locate() == fixture.project)
        #expect(try fixture.locator(in: "shop").locate() == fixture.project)
        fixture.folder.write("shop/web/services.json", "{}")
        let nearer = try fixture.locator(in: "shop/web/src").locate()
        #expect(nearer.manifest == fixture.project.directory + "/web/services.json")
    }

    @Test func search_withoutAManifest_saysWhereItLooked() throws {
        let fixture = ProjectFixture()
        let error = #expect(throws: ProjectError.self) { try fixture.locator().locate() }
        #expect(
            error?.description
                == "There is no services.json in \(fixture.folder.path) or a folder above it. `devmesh init` writes "
                + "one; else go to a folder that has one, or name another manifest with -f FILE.")
    }

    @Test func file_winsOverTheVariableAndThatOverTheSearch() throws {
        let fixture = ProjectFixture()
        let other = fixture.folder.write("shop/other.json", "{}")
        let third = fixture.folder.write("third.json", "{}")
        let environment = ["DEVMESH_FILE": "other.json"]
        #expect(try fixture.locator(in: "shop", environment).locate().manifest == other)
        #expect(try fixture.locator(in: "shop", environment).locate(file: "../third.json").manifest == third)
        #expect(try fixture.locator(in: "shop", ["DEVMESH_FILE": ""]).locate() == fixture.project)
    }

    @Test func link_leadsToTheRealPath() throws {
        let fixture = ProjectFixture()
        try symlink("shop", at: fixture.folder.path + "/link")
        #expect(try fixture.locator(in: "link").locate() == fixture.project)
        #expect(try fixture.locator().locate(file: "link/services.json") == fixture.project)
    }

    @Test func file_thatIsMissingOrAFolder_isAnError() throws {
        let fixture = ProjectFixture()
        let path = fixture.folder.path
        #expect(throws: ProjectError.missing(path: path + "/no.json", origin: "-f")) {
            try fixture.locator().locate(file: "no.json")
        }
        #expect(throws: ProjectError.missing(path: path + "/no/no.json", origin: "DEVMESH_FILE")) {
            try fixture.locator(["DEVMESH_FILE": "no/no.json"]).locate()
        }
        #expect(throws: ProjectError.notAFile(path: path + "/shop")) { try fixture.locator().locate(file: "shop") }
    }

    @Test func runningMesh_winsOverServicesJSON() throws {
        let fixture = ProjectFixture()
        let example = LocatedProject(manifest: fixture.folder.write("shop/services.example.json", "{}"))
        let up = try fixture.bringUp(example)
        fixture.folder.write("shop/web/main.c", "")
        #expect(try fixture.locator(in: "shop/web").locate() == example)
        #expect(try fixture.locator(in: "shop").locate(file: "services.json") == fixture.project)
        try up.die()
        #expect(try fixture.locator(in: "shop/web").locate() == fixture.project)
    }

    @Test func runningMeshAbove_yieldsToANearerManifest() throws {
        let fixture = ProjectFixture()
        let up = try fixture.bringUp(fixture.project)
        let inner = fixture.folder.write("shop/inner/services.json", "{}")
        #expect(try fixture.locator(in: "shop/inner").locate().manifest == inner)
        try up.die()
    }

    @Test func severalRunningMeshes_areAnErrorThatListsThem() throws {
        let fixture = ProjectFixture()
        let other = LocatedProject(manifest: fixture.folder.write("shop/b.json", "{}"))
        let ups = [try fixture.bringUp(fixture.project), try fixture.bringUp(other)]
        let error = #expect(throws: ProjectError.self) { try fixture.locator(in: "shop").locate() }
        #expect(
            error?.description
                == "Several meshes of \(fixture.project.directory) are up: b.json, services.json. "
                + "Say which one with -f FILE.")
        for up in ups { try up.die() }
    }

    @Test func runningMesh_whoseManifestIsGone_isStillFound() throws {
        let fixture = ProjectFixture()
        let up = try fixture.bringUp(fixture.project)
        try Kernel.real.remove(fixture.project.manifest)
        #expect(try fixture.locator(in: "shop").locate() == fixture.project)
        #expect(try fixture.locator().locate(file: "shop/services.json") == fixture.project)
        try up.die()
        #expect(throws: ProjectError.self) { try fixture.locator().locate(file: "shop/services.json") }
    }

    @Test func recordInACopiedFolder_isNotBelieved() throws {
        let fixture = ProjectFixture()
        let up = try fixture.bringUp(fixture.project)
        let copy = fixture.folder.write("copy/services.json", "{}")
        fixture.folder.write(
            "copy/.devmesh/services.json/mesh.json", fixture.folder.read("shop/.devmesh/services.json/mesh.json")!)
        #expect(try fixture.locator(in: "copy").locate().manifest == copy)
        #expect(MeshRecord.find(LocatedProject(manifest: copy)) == nil)
        try up.die()
    }
}
