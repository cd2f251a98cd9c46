import JSON
import Manifest
import TestSupport
import Testing

@testable import Import

/// Whatever a source holds, the manifest made of it passes its check.
struct ImportRulesTests {
    private static let keys = [
        "command", "working_dir", "environment", "depends_on", "readiness_probe", "liveness_probe", "availability",
        "shutdown", "replicas", "disabled", "is_daemon", "description", "http_get", "exec", "port", "path", "restart",
        "condition", "signal", "timeout_seconds", "period_seconds", "failure_threshold", "ready_log_line", "processes",
    ]
    private static let texts = [
        "./run --port $PORT", "serve -p 80", "serve --port=70000", "", "$", "$$", "${A}", "${A:-b}", "${", "a=b",
        "PORT=1", "SERVICE_A=x", "1=2", "process_healthy", "process_completed", "always", "no", "/healthz", "healthz",
        "(", "a\u{0}b", "é\n", "../x", "/srv", "a", "b", "c", "A", "dns", "x-a", "a.1", "-", "",
    ]

    private func value(_ depth: Int, _ random: inout SeededGenerator) -> JSON {
        switch Int.random(in: 0..<(depth > 3 ? 5 : 9), using: &random) {
        case 0: return .null
        case 1: return .bool(.random(using: &random))
        case 2: return .int([-1, 0, 1, 2, 3000, 65536, 1 << 40].randomElement(using: &random)!)
        case 3, 4: return .string(Self.texts.randomElement(using: &random)!)
        case 5: return .array((0..<3).map { _ in value(depth + 1, &random) })
        default:
            return .object(
                (0..<Int.random(in: 0...6, using: &random)).map { _ in
                    let names = Bool.random(using: &random) ? Self.keys : Self.texts
                    return JSON.Member(names.randomElement(using: &random)!, value(depth + 1, &random))
                })
        }
    }

    /// Services whose keys are known, with values that are sound as often as not.
    private func process(_ random: inout SeededGenerator) -> JSON {
        func any(_ sound: JSON) -> JSON { Int.random(in: 0..<4, using: &random) == 0 ? value(1, &random) : sound }
        let conditions = ["process_started", "process_healthy", "process_completed"]
        let probe: JSON = [
            "http_get": ["port": .int([80, 3000].randomElement(using: &random)!), "path": any("/x")],
            "period_seconds": any(1),
        ]
        var members: [JSON.Member] = [
            .init("command", any(.string(Self.texts.randomElement(using: &random)!))),
            .init(
                "environment", any(.array([any("A=${B}"), any(.string(Self.texts.randomElement(using: &random)!))]))),
            .init(
                "depends_on",
                any(
                    .object(
                        ["a", "b", "c", "A", "x-a"].filter { _ in .random(using: &random) }.map {
                            .init($0, ["condition": any(.string(conditions.randomElement(using: &random)!))])
                        }))),
            .init("readiness_probe", any(probe)), .init("liveness_probe", any(probe)),
            .init("availability", any(["restart": any("always")])), .init("replicas", any(3)),
            .init("disabled", any(false)), .init("working_dir", any("x")),
        ]
        members.removeAll { _ in .random(using: &random) }
        return .object(members)
    }

    @Test(arguments: 0..<40) func processCompose_ofAnything_givesASoundManifest(seed: UInt64) throws {
        var random = SeededGenerator(seed)
        for _ in 0..<20 {
            let processes = ["a", "b", "c", "A", "x-a", "dns", ""].filter { _ in .random(using: &random) }.map {
                JSON.Member($0, Bool.random(using: &random) ? process(&random) : value(0, &random))
            }
            let json: JSON = ["environment": value(0, &random), "processes": .object(processes)]
            guard let manifest = try? ImportedManifest.processCompose(json, origin) else {
                #expect(processes.isEmpty)
                continue
            }
            expectValid(manifest, json)
        }
    }

    @Test(arguments: 0..<20) func procfile_ofAnything_givesASoundManifest(seed: UInt64) throws {
        var random = SeededGenerator(seed)
        for _ in 0..<20 {
            let lines = (0..<5).map { _ in
                let name = Self.texts.randomElement(using: &random)!
                return "\(name)\(Bool.random(using: &random) ? ":" : "") \(Self.texts.randomElement(using: &random)!)"
            }
            let text = lines.joined(separator: "\n")
            if let manifest = try? ImportedManifest.procfile(text, origin) { expectValid(manifest, .string(text)) }
        }
    }

    private func composed(_ random: inout SeededGenerator) -> JSON {
        func any(_ sound: JSON) -> JSON { Int.random(in: 0..<4, using: &random) == 0 ? value(1, &random) : sound }
        func text() -> JSON { .string(Self.texts.randomElement(using: &random)!) }
        let conditions: [JSON] = ["service_started", "service_healthy", "service_completed_successfully"]
        var members: [JSON.Member] = [
            .init("image", any(text())), .init("build", any(["context": any("."), "args": any(["A": any("$$")])])),
            .init("environment", any(["A": any("b:80"), "PORT": any("1"), "B C": nil, "D": any("http://a-b:90/")])),
            .init("ports", any([any(["target": any(80), "published": any("8080")])])),
            .init("expose", any([any("90")])), .init("command", any([any(text())])),
            .init("volumes", any([any(["type": any("bind"), "source": any(text()), "target": any("/x")])])),
            .init(
                "depends_on",
                any(
                    .object(
                        ["a-b", "b", "c", "a_b"].filter { _ in .random(using: &random) }.map {
                            .init($0, ["condition": any(conditions.randomElement(using: &random)!)])
                        }))),
            .init("restart", any("always")), .init("scale", any(2)), .init("stop_grace_period", any("1m1s")),
            .init("entrypoint", any([any("/init"), text()])), .init("working_dir", any(text())),
            .init("user", any(text())), .init("mem_limit", any("1073741824")), .init("cpus", any(0.5)),
            .init("tty", any(true)),
            .init("profiles", any(["debug"])), .init("container_name", any(text())), .init("links", any(["b:c"])),
            .init("healthcheck", any(["test": any(["CMD", any("x")]), "interval": any("10s")])),
        ]
        members.removeAll { _ in .random(using: &random) }
        return .object(members)
    }

