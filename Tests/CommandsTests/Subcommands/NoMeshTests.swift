import JSON
import TestSupport
import Testing

@testable import Commands

/// The built program where no mesh is up: exit codes, and what goes to which output.
struct NoMeshTests {
    static let manifest = """
        {
          "name": "newsroom",
          "env": {"LEVEL": "debug"},
          "services": {
            "reader": {
              "run": "./reader", "build": "echo building; test ! -e broken", "uses": ["members"],
              "env": {"TOKEN": "hush", "QUOTE": "it's", "SELF": "http://localhost:${PORT}"}
            },
            "members": {"remote": "http://members.example.com"}
          }
        }
        """

    @Test(
        arguments: [
            (["ps"], 3), (["restart", "reader"], 3), (["why", "reader"], 3), (["events"], 3),
            (["use", "reader", "remote"], 3),
            (["scale", "reader=2"], 3), (["route", "reader"], 3), (["route", "reader", "local=1", "remote=2"], 3),
            (["fault", "reader", "--delay", "1s"], 3), (["fault", "reader", "--abort", "never"], 2),
            (["wait", "reader"], 3), (["down"], 0), (["ls"], 0), (["check"], 0),
            (["logs"], 0),
            (["ports"], 0), (["config"], 0), (["schema"], 0), (["version"], 0), (["--version"], 0), (["help"], 0),
            (["--help"], 0), (["ps", "--help"], 0), ([], 2), (["strat"], 2), (["route"], 2), (["ps", "--jsn"], 2),
            (["stop"], 2), (["down", "now"], 2), (["scale", "reader"], 2), (["use", "reader"], 2),
            (["wait", "reader", "--timeout", "soon"], 2), (["logs", "-n", "x"], 2), (["logs", "--since", "soon"], 2),
            (["logs", "--grep", "("], 2), (["completions", "tcsh"], 2), (["logs", "raeder"], 1),
            (["env", "raeder"], 1),
            (["up", "reader", "--local", "reader"], 2), (["-f", "nosuch.json", "check"], 1),
        ] as [([String], Int32)])
    func exitCode_ofCommand_isAsListed(words: [String], code: Int32) throws {
        let project = TestProject(Self.manifest)
        let result = try ChildProcess.run(
            ChildProcess.devmesh, words, in: project.folder.path, environment: project.environment)
        #expect(result.status == code)
        // Every failure says something, on standard error alone; what succeeds says nothing there.
        if code != 0 { #expect(result.output == "") }
        #expect(result.errors.isEmpty == (code == 0))
    }

    @Test func folderWithoutManifest_hasNoMesh() throws {
        let project = TestProject()
        for (words, code) in [(["ps"], 3), (["stop", "a"], 3), (["down"], 0), (["up"], 1), (["check"], 1)] {
            let result = try ChildProcess.run(
                ChildProcess.devmesh, words, in: project.folder.path, environment: project.environment)
            #expect(result.status == code, "\(words)")
            #expect((result.output + result.errors).contains("`devmesh init` writes one"), "\(words)")
        }
    }

    @Test func everyCommand_invalidManifest_exits4WithEveryMistake() throws {
        let project = TestProject(#"{"services": {"a": {"rnu": "x"}, "b": {"run": 3}}}"#)
        for words in [
            ["check"], ["config"], ["env", "a"], ["exec", "a", "--", "true"], ["ports"], ["up"], ["up", "-d"],
        ] {
            let result = try ChildProcess.run(
                ChildProcess.devmesh, words, in: project.folder.path, environment: project.environment)
            #expect(result.status == 4)
            #expect(result.errors.contains("services.json:1:21: services.a.rnu: "))
            #expect(result.errors.contains("services.b.run: "))
            #expect(result.output == "")
        }
    }

    @Test func check_json_listsProblems() throws {
        let project = TestProject(#"{"services": {"a": {"run": "x", "rnu": "x"}}}"#)
        let result = try project.devmesh("check", "--json")
        let document = try JSON(parsing: result.output)
        #expect(document["valid"] == false)
        #expect(document["problems"]?.arrayValue?.count == 1)
        #expect(document["problems"]?.arrayValue?.first?["line"] == 1)
        #expect(document["problems"]?.arrayValue?.first?["key"] == "services.a.rnu")
    }

    @Test func env_evaluated_givesValues() throws {
        let project = TestProject(Self.manifest)
        let result = try project.shell(
            #"eval "$(devmesh env reader)"; echo "$QUOTE $LEVEL $SERVICE_NAME $TOKEN"; test "$SELF" = "http://localhost:$PORT""#
        )
        #expect(result.output == "it's debug reader hush\n")
        #expect(result.status == 0)
    }

    @Test func env_json_isOneDocument() throws {
        let document = try JSON(parsing: TestProject(Self.manifest).devmesh("env", "READER", "--json").output)
        #expect(document["SERVICE_NAME"] == "reader")
        #expect(document["SERVICE_MEMBERS_ADDRESS"]?.stringValue?.hasPrefix("127.0.0.1:") == true)
    }

    @Test func exec_command_runsInFolderAndEnvironment() throws {
        let project = TestProject(Self.manifest)
        let result = try project.devmesh("exec", "reader", "--", "sh", "-c", "pwd; echo $SERVICE_NAME; exit 7")
        #expect(result.output == project.folder.path + "\nreader\n")
        #expect(result.status == 7)
    }

    @Test func exec_signal_is128AndItsNumber() throws {
        let project = TestProject(Self.manifest)
        let killed = try project.shell("devmesh exec reader -- sh -c 'kill -KILL $$'; echo $?")
        #expect(killed.output == "137\n")
        #expect(try project.devmesh("exec", "reader", "nosuch").status == 127)
        #expect(try project.devmesh("exec", "reader", "./services.json").status == 126)
    }

    @Test func exec_brokenPipe_killsTheProgramAsUsual() throws {
        let project = TestProject(Self.manifest)
        let result = try project.shell("devmesh run -- yes | head -1; echo ${PIPESTATUS[0]}")
        #expect(result.output == "y\n141\n")
    }

    @Test func run_command_hasAllAddresses() throws {
        let project = TestProject(Self.manifest)
        let result = try project.devmesh("run", "--", "sh", "-c", "echo $SERVICE_READER_PORT; exit 3")
        #expect(result.status == 3)
        let ports = try JSON(parsing: project.devmesh("ports", "--json").output)
        let reader = ports.arrayValue?.first { $0["service"] == "reader" && $0["kind"] == "front" }
        #expect(reader?["port"]?.intValue.map { "\($0)\n" } == result.output)
    }

    @Test func build_failure_exits1WithOutput() throws {
        let project = TestProject(Self.manifest)
        let good = try project.devmesh("build", "reader")
        #expect(good.status == 0)
        #expect(good.output == "reader is built.\n")
        #expect(good.errors == "building\n")
        project.folder.write("broken", "")
        let bad = try project.devmesh("build", "reader")
        #expect(bad.status == 1)
        #expect(bad.errors.hasPrefix("building\n"))
        #expect(
            bad.errors.contains(
                "devmesh: reader could not be built: the build ended with exit code 1; what it printed stands above.\n")
        )
    }

    @Test func config_secrets_areMaskedUnlessRevealed() throws {
        let project = TestProject(Self.manifest)
        for words in [["config"], ["config", "--explain"], ["config", "--explain", "--json"]] {
            let folder = project.folder.path
            let run = { (more: [String]) in
                try ChildProcess.run(
                    ChildProcess.devmesh, words + more, in: folder, environment: project.environment
                ).output
            }
            #expect(try !run([]).contains("hush"))
            #expect(try run(["--reveal"]).contains("hush"))
        }
    }

    @Test func config_hasEachNameOnce_andEveryKey() throws {
        let project = TestProject(
            """
            {"env": {"A": "2"}, "envFile": ".env", "services": {"web": {"run": "x", "env": {"A": "3"}, "envFile": "./.env",
              "watch": {"paths": ["src"]}, "handover": "overlap", "timeouts": {"response": "90s"},
              "retries": {"on": ["reset", 503]}, "limits": {"cpu": 2, "breaker": {"open": "1s"}},
              "route": {"weights": {"local": 9, "next": 1}, "headers": ["x-user: me=next"], "sticky": {"cookie": "a"}},
              "versions": {"next": {"env": {}}}}}}
            """)
        project.folder.write(".env", "A=1\nB=1\n")
        // The parser refuses a name that comes twice.
        let config = try JSON(parsing: project.devmesh("config", "--reveal").output)
        #expect(config["envFile"]?.stringValue?.hasSuffix("/.env") == true)
        #expect(config["env"] == ["B": "1", "A": "2"])
        let web = config["services"]?["web"]
        #expect(web?["envFile"] == config["envFile"] && web?["versions"]?["next"]?["envFile"] == config["envFile"])
        #expect(web?["env"] == ["B": "1", "A": "3"])
        #expect(web?["watch"] == ["paths": ["src"], "ignore": [], "debounce": "200ms"])
        #expect(web?["handover"] == "overlap")
        #expect(web?["timeouts"] == ["connect": "5s", "response": "90s", "body": "1m"])
        #expect(web?["retries"] == ["attempts": 1, "on": ["reset", 503], "budget": 20])
        #expect(
            web?["limits"] == [
                "waiting": 1024, "cpu": 2, "breaker": ["failures": 5, "open": "1s"],
                "ejection": ["failures": 5, "time": "30s"],
            ])
        #expect(
            web?["route"] == [
                "weights": ["local": 9, "next": 1], "headers": ["x-user: me=next"], "sticky": ["cookie": "a"],
            ])
    }

