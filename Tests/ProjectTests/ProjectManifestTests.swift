import Manifest
import Platform
import Project
import TestSupport
import Testing

@Suite struct ProjectManifestTests {
    private func load(_ fixture: ProjectFixture, from folder: String = "shop") throws -> LoadedManifest {
        try fixture.project.readManifest(
            environment: [:], currentDirectory: Path.join(fixture.folder.path, folder))
    }

    @Test func manifest_isReadWithItsEnvFiles() throws {
        let fixture = ProjectFixture()
        fixture.folder.write("shop/.env", "LEVEL=debug\n")
        fixture.folder.write(
            "shop/services.json",
            #"{"envFile": ".env", "services": {"web": {"run": "./web", "stop": {"signal": "INT"}}}}"#)
        guard case .valid(let manifest, let warnings) = try load(fixture) else {
            Issue.record("\(try load(fixture))")
            return
        }
        #expect(warnings.isEmpty)
        #expect(manifest.path == fixture.project.manifest)
        #expect(manifest.name == "shop")
        #expect(manifest.variables.map(\.value) == ["debug"])
        #expect(manifest.services.map(\.stop.signal) == [Signal.interrupt.number])
    }

    @Test func manifestThatIsWrong_isNamedAsSeenFromHere() throws {
        let fixture = ProjectFixture()
        fixture.folder.write("shop/services.json", #"{"envFile": "gone.env", "services": {"web": {"rum": 1}}}"#)
        for (folder, name) in [
            ("shop", "services.json"), ("shop/web/src", "../../services.json"), ("", "shop/services.json"),
            ("elsewhere", fixture.project.manifest),
        ] {
            guard case .invalid(let diagnostics) = try load(fixture, from: folder) else {
                Issue.record("taken for valid")
                continue
            }
            #expect(diagnostics.count >= 2)
            #expect(diagnostics.contains { $0.description.hasPrefix(name + ":1:") }, "\(diagnostics)")
        }
    }

    @Test func manifestThatCantBeRead_isAnError() throws {
        let fixture = ProjectFixture()
        try Kernel.real.remove(fixture.project.manifest)
        #expect(throws: ProjectError.unreadable(path: fixture.project.manifest, .noEntry)) { try load(fixture) }
    }
}
