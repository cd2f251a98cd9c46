import JSON
import Platform
import TestSupport
import Testing

// What a service's process is given.

@Test func children_cleanMaskAndDescriptors() throws {
    let run = #""grep -E '^Sig(Blk|Ign)' /proc/self/status; ls /proc/self/fd; exec fixture say done wait""#
    try withMesh("{\"worker\": {\"run\": \(run), \"listens\": false}}") { mesh in
        try mesh.up()
        try mesh.ready("worker")
        let told = try mesh.start("logs", "-f", "--raw", "worker")
        try told.output.wait(for: "done")
        let words = told.output.text.split(whereSeparator: \.isWhitespace).map(String.init)
        #expect(words.count == 9)
        // Signals from 32 upwards are the C library's own (signal(7)); whoever started this test may ignore them.
        try #require(words.count > 3)
        let masks = [words[1], words[3]].map { (UInt64($0, radix: 16) ?? .max) & 0x7fff_ffff }
        #expect(words[0] == "SigBlk:" && words[2] == "SigIgn:" && masks == [0, 0])
        // The last descriptor is the folder that ls itself reads.
        #expect(words[4...] == ["0", "1", "2", "3", "done"])
    }
}

@Test func children_stdin_isHeldOpen() throws {
    try withMesh(#"{"worker": {"run": "fixture say up input", "listens": false}}"#) { mesh in
        let up = try mesh.up()
        try up.output.wait(for: "up")
        try mesh.devmesh("stop", "worker", code: 0)
        #expect(!up.output.text.contains("eof"))
    }
}

@Test func children_pid_isTheProgramsOwn() throws {
    try withMesh(#"{"web": {"run": "fixture pid serve http"}}"#) { mesh in
        let up = try mesh.up()
        try mesh.ready("web")
        #expect(try up.output.rest(after: "pid ") == "\(mesh.pids("web")[0])")
    }
}

@Test func env_addresses_areWhatTheContractSays() throws {
    let services = """
        {"reader": {"run": "fixture serve http", "uses": ["members", "big.data"]},
         "members": {"run": "fixture serve http"}, "big.data": {"run": "fixture serve http"}}
        """
    try withMesh(services) { mesh in
        try mesh.up()
        try mesh.ready("reader", "members", "big.data")
        let text = try mesh.devmesh("exec", "reader", "--", "env", code: 0).output
        let lines = Set(text.split(separator: "\n").map(String.init))
        let edge = try mesh.port("members", from: "reader")
        let dotted = try mesh.port("big.data", from: "reader")
        let own = try mesh.port("reader")
        for line in [
            "SERVICE_NAME=reader", "SERVICE_INSTANCE=1", "SERVICE_ADDRESS=127.0.0.1:\(own)",
            "SERVICE_MEMBERS_ADDRESS=127.0.0.1:\(edge)", "SERVICE_MEMBERS_HOST=127.0.0.1",
            "SERVICE_MEMBERS_PORT=\(edge)", "SERVICE_MEMBERS_URL=http://127.0.0.1:\(edge)",
            "SERVICE_BIG_DATA_ADDRESS=127.0.0.1:\(dotted)",
        ] { #expect(lines.contains(line), "\(line)") }
        #expect(try MeshClient(port: edge).get("/").body.hasPrefix("members.1 "))
        let running = try ProcessTable.environment(of: #require(mesh.pids("reader").first))?.map(String.init) ?? []
        #expect(running.contains("SERVICE_MEMBERS_URL=http://127.0.0.1:\(edge)"))
    }
}

@Test func env_quoting() throws {
    let services =
        #"{"web": {"run": "fixture env A env B env C env D env E env F env G serve http", "envFile": "odd.env"}}"#
    try withMesh(services) { mesh in
        mesh.folder.write(
            "odd.env",
            """
            # a comment
            A='single $HOME # "quoted" \\n'
            export B="double \\"x\\" \\\\ \\$HOME # kept"
            C=a=b=c
            D="two\\nlines"
            E=bare $HOME
            F=
            G='it'

            """)
        let up = try mesh.up()
        try mesh.ready("web")
        try up.output.wait(for: "listening")
        let said = up.output.text
        for line in [
            #"A=single $HOME # "quoted" \n"#, #"B=double "x" \ $HOME # kept"#, "C=a=b=c", "D=two", "E=bare $HOME",
            "G=it",
        ] { #expect(said.contains(line), "\(line)") }
        // What `env` prints means the same to a shell.
        let eval = #"eval "$(devmesh env web)"; printf '%s|' "$A" "$B" "$C" "$D" "$E" "$F" "$G""#
        #expect(
            try mesh.shell(eval).output
                == #"single $HOME # "quoted" \n|double "x" \ $HOME # kept|a=b=c|two"# + "\n"
                + "lines|bare $HOME||it|")
    }
}

@Test func up_EMFILE_saysSoAndLeavesNothing() throws {
    let services = (1...40).map { "\"s\($0)\": {\"run\": \"fixture serve http\"}" }.joined(separator: ",")
    try withMesh("{\(services)}") { mesh in
        let result = try mesh.shell("ulimit -n 64; devmesh up")
        #expect(result.code == 1)
        #expect(result.errors.contains("--nofile=65536"))
        #expect(mesh.processes().isEmpty)
    }
}

@Test func up_EMFILEByConnections_nothingLost() throws {
    let services =
        #"{"web": {"run": "fixture serve http"}, "worker": {"run": "fixture say one wait", "listens": false}}"#
    try withMesh(services) { mesh in
        let up = try mesh.start(program: "/bin/sh", ["sh", "-c", "ulimit -n 64; exec devmesh up"])
        try up.errors.wait(for: "is up")
        try mesh.ready("web", "worker")
        let port = try mesh.port("web")
        let pids = try mesh.pids("web")
        var clients = try (0..<100).map { _ in try MeshClient(port: port) }
        for client in clients { try client.request("/", fields: ["Connection: close"]) }
        // More than can be open at once: they are served as others end.
        var failures: [String] = []
        while !clients.isEmpty {
            let answer = try clients.removeFirst().response()
            if answer.status != 200 { failures.append(answer.body) }
        }
        #expect(failures == [])
        #expect(try mesh.get("web").status == 200)
        #expect(try mesh.pids("web") == pids)
        try up.output.wait(for: "one")
    }
}
