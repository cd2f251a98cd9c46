import JSON
import Platform
import TestSupport
import Testing

@testable import Commands

/// What is judged by numbers alone.
struct MachineFindingTests {
    @Test(
        arguments: [
            (256, 1024, .warning), (1024, 4095, .warning), (1024, 4096, .ok), (1024, .max, .ok),
        ] as [(UInt64, UInt64, Finding.State)])
    func descriptors_byTheHardLimit(soft: UInt64, hard: UInt64, state: Finding.State) {
        let finding = Doctor.descriptors(ResourceLimits(soft: soft, hard: hard))
        #expect(finding.state == state)
        #expect((finding.remedy == nil) == (state == .ok))
        #expect(finding.detail.contains(hard == .max ? "any number of" : "\(hard)"))
    }

    @Test(arguments: [(100, .warning), (512, .ok), (.max, .ok)] as [(UInt64, Finding.State)])
    func processes_byTheSoftLimit(soft: UInt64, state: Finding.State) {
        #expect(Doctor.processes(ResourceLimits(soft: soft, hard: .max)).state == state)
    }

    @Test(
        arguments: [
            (8192, 128, "max_user_watches="), (524_288, 64, "max_user_instances="), (524_288, 128, nil),
        ] as [(Int, Int, String?)])
    func fileWatches_nameTheSettingThatIsLow(watches: Int, instances: Int, setting: String?) {
        let finding = Doctor.fileWatches(watches, instances: instances)
        #expect((finding.state == .ok) == (setting == nil))
        if let setting { #expect(finding.remedy?.contains(setting) == true) }
    }

    @Test(
        arguments: [
            (32768...60999, .ok), (20200...60999, .ok), (1024...65535, .warning), (15000...16000, .warning),
            (1024...9999, .ok),
        ] as [(ClosedRange<Int>, Finding.State)])
    func portRange_mustLeaveOursAlone(range: ClosedRange<Int>, state: Finding.State) {
        #expect(Doctor.portRange(range).state == state)
    }

    @Test(arguments: [(0, .problem), (64 << 20, .warning), (1 << 30, .ok)] as [(Int, Finding.State)])
    func space_byWhatIsFree(free: Int, state: Finding.State) {
        #expect(Doctor.space(free, in: "/x").state == state)
    }

    @Test func clock_beforeThisProgramWasWritten_isAProblem() {
        #expect(Doctor.clock(WallTime(microseconds: 0)).state == .problem)
        #expect(Doctor.clock(.now).state == .ok)
    }
}

/// A project in a folder of its own; one after another, since each tries the same ports.
@Suite(.serialized) struct ProjectFindingTests {
    private static func doctor(_ project: TestProject, path: String = "/usr/bin:/bin") -> Doctor {
        Doctor(
            environment: project.environment.merging(["PATH": path]) { $1 }, directory: project.folder.path)
    }

