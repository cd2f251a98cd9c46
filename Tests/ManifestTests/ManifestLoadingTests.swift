import Manifest
import TestSupport
import Testing

/// The cases of Fixtures/manifests, read as `/project/services.json` with their folder as `/project`.
enum ManifestFixtures {
    static let environment = ["HOME": "/home/ada", "USER": "ada", "EMPTY": "", "SERVICE_OLD": "x", "PORT": "1"]

    static func names(_ folder: String) -> [String] {
        Fixtures.names(in: "manifests/\(folder)", suffix: ".json")
    }

    static func load(_ text: [UInt8], folder: String) -> LoadedManifest {
        Manifest.load(text, path: "/project/services.json", environment: environment) { path in
            if path == "/project/certs/staging.pem" { return .success([]) }
            let name = String(path.dropFirst("/project/".count))
            guard Fixtures.names(in: "manifests/\(folder)").contains(name) else {
                return .failure(FileFailure(reason: "No such file or directory"))
            }
            return .success(Fixtures.bytes("manifests/\(folder)/\(name)"))
        }
    }

    static func load(_ folder: String, _ name: String) -> LoadedManifest {
        load(Fixtures.bytes("manifests/\(folder)/\(name)"), folder: folder)
    }
}

@Suite struct ManifestLoadingTests {
    @Test(arguments: ManifestFixtures.names("valid"))
    func validManifest_isReadAsExpected(name: String) {
        let expected = Fixtures.text("manifests/valid/\(name.dropLast(5)).expected")
        switch ManifestFixtures.load("valid", name) {
        case .valid(let manifest, let warnings):
            #expect(summary(of: manifest) + warnings.map { "\($0)\n" }.joined() == expected)
        case .invalid(let diagnostics):
            Issue.record("\(diagnostics)")
        }
    }

    @Test(arguments: ManifestFixtures.names("invalid"))
    func invalidManifest_isRefusedInTheseWords(name: String) {
        let expected = Fixtures.text("manifests/invalid/\(name.dropLast(5)).errors")
        switch ManifestFixtures.load("invalid", name) {
        case .valid(let manifest, _):
            Issue.record("\(summary(of: manifest))")
        case .invalid(let diagnostics):
            #expect(diagnostics.map { "\($0)\n" }.joined() == expected)
        }
    }

    @Test func fixtures_areAllThere() {
        #expect(ManifestFixtures.names("valid").count >= 12)
        #expect(ManifestFixtures.names("invalid").count >= 70)
    }

    @Test func path_givesFolderAndName() {
        func load(_ path: String, name: String? = nil) -> LoadedManifest {
            Manifest.load(Array("{ \"services\": {} }".utf8), path: path, name: name, environment: [:]) { _ in
                .failure(FileFailure(reason: "never asked"))
            }
        }
        guard case .valid(let inFolder, _) = load("/srv/news room/mesh.json"),
            case .valid(let atRoot, _) = load("/mesh.json")
        else {
            Issue.record("not valid")
            return
        }
        #expect(inFolder.name == "news room")
        #expect(inFolder.directory == "/srv/news room")
        #expect(atRoot.name == "mesh")
        #expect(atRoot.directory == "/")
    }

    @Test func diagnostics_nameTheFileAsAsked() {
        let loaded = Manifest.load([], path: "/srv/mesh.json", name: "../mesh.json", environment: [:]) { _ in
            .failure(FileFailure(reason: "never asked"))
        }
        guard case .invalid(let diagnostics) = loaded else {
            Issue.record("not invalid")
            return
        }
        #expect(diagnostics.map(\.file) == ["../mesh.json"])
    }

    /// Reading, checking and every rule are linear: thousands of services are read at once, and few suggestions made.
    @Test func manifest_withThousandsOfServices_isRead() {
        var text = "{ \"services\": {"
        for index in 0..<2000 {
            text += "\"service-\(index)\": { \"run\": \"x\", \"uses\": [\"service-\((index + 1) % 2000)\"],"
            text += "\"dependsOn\": { \"service-\(index + 1)\": \"ready\" } },\n"
        }
        let loaded = ManifestFixtures.load(Array((text + "} }").utf8), folder: "valid")
        guard case .invalid(let diagnostics) = loaded else {
            Issue.record("not invalid")
            return
        }
        #expect(diagnostics.map(\.keyPath) == ["services.service-1999.dependsOn.service-2000"])
    }
}
