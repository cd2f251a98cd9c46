import Manifest
import Testing

/// What counts as changed: contract §2.
@Suite struct FingerprintTests {
    private static let base =
        #"{ "services": { "reader": { "run": ["x", "${A}"], "env": { "B": "1" } }, "members": { "run": "y" } } }"#

    private func fingerprint(
        _ text: String = base, of service: String = "reader", environment: [String: String] = ["A": "a", "Z": "z"],
        file: String = "C=1"
    ) throws -> String {
        let loaded = Manifest.load(Array(text.utf8), path: "/p/services.json", environment: environment) { _ in
            .success(Array(file.utf8))
        }
        guard case .valid(let manifest, _) = loaded else {
            Issue.record("\(loaded)")
            return ""
        }
        return try #require(manifest[service]).fingerprint
    }

    @Test func sameManifest_writtenDifferently_isUnchanged() throws {
        let same = #"""
            {
              // a comment, another order, and the user's own key
              "services": {
                "members": { "run": "z" },
                "reader": { "x-note": 1, "env": { "B": "1" }, "run": ["x", "${A}"] },
              },
            }
            """#
        #expect(try fingerprint(same) == fingerprint())
    }

    @Test(arguments: [
        base.replacing(#""B": "1""#, with: #""B": "2""#), base.replacing(#"["x""#, with: #"["w""#),
        base.replacing(#""env":"#, with: #""instances": 2, "env":"#),
        base.replacing(#"{ "services""#, with: #"{ "env": { "TOP": "1" }, "services""#),
        base.replacing(#"{ "services""#, with: #"{ "envFile": ".env", "services""#),
        base.replacing(#""env":"#, with: #""envFile": ".env", "env":"#),
        base.replacing(#""env":"#, with: #""limits": {"memory": "64MB"}, "env":"#),
        base.replacing(#"{ "services""#, with: #"{ "limits": { "cpu": 1 }, "services""#),
    ])
    func ownEntryAndTopVariables_countAsChange(text: String) throws {
        #expect(try fingerprint(text) != fingerprint())
    }

    @Test func namedVariables_countAndOthersDoNot() throws {
        #expect(try fingerprint(environment: ["A": "b", "Z": "z"]) != fingerprint())
        #expect(try fingerprint(environment: ["A": "a", "Z": "other"]) == fingerprint())
        #expect(try fingerprint(of: "members", environment: ["A": "b"]) == fingerprint(of: "members"))
    }

    @Test func envFileContents_count() throws {
        let text = Self.base.replacing(#""env":"#, with: #""envFile": ".env", "env":"#)
        #expect(try fingerprint(text, file: "C=2") != fingerprint(text, file: "C=1"))
        #expect(try fingerprint(text, file: "# only a comment\nC=1\n") == fingerprint(text, file: "C=1"))
    }

    @Test func versions_countByThemselves() throws {
        func fingerprints(_ versions: String) throws -> [String] {
            let text = Self.base.replacing(#""env":"#, with: "\"versions\": {\(versions)}, \"env\":")
            let loaded = Manifest.load(Array(text.utf8), path: "/p/services.json", environment: ["A": "a"]) { _ in
                .failure(FileFailure(reason: "never asked"))
            }
            guard case .valid(let manifest, _) = loaded, let reader = manifest["reader"] else { return [] }
            return [reader.fingerprint] + reader.versions.map(\.service.fingerprint)
        }
        let before = try fingerprints(#""next": {"env": {"C": "1"}}, "main": {"git": "main"}"#)
        let after = try fingerprints(#""next": {"env": {"C": "2"}}, "main": {"git": "main"}"#)
        #expect(before.count == 3 && Set(before).count == 3)
        #expect(try before[0] == fingerprint(environment: ["A": "a"]))
        #expect(after[0] == before[0] && after[1] != before[1] && after[2] == before[2])
        #expect(try fingerprints(#""next": {}, "main": {"git": "maint"}"#)[2] != before[2])
    }

    @Test func otherServices_doNotCount() throws {
        #expect(try fingerprint(Self.base.replacing(#""run": "y""#, with: #""run": "other""#)) == fingerprint())
    }
}