    private static func project(_ services: String) -> TestProject {
        // A block that no mesh of another test is given.
        TestProject(#"{"name": "newsroom", "ports": {"first": 29000}, "services": {\#(services)}}"#)
    }

    @Test func healthyProject_hasNoProblem_andNothingIsWrittenDown() {
        let project = Self.project(#""web": {"run": "sleep 1"}, "api": {"run": ["sh", "-c", "true"]}"#)
        let findings = Self.doctor(project).findings()
        #expect(findings.filter { $0.state == .problem } == [])
        #expect(findings.contains(.ok("programs", "found: sh, sleep")))
        #expect(findings.contains { $0.check == "ports" && $0.detail.hasSuffix("the first `up` takes them") })
        #expect(project.folder.read("state/devmesh/ports.json") == nil)
    }

    @Test func missingPrograms_areNamedWithTheirServiceAndKey() {
        let project = Self.project(
            """
            "web": {"run": "A=1 nosuchprogram --port $PORT", "build": ["nosuchbuilder"]},
            "built": {"run": "./built", "build": "make"}, "unbuilt": {"run": "./unbuilt"},
            "shell": {"run": "cd x && ./y"}, "later": {"run": "./later", "dependsOn": {"built": "started"}}, "lost": {"directory": "nosuch", "run": "sleep 1"},
            "spare": {"run": "nosuchspare", "remote": "http://127.0.0.1:9", "target": "remote"}
            """)
        project.folder.write("bin/make", "#!/bin/sh\n", permissions: 0o700)
        let path = project.folder.path + "/bin"
        let findings = Self.doctor(project, path: path).findings().filter { $0.check == "programs" }
        #expect(
            findings.map { "\($0.state): \($0.detail)" } == [
                "problem: `run` of web begins with nosuchprogram, which can't be executed",
                "problem: `build` of web begins with nosuchbuilder, which can't be executed",
                "problem: `run` of unbuilt begins with ./unbuilt, which can't be executed",
                "warning: `run` of later begins with ./later, which can't be executed",
                "problem: the folder of lost, \(project.folder.path)/nosuch, does not exist",
                "warning: `run` of spare begins with nosuchspare, which can't be executed",
            ])
        #expect(findings.allSatisfy { $0.remedy != nil })
    }

    @Test func git_isNeededWhereAVersionIsARef() {
        let project = Self.project(#""web": {"run": "sleep 1", "versions": {"main": {"git": "main"}}}"#)
        #expect(
            Self.doctor(project, path: "/nowhere").findings().contains {
                $0.check == "git" && $0.state == .problem && $0.detail == Sentences.noGit
            })
        project.folder.write("bin/git", "#!/bin/sh\necho git version 2.99\n", permissions: 0o700)
        let path = project.folder.path + "/bin:/usr/bin:/bin"
        #expect(Self.doctor(project, path: path).findings().contains(.ok("git", "git version 2.99")))
        for broken in ["exit 3", "exec >&-; sleep 1000", "echo git; exit 1"] {
            project.folder.write("bin/git", "#!/bin/sh\n\(broken)\n", permissions: 0o700)
            let findings = Self.doctor(project, path: path).findings()
            #expect(findings.contains { $0.check == "git" && $0.state == .problem }, "\(broken)")
        }
    }

    @Test func docker_isNeededWhereAServiceIsAContainer() throws {
        let project = Self.project(#""db": {"container": {"image": "postgres:17", "port": 5432}}"#)
        let none = Self.doctor(project, path: "/nowhere").findings()
        #expect(none.contains(.problem("containers", Sentences.noClient, Sentences.mendClient)))
        let path = project.folder.path + "/bin"
        project.folder.write("bin/docker", "#!/bin/sh\nexit 1\n", permissions: 0o700)
        let silent = Self.doctor(project, path: path).findings().first { $0.check == "containers" }
        #expect(silent?.state == .problem)
        #expect(silent?.detail.contains("no answer of its daemon") == true)
        project.folder.write("bin/docker", "#!/bin/sh\necho 28.1.0\n", permissions: 0o700)
        #expect(Self.doctor(project, path: path).findings().contains(.ok("containers", "docker 28.1.0")))
    }

    @Test func heldPort_isAProblemThatNamesItsHolder() throws {
        let holder = try Kernel.real.listen(at: .loopback(0), backlog: 1)
        let port = try #require(Kernel.real.localAddress(holder)?.port)
        let project = Self.project(#""web": {"run": "sleep 1", "port": \#(port)}"#)
        let findings = Self.doctor(project).findings().filter { $0.check == "ports" }
        #expect(findings.count == 1 && findings[0].state == .problem)
        #expect(findings[0].detail.contains("Port \(port), the front of web, is held by"))
        #expect(findings[0].remedy?.hasPrefix("Stop that process") == true)
        withExtendedLifetime(holder.raw) {}
    }

    @Test func whatDeadMeshesLeft_isSaid() {
        let project = Self.project(#""web": {"run": "sleep 1"}"#)
        project.folder.write(".devmesh/services.json/worktrees/web@main/README", "")
        project.folder.write(".devmesh/services.json/journal", "devmesh-journal 1")
        project.folder.write(".devmesh/services.json/containers.json", "{}")
        let findings = Self.doctor(project).findings()
        #expect(findings.contains(.warning("containers", Sentences.leftContainers, Sentences.mendContainers)))
        #expect(findings.contains(.warning("journal", Sentences.crashed, Sentences.mendCrash)))
        let left = findings.first { $0.check == "worktrees" }
        #expect(left?.state == .warning && left?.detail.contains("1 checkout of git refs") == true)
        #expect(findings.contains(.ok("meshes", "none is up")))
    }

    @Test func stateFolderThatCannotBe_isAProblem() {
        let project = Self.project(#""web": {"run": "sleep 1"}"#)
        project.folder.write(".devmesh", "a file in its place")
        #expect(Self.doctor(project).findings().contains { $0.check == "disk" && $0.state == .problem })
    }

    @Test func invalidManifest_isAProblemForEachMistake() {
        let project = Self.project(#""web": {"rnu": "x", "run": 3}"#)
        let findings = Self.doctor(project).findings()
        let manifest = findings.filter { $0.check == "manifest" }
        #expect(manifest.count == 2 && manifest.allSatisfy { $0.state == .problem })
        #expect(manifest[0].detail.hasPrefix("services.json:1:") && manifest.allSatisfy { $0.remedy != nil })
    }

    @Test func noManifest_onlyTheMachineIsLookedAt() {
        let project = TestProject()
        let findings = Self.doctor(project).findings()
        #expect(findings.first { $0.check == "manifest" }?.state == .ok)
        #expect(!findings.contains { $0.check == "ports" || $0.check == "programs" })
    }

    @Test func remotes_areAskedWithNetworkOnly() throws {
        let listener = try Kernel.real.listen(at: .loopback(0), backlog: 1)
        let port = try #require(Kernel.real.localAddress(listener)?.port)
        let project = Self.project(
            """
            "here": {"remote": "http://127.0.0.1:\(port)"}, "gone": {"remote": "http://127.0.0.1:1"},
            "nowhere": {"remote": "http://nowhere.invalid"}
            """)
        var doctor = Self.doctor(project)
        #expect(!doctor.findings().contains { $0.check.hasPrefix("remote") })
        doctor.usesNetwork = true
        let states = doctor.findings().filter { $0.check.hasPrefix("remote") }
        #expect(
            states.map { "\($0.check): \($0.state)" } == [
                "remote of here: ok", "remote of gone: problem", "remote of nowhere: problem",
            ])
        withExtendedLifetime(listener.raw) {}
    }

    @Test func secrets_areMasked() {
        let project = TestProject(
            #"{"ports": {"first": 29000}, "env": {"API_TOKEN": "hushhush"}, "services": {"web": {"run": ["${API_TOKEN}"]}}}"#
        )
        let findings = Self.doctor(project).findings()
        #expect(findings.contains { $0.check == "programs" && $0.state == .problem })
        #expect(!findings.contains { $0.detail.contains("hushhush") || $0.remedy?.contains("hushhush") == true })
    }
}

/// What the command prints, and its exit code.
struct DoctorCommandTests {
    @Test func json_hasAllOfEachFinding_andProblemsExit1() throws {
        let project = TestProject(#"{"services": {"web": {"run": "nosuchprogram"}}}"#)
        let result = try project.devmesh("doctor", "--json")
        #expect(result.status == 1 && result.errors == "")
        let findings = try #require(JSON(parsing: result.output).arrayValue)
        #expect(findings.count > 8)
        for finding in findings {
            #expect((finding.objectValue ?? []).map(\.name) == ["check", "state", "detail", "remedy"])
        }
        let programs = findings.first { $0["check"] == "programs" }
        #expect(programs?["state"] == "problem")
    }

    @Test func text_hasALineEach_andWhatToDo() throws {
        let findings: [Finding] = [
            .ok("clock", "it is noon"), .warning("disk", "little is free", "make room"),
            .problem("ports", "port 1 is held by x and quite some more", "stop x"),
        ]
        #expect(
            FindingsText.lines(findings, width: 40, colours: false) == [
                "ok       clock: it is noon", "warning  disk: little is free", "         → make room",
                "problem  ports: port 1 is held by x and", "         quite some more", "         → stop x",
            ])
        #expect(FindingsText.summary(findings).hasPrefix("1 problem, 1 warning: follow the arrows"))
        #expect(FindingsText.summary([findings[0], findings[1]]) == "No problems; 1 warning.")
        #expect(FindingsText.summary([findings[0]]) == "Nothing to mend.")
    }

    @Test func wholeProject_exits0() throws {
        let project = TestProject(#"{"ports": {"first": 29400}, "services": {"web": {"run": "sleep 1"}}}"#)
        let result = try project.devmesh("doctor")
        #expect(result.status == 0, "\(result.output)")
        #expect(result.output.contains("ok       programs: found: sleep"))
    }
}
