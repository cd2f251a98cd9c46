import Platform
import Project
import TestSupport
import Testing

@Suite struct LocatedProjectTests {
    @Test func paths_lieBesideTheManifestByItsName() {
        let project = LocatedProject(manifest: "/src/shop/services.example.json")
        #expect(project.stateFolder == "/src/shop/.devmesh/services.example.json")
        #expect(project.logsFolder == "/src/shop/.devmesh/services.example.json/logs")
        #expect(project.choicesFile == "/src/shop/.devmesh/services.example.json/state.json")
        let places = Places(state: "/s", runtime: "/r")
        #expect(project.socket(places) == "/r/\(project.hash)/control.sock")
    }

    @Test func hash_isSixteenDigitsAndDiffersByPath() {
        // FNV-1a of nothing and of "a", from the algorithm's own list of vectors.
        #expect(LocatedProject(manifest: "").hash == "cbf29ce484222325")
        #expect(LocatedProject(manifest: "a").hash == "af63dc4c8601ec8c")
    }

    @Test func stateFolder_isPrivateAndIgnoresItself() throws {
        let fixture = ProjectFixture()
        try fixture.project.makeStateFolder()
        #expect(fixture.folder.read("shop/.devmesh/.gitignore") == "*\n")
        for folder in [fixture.project.hiddenFolder, fixture.project.stateFolder] {
            #expect(Kernel.real.status(folder)?.mode == 0o700)
        }
        #expect(Kernel.real.status(fixture.project.hiddenFolder + "/.gitignore")?.mode == 0o600)
    }

    @Test func stateFolder_thatIsOpenToOthers_isClosed() throws {
        let fixture = ProjectFixture()
        try Kernel.real.makeDirectory(fixture.project.stateFolder, permissions: 0o755)
        fixture.folder.write("shop/.devmesh/.gitignore", "mine\n")
        try fixture.project.makeStateFolder()
        #expect(Kernel.real.status(fixture.project.stateFolder)?.mode == 0o700)
        #expect(fixture.folder.read("shop/.devmesh/.gitignore") == "mine\n", "the user's own is left alone")
    }

    @Test func stateFolder_whereAFileIsInTheWay_isAnErrorWithAMend() throws {
        let fixture = ProjectFixture()
        fixture.folder.write("shop/.devmesh", "")
        let error = #expect(throws: ProjectError.self) { try fixture.project.makeStateFolder() }
        let directory = fixture.project.directory
        #expect(error?.description.hasPrefix("Can't write \(directory)/.devmesh/services.json: ") == true)
        #expect(error?.description.hasSuffix("make \(directory) writable.") == true)
    }
}
