import Testing

@testable import Commands

struct ArgumentParserTests {
    static let spec = CommandSpec(
        name: "sample", abstract: "do", group: .tool,
        arguments: [ArgumentSpec("SERVICE", .any, .service, "")],
        options: [
            .flag("detach", "d", ""), .flag("wait", ""), .value("lines", "n", "N", .text, ""),
            .value("local", "A,B", .serviceList, ""), .value("for", "STATE", .choice(["ready", "started"]), ""),
        ],
        examples: [])

    static let following = CommandSpec(
        name: "tail", abstract: "do", group: .tool, arguments: [ArgumentSpec("SERVICE", .any, .service, "")],
        options: [.flag("follow", "f", "")], examples: [])

    static let exec = CommandSpec(
        name: "exec", abstract: "do", group: .tool,
        arguments: [
            ArgumentSpec("SERVICE", .one, .service, ""), ArgumentSpec("CMD", .commandLine, .commandLine, ""),
        ],
        options: [.json], examples: [])

    static func parse(_ line: String, _ spec: CommandSpec = spec) throws(UsageError) -> Arguments {
        try ArgumentParser.parse(line.split(separator: " ").map(String.init), for: spec)
    }

    @Test(arguments: [
        ("--lines 5", "5"), ("--lines=5", "5"), ("-n 5", "5"), ("-n5", "5"), ("-n=5", "5"), ("-dn5", "5"),
        ("-dn 5", "5"), ("--lines=", ""), ("--lines=a=b", "a=b"), ("-n 1 -n 2", "2"), ("--lines=-5", "-5"),
    ])
    func value_everySpelling_isRead(line: String, expected: String) throws {
        #expect(try Self.parse(line).value("lines") == expected)
    }

    @Test func options_betweenArguments_areTakenOut() throws {
        let arguments = try Self.parse("reader -d members --file x.json purge --wait")
        #expect(arguments.positionals == ["reader", "members", "purge"])
        #expect(arguments.flags == ["detach", "wait"])
        #expect(arguments.value("file") == "x.json")
    }

    @Test func doubleDash_endsOptions() throws {
        let arguments = try Self.parse("-d -- -n --wait -")
        #expect(arguments.flags == ["detach"])
        #expect(arguments.positionals == ["-n", "--wait", "-"])
    }

    @Test func list_commasAndRepeats_areOneList() throws {
        #expect(try Self.parse("--local a,b --local=c").list("local") == ["a", "b", "c"])
        #expect(try Self.parse("").list("local") == nil)
    }

    @Test func shortF_namesFile_unlessCommandFollows() throws {
        #expect(try Self.parse("-df x.json a").value("file") == "x.json")
        let follow = try Self.parse("-f reader --file y.json", Self.following)
        #expect(follow.flags == ["follow"])
        #expect(follow.positionals == ["reader"])
        #expect(follow.value("file") == "y.json")
    }

    @Test func commandLine_isTakenAsItStands() throws {
        for line in ["reader -- ls --json -x -- y", "reader ls --json -x -- y"] {
            let arguments = try Self.parse(line, Self.exec)
            #expect(arguments.positionals == ["reader"])
            #expect(arguments.commandLine == ["ls", "--json", "-x", "--", "y"])
            #expect(arguments.flags.isEmpty)
        }
        #expect(try Self.parse("--json reader -- -x", Self.exec).commandLine == ["-x"])
    }

    @Test func help_winsOverWhatIsMissing() throws {
        #expect(try Self.parse("--help", Self.exec).has("help"))
        #expect(try Self.parse("reader -h", Self.exec).has("help"))
        #expect(try Self.parse("reader -- ls -h", Self.exec).has("help") == false)
    }

    @Test(arguments: [
        ("--wiat", UsageError.unknownOption("--wiat", command: "sample", nearest: "--wait")),
        ("-x", .unknownOption("-x", command: "sample", nearest: nil)),
        ("-dx", .unknownOption("-x", command: "sample", nearest: nil)),
        ("--lines", .missingValue("--lines", "N", command: "sample")),
        ("-n", .missingValue("-n", "N", command: "sample")),
        ("-n --wait", .missingValue("-n", "N", command: "sample")),
        ("--wait=yes", .unexpectedValue("--wait", command: "sample")),
        ("--for done", .invalidValue("done", of: "--for", expected: "ready or started")),
    ])
    func parse_wrongOption_saysWhich(line: String, expected: UsageError) {
        #expect(throws: expected) { try Self.parse(line) }
    }

    @Test func parse_wrongCount_saysWhatIsMissingOrTooMuch() {
        #expect(throws: UsageError.missingArgument("SERVICE", command: "exec")) { try Self.parse("", Self.exec) }
        #expect(throws: UsageError.missingArgument("CMD", command: "exec")) { try Self.parse("reader", Self.exec) }
        #expect(throws: UsageError.missingArgument("CMD", command: "exec")) { try Self.parse("reader --", Self.exec) }
        #expect(throws: UsageError.unexpectedArgument("b", command: "use")) {
            try Self.parse("a remote b", UseCommand.spec)
        }
    }

    @Test(arguments: [
        ("", Invocation(file: nil, request: .nothing)),
        ("--help", Invocation(file: nil, request: .help)),
        ("-V", Invocation(file: nil, request: .version)),
        ("ps", Invocation(file: nil, request: .command(name: "ps", rest: []))),
        ("-f X logs -f", Invocation(file: "X", request: .command(name: "logs", rest: ["-f"]))),
        ("-fX logs", Invocation(file: "X", request: .command(name: "logs", rest: []))),
        ("--file=X up -d", Invocation(file: "X", request: .command(name: "up", rest: ["-d"]))),
        ("-h up", Invocation(file: nil, request: .command(name: "up", rest: ["--help"]))),
    ])
    func invocation_beforeCommand_isRead(line: String, expected: Invocation) throws {
        #expect(try ArgumentParser.invocation(line.split(separator: " ").map(String.init)) == expected)
    }

    @Test func invocation_unknownOption_namesIt() {
        #expect(throws: UsageError.unknownOption("--fiel", command: nil, nearest: "--file")) {
            try ArgumentParser.invocation(["--fiel", "x", "up"])
        }
    }
}
