import Platform
import TestSupport
import Testing

@testable import Commands

/// `devmesh init`, the built program: what it writes, and what it leaves alone.
struct InitTests {
    @Test func init_procfile_writesAManifestThatPassesItsCheck() throws {
        let project = TestProject()
        project.folder.write("Procfile", "web: ./web --port $PORT\nnonsense\n")
        let result = try project.devmesh("init")
        #expect(result.status == 0)
        #expect(result.output.hasPrefix("services.json is written, with 1 service: web.\n"))
        #expect(result.errors == "devmesh: line 2 was left out: it is not NAME: COMMAND.\n")
        let check = try project.devmesh("check")
        #expect(check.status == 0)
        #expect(check.errors == "")
        #expect(try project.devmesh("init", "--stdout").output == project.folder.read("services.json"))
    }

    @Test func init_existingManifest_isLeftAsItIs() throws {
        let project = TestProject("{}")
        project.folder.write("Procfile", "web: ./web\n")
        let result = try project.devmesh("init")
        #expect(result.status == 1)
        #expect(result.output == "")
        #expect(result.errors.hasPrefix("devmesh: services.json is there already, and is left as it is."))
        #expect(project.folder.read("services.json") == "{}")
        // A link that leads nowhere is somebody's, too.
        let linked = try project.shell("ln -s nowhere mesh.json && devmesh init -f mesh.json")
        #expect(linked.status == 1)
        #expect(project.folder.read("nowhere") == nil)
        #expect(try project.devmesh("init", "-f", "other.json").status == 0)
        #expect(project.folder.read("other.json")?.contains(#""run": "./web""#) == true)
    }