    @Test func envFile_withThePortOfOthers_isReadAllTheSame() throws {
        let project = TestProject(
            #"{"envFile": ".env", "services": {"web": {"run": "x"}, "job": {"run": "x", "listens": false}}}"#)
        project.folder.write(".env", "A=1\nPORT=3000\n")
        let check = try project.devmesh("check")
        #expect(check.status == 0 && check.errors.contains(".env:2:1: warning: envFile.PORT: expected a variable "))
        for name in ["web", "job"] {
            let lines = try project.devmesh("env", name).output.split(separator: "\n")
            #expect(lines.contains("A='1'") && !lines.contains("PORT='3000'"), "\(name)")
        }
    }

    @Test func config_explain_saysWhoSetWhat() throws {
        let project = TestProject(Self.manifest)
        let result = try project.devmesh("config", "--explain", "--json", "reader", environment: ["LEVEL": "info"])
        let reader = try JSON(parsing: result.output)["reader"]
        #expect(
            reader?["LEVEL"] == ["value": "debug", "from": "services.json:3:11", "insteadOf": ["inherited"]])
        let sources = reader?.objectValue?.compactMap { $0.value["from"]?.stringValue } ?? []
        let isOrdered = sources.drop { $0 == "devmesh" }.drop { $0.contains(":") }.allSatisfy { $0 == "inherited" }
        #expect(isOrdered && sources.first == "devmesh" && sources.last == "inherited", "\(sources)")
    }

