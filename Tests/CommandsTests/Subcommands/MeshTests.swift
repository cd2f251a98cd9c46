import JSON
import TestSupport
import Testing

@testable import Commands

/// The built program with a real mesh; one after another, since each takes a block of ports.
@Suite(.serialized) struct MeshTests {
    /// One registry of ports for all of them, so that they don't take each other's.
    static let home = TestProject()

    static func project(_ services: String) -> TestProject {
        TestProject(#"{"name": "newsroom", "services": {\#(services)}}"#)
    }

    static let web = #""web": {"run": ["\#(fixtureProgram)", "say", "hello", "serve", "http"]}"#

    /// Runs a mesh in the background around a test.
    static func withMesh(_ services: String, up: [String] = ["--wait"], _ body: (MeshProject) throws -> Void) throws {
        let mesh = MeshProject(project: project(services), home: home)
        let result = try mesh.run(["up"] + up)
        #expect(result.status == 0, "\(result.errors)")
        defer { _ = try? mesh.run(["down"]) }
        try body(mesh)
        #expect(try mesh.run(["down"]).status == 0)
        #expect(try mesh.run(["ps"]).status == 3)
    }

    @Test func commands_onMesh_sayWhatTheyDid() throws {
        try Self.withMesh(Self.web + #", "other": {"run": ["sleep", "1000"], "listens": false}"#) { mesh in
            #expect(try mesh.say("restart", "web") == "web is restarted.\n")
            #expect(try mesh.say("stop", "WEB") == "web is stopped.\n")
            #expect(try mesh.say("start", "web") == "web is up.\n")
            #expect(try mesh.say("scale", "web=2") == "web has 2 instances.\n")
            #expect(try mesh.say("wait", "web", "other") == "web and other are ready.\n")
            #expect(try mesh.run(["wait", "web", "--for", "stopped", "--timeout", "1ms"]).status == 124)
            let missing = try mesh.run(["restart", "wbe"])
            #expect(missing.status == 1)
            #expect(missing.errors.contains("web"))
            #expect(try mesh.run(["up", "-d"]).errors.contains("newsroom is up already: nothing to change."))
            #expect(try mesh.say("ls").contains("newsroom"))
            #expect(try mesh.say("why", "web").hasPrefix("web is ready\n"))
        }
    }

    @Test func open_printsTheAddress_andOpensItOnATerminalOnly() throws {
        try Self.withMesh(Self.web) { mesh in
            let ports = try JSON(parsing: mesh.say("ports", "--json")).arrayValue ?? []
            let gateway = try #require(ports.first { $0["kind"] == "gateway" }?["url"]?.stringValue)
            let front = try #require(ports.first { $0["kind"] == "front" }?["url"]?.stringValue)
            #expect(try mesh.say("open") == gateway + "\n")
            #expect(try mesh.say("open", "WEB") == front + "\n")
            #expect(try mesh.say("open", "--json", "web") == #"{"url":"\#(front)"}"# + "\n")
            #expect(try mesh.run(["open", "wbe"]).errors.contains("Did you mean \"web\"?"))
            // script(1) lends it a terminal.
            let opened = try mesh.shell("BROWSER='echo opened' script -qec 'devmesh open web' /dev/null </dev/null")
            #expect(opened.output == "\(front)\r\nopened \(front)\r\n")
            let quiet = try mesh.shell("BROWSER='echo opened' devmesh open web")
            #expect(quiet.output == front + "\n")
        }
    }

    @Test func ps_json_isAsTheContractSays() throws {
        try Self.withMesh(Self.web) { mesh in
            let services = try JSON(parsing: mesh.say("ps", "--json")).arrayValue
            #expect(services?.count == 1)
            let web = try #require(services?.first)
            for key in ["service", "state", "target", "address", "url", "reason", "instances"] {
                #expect(web[key] != nil, "\(key)")
            }
            #expect(web["state"] == "ready")
            #expect(web["reason"] == .null)
            let instance = try #require(web["instances"]?.arrayValue?.first)
            for key in ["id", "pid", "port", "state", "started", "restarts", "cpu", "rss"] {
                #expect(instance[key] != nil, "\(key)")
            }
            #expect(instance["id"] == "web.1")
        }
    }

    @Test func logs_followed_endsWhenNobodyReads() throws {
        try Self.withMesh(Self.web) { mesh in
            #expect(try mesh.say("logs", "--no-prefix", "web").contains("hello\n"))
            let head = try mesh.shell("devmesh logs -f web | head -1")
            #expect(head.output == "web | hello\n")
            #expect(try mesh.say("logs", "--json", "-n", "1", "web").contains(#""service":"web""#))
        }
    }

    @Test func events_json_areLines() throws {
        try Self.withMesh(Self.web) { mesh in
            let lines = try mesh.say("events", "--json").split(separator: "\n")
            #expect(!lines.isEmpty)
            for line in lines { #expect(try JSON(parsing: String(line))["event"] != nil) }
        }
    }

    @Test func logs_followedAndInterrupted_detachesAndMeshStays() throws {
        try Self.withMesh(Self.web) { mesh in
            let result = try mesh.shell(
                """
                mkfifo log; devmesh logs -f >log 2>told & pid=$!
                exec 3<log; read line <&3; kill -INT $pid; wait $pid; echo "$line: $?"; cat told
                """)
            #expect(result.output == "web | hello: 0\nDetached; newsroom stays up. `devmesh down` stops it.\n")
            #expect(try mesh.run(["ps"]).status == 0)
        }
    }

    @Test func up_secondInterrupted_showsWhatComesAndDetaches() throws {
        try Self.withMesh(Self.web) { mesh in
            let result = try mesh.shell(
                """
                mkfifo log told; devmesh up >log 2>told & pid=$!
                exec 3<log 4<told; read said <&4; devmesh restart web >&2; read line <&3
                kill -INT $pid; wait $pid; echo "$line: $?"; echo "$said"; cat <&4
                """)
            let expected = """
                web | hello: 0
                newsroom is up already: nothing to change.
                Detached; newsroom stays up. `devmesh down` stops it.

                """
            #expect(result.output == expected)
            #expect(try mesh.run(["ps"]).status == 0)
        }
    }

    @Test func up_wait_oneFails_exits1AndSaysWhy() throws {
        let mesh = MeshProject(project: Self.project(#""bad": {"run": "exit 3", "restart": "never"}"#), home: Self.home)
        defer { _ = try? mesh.run(["down"]) }
        let result = try mesh.run(["up", "--wait"])
        #expect(result.status == 1)
        #expect(result.errors.contains("devmesh: bad failed: "))
    }

    @Test func up_foreground_interruptedEndsCleanly() throws {
        let mesh = MeshProject(project: Self.project(Self.web), home: Self.home)
        defer { _ = try? mesh.run(["down"]) }
        // The shell's own child gets the signal once the first line of the log is through.
        let result = try mesh.shell(
            """
            mkfifo log; devmesh up >log 2>errors & pid=$!
            exec 3<log; read line <&3; kill -INT $pid; wait $pid; echo "$line: $?"; tail -1 errors
            """)
        #expect(result.output == "web | hello: 0\nnewsroom is down.\n")
    }
}

/// A project whose commands share a registry of ports with others.
struct MeshProject {
    var project: TestProject
    var home: TestProject

    private var environment: [String: String] {
        project.environment.merging(["XDG_STATE_HOME": home.folder.path + "/state"]) { $1 }
    }

    func run(_ words: [String]) throws -> ChildProcess {
        try ChildProcess.run(ChildProcess.devmesh, words, in: project.folder.path, environment: environment)
    }

    func shell(_ line: String) throws -> ChildProcess {
        try ChildProcess.shell(line, in: project.folder.path, environment: environment)
    }

    /// What a command that succeeds says.
    func say(_ words: String...) throws -> String {
        let result = try run(words)
        #expect(result.status == 0, "\(words): \(result.errors)")
        return result.output
    }
}
