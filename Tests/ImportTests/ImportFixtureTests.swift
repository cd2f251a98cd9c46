import JSON
import Manifest
import TestSupport
import Testing

@testable import Import

/// The cases of Fixtures/import, read as if they lay in `/project`, each with what comes of it beside it: the manifest,
/// then the notes; or why there is none.
struct ImportFixtureTests {
    private static func names(_ folder: String) -> [String] {
        Fixtures.names(in: "import/\(folder)", suffix: ".input").map { String($0.dropLast(6)) }
    }

    private func check(
        _ folder: String, _ name: String,
        _ make: (String, ImportOrigin) throws(ImportError) -> ImportedManifest
    ) {
        let origin = ImportOrigin(source: name, folder: "/project", manifestFolder: "/project")
        let result: String
        do throws(ImportError) {
            let manifest = try make(Fixtures.text("import/\(folder)/\(name).input"), origin)
            result = manifest.text + manifest.notes.map { "note: \($0).\n" }.joined()
            expectSound(manifest)
        } catch { result = "\(error)\n" }
        #expect(result == Fixtures.text("import/\(folder)/\(name).expected"))
    }

    @Test(arguments: names("procfile")) func procfile_isReadAsExpected(name: String) {
        check("procfile", name) { (text, origin) throws(ImportError) in try .procfile(text, origin) }
    }

    @Test(arguments: names("process-compose")) func processCompose_isReadAsExpected(name: String) {
        check("process-compose", name) { (text, origin) throws(ImportError) in
            try .processCompose((try? JSON(parsing: text)) ?? .null, origin)
        }
    }

    @Test(arguments: names("compose")) func compose_isReadAsExpected(name: String) {
        check("compose", name) { (text, origin) throws(ImportError) in
            try .compose((try? JSON(parsing: text)) ?? .null, origin)
        }
    }

    @Test(arguments: names("surroundings")) func surroundings_areReadAsExpected(name: String) {
        check("surroundings", name) { (text, origin) throws(ImportError) in
            try .surroundings(ProjectFiles(text), origin)
        }
    }

    @Test func fixtures_areAllThere() {
        #expect(Self.names("procfile").count >= 3)
        #expect(Self.names("process-compose").count >= 3)
        #expect(Self.names("compose").count >= 4)
        #expect(Self.names("surroundings").count >= 4)
    }
}

/// `devmesh check` finds nothing to say about it, not even a warning.
func expectSound(_ manifest: ImportedManifest, file: [UInt8] = [], sourceLocation: SourceLocation = #_sourceLocation) {
    let loaded = Manifest.load(Array(manifest.text.utf8), path: "/project/services.json", environment: [:]) { _ in
        .success(file)
    }
    switch loaded {
    case .invalid(let diagnostics): Issue.record("\(diagnostics)\n\(manifest.text)", sourceLocation: sourceLocation)
    case .valid(let read, let warnings):
        #expect(warnings.isEmpty, "\(manifest.text)", sourceLocation: sourceLocation)
        #expect(read.services.map(\.name) == manifest.services, sourceLocation: sourceLocation)
    }
}

extension ProjectFiles {
    /// Of a text that holds what each file holds, as JSON.
    init(_ text: String) {
        let files = ((try? JSON(parsing: text))?.objectValue ?? []).map { ($0.name, $0.value.stringValue ?? "") }
        self.init { folder in
            let prefix = folder == "." ? "" : folder + "/"
            let below = files.map(\.0).filter { $0.hasPrefix(prefix) }.map { $0.dropFirst(prefix.count) }
            return Set(below.compactMap { $0.split(separator: "/").first.map(String.init) }).sorted()
        } read: { path in
            files.first { $0.0 == path }?.1
        }
    }
}
