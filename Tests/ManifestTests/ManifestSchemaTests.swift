import JSON
import TestSupport
import Testing

@testable import Manifest

@Suite struct ManifestSchemaTests {
    @Test func schema_saysItsDialectAndCoversLaterKeys() {
        let schema = ManifestSchema.json
        #expect(schema["$schema"] == "https://json-schema.org/draft/2020-12/schema")
        let service = schema["properties"]?["services"]?["patternProperties"]?.objectValue?.last?.value
        for key in ["traffic"] {
            let description = service?["properties"]?[key]?["description"]?.stringValue
            #expect(description?.hasSuffix("Not yet done by devmesh.") == true, "\(key)")
        }
        #expect(schema.serialized().utf8.allSatisfy { $0 != 0x0A })
    }

    @Test(arguments: ManifestFixtures.names("valid"))
    func validManifest_isValidUnderTheSchema(name: String) throws {
        let manifest = JSONDocument(parsing: Fixtures.bytes("manifests/valid/\(name)")).root.json
        // A key of later work may be null by itself, and so may it under the schema.
        #expect(try SchemaValidator().faults(of: manifest, under: ManifestSchema.json) == [])
    }

    /// Schema and checker agree on each fixture whose syntax is good; "not yet" is no matter of shape, and JSON Schema
    /// sees neither repeated names nor how small a size in words is.
    @Test(arguments: ManifestFixtures.names("invalid"))
    func invalidManifest_isJudgedBySchemaAsByChecker(name: String) throws {
        let document = JSONDocument(parsing: Fixtures.bytes("manifests/invalid/\(name)"))
        guard document.errors.isEmpty else { return }
        let report = Report(document: document, file: name)
        ShapeChecker(report: report).check(document.root, ManifestKeys.top, at: KeyTrail())
        let places = report.diagnostics.filter {
            !$0.sentence.mend.contains("not yet") && !$0.sentence.expected.hasPrefix("each name once")
                && $0.sentence.found != "\"64KB\""
        }.map(\.keyPath)
        let faults = try SchemaValidator().faults(of: document.root.json, under: ManifestSchema.json)
        #expect(faults.isEmpty == places.isEmpty, "\(name): schema \(faults), checker \(places)")
    }

    @Test func defaultsAndExamples_areValidByTheirOwnSchema() throws {
        func check(_ schema: JSON, _ place: String) throws {
            for member in schema["properties"]?.objectValue ?? [] {
                let place = "\(place).\(member.name)"
                let samples =
                    (member.value["examples"]?.arrayValue ?? []) + [member.value["default"]].compactMap(\.self)
                for sample in samples {
                    #expect(try SchemaValidator().faults(of: sample, under: member.value) == [], "\(place): \(sample)")
                }
                try check(member.value, place)
                for pattern in member.value["patternProperties"]?.objectValue ?? [] { try check(pattern.value, place) }
                for form in member.value["oneOf"]?.arrayValue ?? [] { try check(form, place) }
            }
        }
        try check(ManifestSchema.json, "")
    }

    @Test(arguments: [
        TextRule.any, .filled, .path, .projectName, .serviceName, .variableName, .versionName, .gitRef, .headerName,
        .origin, .hostName, .pathPrefix,
        .origin, .headerMatch, .cookieMatch, .cookieName, .imageName, .volume,
    ])
    func pattern_ofATextRule_agreesWithItsFunction(rule: TextRule) throws {
        let samples = [
            "", " ", "a", "A", "0", "_", "-", ".", "/", "a-b", "a_b", "a.b", "a b", "x-a", "-a", "0a", "a\n", "a\nb",
            "\n", "\t", "é", "aé", "😀", "/healthz", "/a b", "/é", "//", "a\u{0}", "\u{0}", "\u{7f}", "a/b",
            String(repeating: "a", count: 63), String(repeating: "a", count: 64), String(repeating: "é", count: 100),
            String(repeating: "é", count: 101), "reader.1", "dns", "e\u{301}", "--all", "feature/é",
            String(repeating: "a", count: 101),
            "X-Api-Key", "a:b", "*", "**", "http://a", "https://a.example:1", "http://[::1]:3", "http://", "http://a/",
            "a:/b", "-a:/b", ":/b", "./a:/b:ro", "a:b", "postgres:17",
            "1http://a", "h_t://a", "tauri://localhost", "a://b://c", "http://é",
            "members.test", "Members.Test.", ".test", "a..b", "a.-b", "127.0.0.1", "a.b:80", "[::1]", "*.test",
            String(repeating: "a.", count: 126) + "a", String(repeating: "a.", count: 127) + "a", "/a?b", "/a#b", "/a/",
            "/\"!~", "/a\u{7f}",
            "x-user: me=next", "x-user:me=next", "x-user : me = next ", "x-user: = next", "x-user: a=b=next",
            "x-user: me=", "x-user: me=a b", "x user: me=next", ": me=next", "x-user=me", "x-user: é=é", "a=b: c",
            "user=me=next", "user = me = next", "user==next", "user=me", "=me=next", "us er=me=next", "user=me=a\tb",
            "uberctx-*", "x-user: me\u{7f}=next", "a:b:c=d=e", " x-user: me=next", "user=a:b=c",
        ]
        for sample in samples {
            let faults = try SchemaValidator().faults(of: .string(sample), under: ["pattern": .string(rule.pattern)])
            #expect(faults.isEmpty == rule.matches(sample), "\(rule.pattern) and \(sample.debugDescription)")
        }
    }
}
