import Testing

@testable import Commands

struct UsageSentenceTests {
    @Test(arguments: [
        (
            UsageError.unknownCommand("strat", nearest: "start"),
            "There is no command \"strat\". Did you mean \"start\"?"
        ),
        (.unknownCommand("xyzzy", nearest: nil), "There is no command \"xyzzy\"; `devmesh help` lists them all."),
        (
            .notYet(command: "traffic"),
            "devmesh does not do \"traffic\" yet; `devmesh help` lists what it does."
        ),
        (
            .unknownOption("--wiat", command: "up", nearest: "--wait"),
            "`devmesh up` has no option --wiat. Did you mean --wait?"
        ),
        (
            .unknownOption("-x", command: "up", nearest: nil),
            "`devmesh up` has no option -x; see `devmesh up --help`."
        ),
        (.unknownOption("-x", command: nil, nearest: nil), "devmesh has no option -x; see `devmesh help`."),
        (
            .missingValue("-n", "N", command: "logs"),
            "-n needs a value, as in `-n N`; see `devmesh logs --help`."
        ),
        (.unexpectedValue("--json", command: "ps"), "--json takes no value; see `devmesh ps --help`."),
        (
            .unexpectedArgument("now", command: "down"),
            "`devmesh down` has no use for \"now\"; see `devmesh down --help`."
        ),
        (
            .missingArgument("SERVICE", command: "stop"),
            "`devmesh stop` needs SERVICE; see `devmesh stop --help`."
        ),
        (
            .invalidValue("soon", of: "--for", expected: "ready or started"),
            "--for can't be \"soon\"; it is ready or started."
        ),
        (.conflict("--raw", "--json"), "--raw and --json exclude each other; leave one of them out."),
    ])
    func usageError_wordForWord(error: UsageError, expected: String) {
        #expect(error.sentence == expected)
    }

    @Test func unknownCommand_nearOne_isSuggested() {
        #expect(throws: UsageError.unknownCommand("strat", nearest: "start")) { try Subcommands.named("strat") }
        #expect(throws: UsageError.unknownCommand("quux", nearest: nil)) { try Subcommands.named("quux") }
    }

    @Test func laterCommand_isNotYetAndNotListed() {
        for name in Subcommands.notYet {
            #expect(throws: UsageError.notYet(command: name)) { try Subcommands.named(name) }
            #expect(!Subcommands.all.contains { $0.spec.name == name })
        }
    }
}
