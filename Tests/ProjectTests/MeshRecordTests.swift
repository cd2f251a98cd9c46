import Plan
import Platform
import Project
import TestSupport
import Testing

@Suite struct MeshRecordTests {
    @Test func all_listsMeshesOfAllProjectsWhateverTheirRuntimeFolder() throws {
        let fixture = ProjectFixture()
        let other = LocatedProject(manifest: fixture.folder.write("other/services.json", "{}"))
        let up = try fixture.bringUp(fixture.project)
        let otherUp = try fixture.bringUp(other)
        #expect(MeshRecord.all(fixture.places).map(\.manifest) == [other.manifest, fixture.project.manifest])

        let elsewhere = Places(state: fixture.places.state, runtime: fixture.folder.path + "/run2")
        #expect(MeshRecord.all(elsewhere).isEmpty)
        _ = try RegistryFile(elsewhere).update { registry in
            registry.projects = [.init(manifest: other.manifest, name: "other", displayName: "other")]
        }
        #expect(MeshRecord.all(elsewhere).map(\.manifest) == [other.manifest])
        try up.die()
        try otherUp.die()
    }

    @Test func all_cleansUpAfterTheDead() throws {
        let fixture = ProjectFixture()
        try fixture.bringUp(fixture.project).die()
        #expect(MeshRecord.all(fixture.places).isEmpty)
        #expect(MeshRecord.find(fixture.project, places: fixture.places) == nil)
    }

    @Test func all_leavesASupervisorThatIsStartingAlone() throws {
        let fixture = ProjectFixture()
        try fixture.bringUp(fixture.project).die()
        let stale = fixture.folder.read("shop/.devmesh/services.json/mesh.json")!
        guard case .acquired(let lease) = try SupervisorLease.acquire(fixture.project, places: fixture.places) else {
            Issue.record("not acquired")
            return
        }
        try lease.prepareSocket()
        let path = fixture.project.runtimeFolder(fixture.places) + "/mesh.json"
        try Kernel.real.replaceFile(path, with: Array(stale.utf8))
        #expect(MeshRecord.all(fixture.places).isEmpty)
        #expect(Kernel.real.status(path) != nil)
        lease.release()
    }

    @Test func all_cleansUpAfterAProjectThatIsGone() throws {
        let fixture = ProjectFixture()
        try fixture.bringUp(fixture.project).die()
        Kernel.real.removeTree(fixture.project.directory)
        #expect(MeshRecord.all(fixture.places).isEmpty)
        #expect(Kernel.real.status(fixture.project.runtimeFolder(fixture.places)) == nil)
    }

    @Test func record_cutAnywhere_isPassedOver() throws {
        let fixture = ProjectFixture()
        let up = try fixture.bringUp(fixture.project)
        let path = fixture.project.stateFolder + "/mesh.json"
        let bytes = try Kernel.real.readFile(path)
        for length in 0..<bytes.count - 2 {
            try Kernel.real.replaceFile(path, with: Array(bytes[..<length]))
            #expect(MeshRecord.find(fixture.project) == nil, "cut at \(length)")
        }
        // The one in the runtime folder is whole.
        #expect(MeshRecord.find(fixture.project, places: fixture.places) == fixture.record(of: fixture.project))
        try up.die()
    }
}
