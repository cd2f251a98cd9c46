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

@Suite struct ManifestFixturesTests {
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
        #expect(ManifestFixtures.names("valid").count >= 1)
        #expect(ManifestFixtures.names("invalid").count >= 1)
    }
}