    @Test func output_readerGone_endsQuietly() throws {
        let project = TestProject(Self.manifest)
        let result = try project.shell(
            "set -o pipefail; for i in 1 2 3; do devmesh help --man | head -1; done >/dev/null")
        #expect(result.errors == "")
        #expect(result.status == 0)
    }

    @Test func output_fullDisk_isSaid() throws {
        let result = try TestProject(Self.manifest).shell("devmesh schema >/dev/full")
        #expect(result.status == 1)
        #expect(result.errors.hasPrefix("devmesh: The output could not be written: the disk is full; make room "))
    }

    @Test func complete_services_evenOfBrokenManifest() throws {
        let project = TestProject(#"{"services": {"reader": {"run": 1, "remote": "x",}, "db": {} // half"#)
        #expect(try project.devmesh("__complete", "services").output == "reader\ndb\n")
        #expect(try project.devmesh("__complete", "targets", "reader").output == "local\nremote\n")
    }

    static let versions = """
        {"services": {"web": {"run": "x", "env": {"A": "1"}, "target": "next", "build": "echo $A", "versions": {
          "next": {"env": {"A": "2"}}, "main": {"git": "main"}, "x-note": 1}}}}
        """

    @Test func complete_targets_areVersionsToo() throws {
        let project = TestProject(Self.versions)
        #expect(try project.devmesh("__complete", "targets", "WEB").output == "local\nnext\nmain\n")
    }

    /// A service's name stands for what the manifest has it served from.
    @Test func versions_areBuiltAndShown() throws {
        let project = TestProject(Self.versions)
        for (name, value) in [("web", "2"), ("web@next", "2"), ("WEB@NEXT", "2"), ("web@main", "1")] {
            let lines = try project.devmesh("env", name).output.split(separator: "\n")
            #expect(lines.contains("A='\(value)'"), "\(name)")
        }
        #expect(try project.devmesh("build", "web").errors == "2\n")
        let git = try project.devmesh("build", "web@main")
        #expect(git.status == 1 && git.errors.contains("main is checked out only while a mesh is up"))
        let unknown = try project.devmesh("env", "web@nxt")
        #expect(unknown.errors.contains("Did you mean \"web@next\"?"))
        let config = try JSON(parsing: project.devmesh("config").output)["services"]?["web"]
        #expect(config?["target"] == "next" && config?["env"]?["A"] == "1")
        #expect(config?["versions"]?["next"]?["env"]?["A"] == "2" && config?["versions"]?["main"]?["git"] == "main")
        #expect(config?["versions"]?["next"]?["target"] == nil)
    }

    @Test func start_ofProgram_needsNoFolder() throws {
        let result = try ChildProcess.run(ChildProcess.devmesh, ["version"], in: "/", environment: [:])
        #expect(result.output == "devmesh \(Version.text)\n")
    }
}