    @Test func init_severalSources_takesTheFirstAndNamesTheRest() throws {
        let project = TestProject()
        project.folder.write("Procfile", "web: ./web\n")
        project.folder.write("Procfile.dev", "web: ./web --reload\n")
        let result = try project.devmesh("init", "--stdout")
        #expect(result.output.contains("--reload"))
        #expect(
            result.errors.contains("Procfile is here, too, and was not read; `devmesh init --from Procfile --stdout`"))
        #expect(project.folder.read("services.json") == nil)
    }

    @Test func init_sourceElsewhere_runsItsServicesThere() throws {
        let project = TestProject()
        project.folder.write("deploy/Procfile", "web: ./web\n")
        project.folder.write("deploy/.env", "TOKEN=x\n")
        let result = try project.devmesh("init", "--from", "deploy/Procfile")
        #expect(result.status == 0)
        let text = project.folder.read("services.json") ?? ""
        #expect(text.contains(#""directory": "deploy""#))
        #expect(text.contains(#""envFile": "deploy/.env""#))
        #expect(try project.devmesh("check").status == 0)
    }

    @Test func init_yaml_isReadByTheFirstToolThatCan() throws {
        let project = TestProject()
        project.folder.write("process-compose.yaml", "processes:\n  a:\n    command: ./a --port $PORT\n")
        // As one that takes other options, and one that prints JSON.
        project.folder.write("tools/yq", "#!/bin/sh\necho 'unknown option' >&2\nexit 2\n", permissions: 0o700)
        project.folder.write(
            "tools/python3", "#!/bin/sh\necho '{\"processes\": {\"a\": {\"command\": \"./a --port $PORT\"}}}'\n",
            permissions: 0o700)
        let result = try project.devmesh("init", "--stdout", environment: ["PATH": project.folder.path + "/tools"])
        #expect(result.status == 0)
        #expect(result.output.contains(#""run": "./a --port $PORT""#))
        project.folder.write("tools/python3", "#!/bin/sh\nexit 1\n", permissions: 0o700)
        let failed = try project.devmesh("init", environment: ["PATH": project.folder.path + "/tools"])
        #expect(failed.status == 1)
        #expect(
            failed.errors.hasPrefix("devmesh: process-compose.yaml could not be turned from YAML into JSON by python3.")
        )
        let without = try project.devmesh("init", environment: ["PATH": project.folder.path])
        #expect(without.status == 1)
        #expect(without.errors.contains("nothing here turns YAML into JSON. Install yq, or python3 or ruby"))
    }

    @Test func init_composeFile_isReadByDocker() throws {
        let project = TestProject()
        let path = ["PATH": project.folder.path + "/tools:/bin"]
        project.folder.write("compose.yaml", "services:\n  db:\n    image: postgres:17\n")
        let without = try project.devmesh("init", environment: ["PATH": project.folder.path])
        #expect(without.status == 1)
        #expect(
            without.errors.contains("compose.yaml is read by `docker compose config`, and there is no program docker"))
        func write(docker script: String) {
            project.folder.write("tools/docker", "#!/bin/sh\n\(script)\n", permissions: 0o700)
        }
        write(docker: "echo no plug-in >&2; exit 1")
        let failed = try project.devmesh("init", environment: path)
        #expect(failed.status == 1)
        #expect(failed.errors.hasPrefix("no plug-in\ndevmesh: `docker compose config` could not read compose.yaml;"))
        write(docker: #"echo "$*" > words; echo '{"services": {"db": {"image": "postgres:17", "privileged": true}}}'"#)
        let result = try project.devmesh("init", environment: path)
        #expect(result.status == 0)
        #expect(result.errors.hasPrefix("devmesh: db: not carried over: privileged.\n"))
        // Without -f docker merges what overrides it.
        #expect(project.folder.read("words") == "compose --profile * config --format json\n")
        #expect(project.folder.read("services.json")?.contains(#""image": "postgres:17", "port": 5432"#) == true)
        #expect(try project.devmesh("check").status == 0)
    }

    @Test func init_secrets_areForTheUserAlone() throws {
        let project = TestProject()
        let db = #"{"image": "postgres", "environment": {"POSTGRES_PASSWORD": "hush"}}"#
        project.folder.write("compose.json", "{\"services\": {\"db\": \(db)}}")
        project.folder.write("compose.override.yaml", "")
        let result = try project.devmesh("init", "--from", "compose.json")
        #expect(result.status == 0)
        #expect(result.errors.contains("only you may read it: db.POSTGRES_PASSWORD."))
        #expect(!result.errors.contains("hush"))
        #expect(result.errors.contains("compose.override.yaml is here, too, and was not read"))
        #expect(Kernel.real.status(project.folder.path + "/services.json")?.mode == 0o600)
        let printed = try project.devmesh("init", "--from", "compose.json", "--stdout")
        #expect(printed.errors.contains("the manifest holds what look like secrets: db.POSTGRES_PASSWORD."))
    }

    @Test func init_composeFileThatNobodyResolved_isRefused() throws {
        let project = TestProject()
        project.folder.write("raw.json", #"{"services": {"web": {"image": "web", "ports": ["8080:80"]}}}"#)
        let result = try project.devmesh("init", "--from", "raw.json")
        #expect(result.status == 1)
        #expect(result.errors.contains("`docker compose -f raw.json config --format json` resolves it"))
        #expect(project.folder.read("services.json") == nil)
    }

    @Test func init_withPodmanAlone_buildsByPodman() throws {
        let project = TestProject()
        project.folder.write("compose.json", #"{"services": {"web": {"build": {"context": "."}}}}"#)
        project.folder.write("tools/podman", "#!/bin/sh\n", permissions: 0o700)
        let path = ["PATH": project.folder.path + "/tools"]
        let result = try project.devmesh("init", "--from", "compose.json", "--stdout", environment: path)
        #expect(result.output.contains(#""build": ["podman", "build""#))
    }

    @Test func init_processComposeOverride_isNamed() throws {
        let project = TestProject()
        project.folder.write("process-compose.json", #"{"processes": {"a": {"command": "./a --port $PORT"}}}"#)
        project.folder.write("process-compose.override.yaml", "")
        let result = try project.devmesh("init", "--from", "process-compose.json", "--stdout")
        #expect(result.errors.contains("process-compose.override.yaml is here, too, and was not read"))
    }

    @Test func init_nothingToGoBy_saysWhatWasLookedFor() throws {
        let project = TestProject()
        let result = try project.devmesh("init")
        #expect(result.status == 1)
        #expect(
            result.errors.contains("Package.swift, package.json, go.mod, Cargo.toml or manage.py"))
        #expect(project.folder.read("services.json") == nil)
        project.folder.write("notes.txt", "x")
        #expect(
            try project.devmesh("init", "--from", "notes.txt").errors.contains("notes.txt is none of what can be read"))
        #expect(try project.devmesh("init", "--from", "nowhere").errors.contains("nowhere could not be read"))
    }
}