    @Test(arguments: 0..<40) func compose_ofAnything_givesASoundManifest(seed: UInt64) throws {
        var random = SeededGenerator(seed)
        for _ in 0..<20 {
            let services = ["a-b", "a_b", "b", "c", "dns", ""].filter { _ in .random(using: &random) }.map {
                JSON.Member($0, Bool.random(using: &random) ? composed(&random) : value(0, &random))
            }
            let json: JSON = ["name": value(0, &random), "services": .object(services)]
            do throws(ImportError) { expectValid(try .compose(json, origin), json) } catch {
                #expect(services.isEmpty || error == .unresolved(source: "x"))
            }
        }
    }

    private func expectValid(_ manifest: ImportedManifest, _ json: JSON) {
        let loaded = Manifest.load(Array(manifest.text.utf8), path: "/project/services.json", environment: [:]) { _ in
            .failure(FileFailure(reason: "there is none"))
        }
        guard case .invalid(let diagnostics) = loaded else { return }
        Issue.record("\(diagnostics)\n\(manifest.text)\nfrom \(json.serialized())")
    }

    private let origin = ImportOrigin(source: "x", folder: "/project", manifestFolder: "/project")

    @Test(
        arguments: [
            ("web", "web"), ("web server", "web-server"), ("dns", "dns-service"), ("Callback", "Callback-service"),
            ("reader.1", "reader-1"), ("reader.v1", "reader.v1"), ("x-ray", "sx-ray"), ("_a", "s_a"), ("", "s"),
            ("größe", "gr--e"), ("a.", "a-"),
        ]) func name_ofAService_isOneThatAManifestTakes(old: String, new: String)
    {
        #expect(ServiceNaming.name(for: old) == new)
    }

    @Test func path_isRelativeWhereItIsNear() {
        let origin = ImportOrigin(source: "x", folder: "/home/ada/shop/deploy", manifestFolder: "/home/ada/shop")
        #expect(origin.path(".") == "deploy")
        #expect(origin.path("..") == ".")
        #expect(origin.path("../web/./src") == "web/src")
        #expect(origin.path("../../lib") == "../lib")
        #expect(origin.path("/home/ada/shop/data") == "data")
        #expect(origin.path("/home/bob") == "/home/bob")
        #expect(origin.path("/var/run") == "/var/run")
        #expect(origin.directory("..") == nil)
        #expect(origin.directory("a$b") == "deploy/a$$b")
    }

    @Test(
        arguments: [
            ("$A", "${A:-}"), ("${A}", "${A:-}"), ("${A:-b}", "${A:-b}"), ("$$A", "$$A"), ("$", "$$"), ("$1", "$$1"),
            ("${A", "$${A"), ("${A-b}", "$${A-b}"), ("a$A.b", "a${A:-}.b"), ("5$ ${}", "5$$ $${}"),
        ]) func template_isWrittenAsTheManifestHasIt(text: String, expected: String)
    {
        #expect(Dollars.template(text) == expected)
    }

    @Test func environmentFile_isNamedWhereAManifestTakesIt() throws {
        var origin = origin
        origin.environmentFile = Array("A=1\n".utf8)
        let taken = try ImportedManifest.procfile("web: x", origin)
        #expect(taken.text.contains(#""envFile": ".env""#))
        expectSound(taken, file: origin.environmentFile!)
        origin.environmentFile = Array("A=1\nPORT=3000\n".utf8)
        let ofOthers = try ImportedManifest.procfile("web: x", origin)
        #expect(ofOthers.text.contains(#""envFile": ".env""#))
        #expect(
            ofOthers.notes == [
                ".env: line 2: expected a variable that devmesh does not set itself, found \"PORT\", which counts for "
                    + "nothing here"
            ])
        origin.environmentFile = Array("A=1\nPORT=3000\nSERVICE_X=1\n".utf8)
        let left = try ImportedManifest.procfile("web: x", origin)
        #expect(!left.text.contains("envFile"))
        #expect(
            left.notes == [
                ".env was left out (line 3: expected a variable that devmesh does not set itself, found \"SERVICE_X\"); "
                    + "without these lines it can be the \"envFile\" of the manifest"
            ])
    }

    @Test(
        arguments: [
            ("Procfile", "web: x", .procfile), ("Procfile.dev", "web: x", .procfile), ("my.procfile", "", .procfile),
            ("process-compose.yaml", "processes:\n  a:\n", .processCompose(isYAML: true)),
            ("x.json", #"{"processes": {}}"#, .processCompose(isYAML: false)), ("x.json", "{}", nil),
            ("compose.yaml", "name: x\nservices:\n", .compose(isYAML: true)),
            ("x.json", #"{"services": {}}"#, .compose(isYAML: false)), ("x.yml", "version: 1", nil),
            ("main.c", "int main;", nil),
        ] as [(String, String, ImportFormat?)]) func format_isToldByNameAndContents(
            name: String, text: String, format: ImportFormat?
        )
    {
        #expect(ImportFormat(file: name, holding: text) == format)
    }
}
