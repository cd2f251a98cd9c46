import Control
import Testing

@testable import Commands

/// What the command lines of `route` and `fault` ask for, and how the answers are shown.
struct RouteAndFaultTests {
    private func route(_ words: String...) throws -> RouteChange? {
        try RouteCommand.change(of: ArgumentParser.parse(words, for: RouteCommand.spec))
    }

    private func fault(_ words: [String]) throws -> FaultChange? {
        try FaultCommand.change(of: ArgumentParser.parse(words, for: FaultCommand.spec))
    }

    @Test func route_everyKindOfRule_isRead() throws {
        #expect(try route("members") == nil)
        #expect(
            try route("members", "local=90", "next=10")
                == RouteChange(rules: RouteRules(weights: [.init("local", 90), .init("next", 10)])))
        #expect(try route("members", "next") == RouteChange(rules: RouteRules(weights: [.init("next", 1)])))
        #expect(
            try route("members", "--from", "reader", "next")
                == RouteChange(rules: RouteRules(callers: [.init("reader", [.init("next", 1)])])))
        #expect(
            try route(
                "members", "--header", "x-user: me=next", "--header", "x-a: b=c=d", "--cookie", "k=v=next",
                "--mirror", "next", "--propagate", "uberctx-*", "--clear", "--sticky")
                == RouteChange(
                    clear: true,
                    rules: RouteRules(
                        headers: [
                            .init(name: "x-user", value: "me", target: "next"),
                            .init(name: "x-a", value: "b=c", target: "d"),
                        ], cookies: [.init(name: "k", value: "v", target: "next")], sticky: .client, mirror: "next",
                        propagate: ["uberctx-*"])))
        #expect(try route("members", "--sticky-cookie", "s")?.rules.sticky == .cookie("s"))
        #expect(try route("members", "--sticky-header", "x-user", "--sticky")?.rules.sticky == .header("x-user"))
        #expect(try route("members", "--clear") == RouteChange(clear: true))
        #expect(
            try route("members", "--no-mirror", "--no-sticky", "next")
                == RouteChange(without: [.mirror, .sticky], rules: RouteRules(weights: [.init("next", 1)])))
    }

    @Test(arguments: [
        ["local=90", "next=-1"], ["local=0"], ["=1"], ["local=x"], ["local", "local=2"], ["--header", "x-user=next"],
        ["--cookie", "a=b"], ["--from", "reader"], ["--sticky-header", "a b"], ["--propagate", ""],
        ["--sticky-header", "a", "--sticky-cookie", "b"], ["local=1000001"],
        ["--mirror", "next", "--no-mirror"], ["--sticky-cookie", "s", "--no-sticky"],
    ])
    func route_thatMakesNoSense_isWrongUsage(words: [String]) throws {
        let arguments = try ArgumentParser.parse(["members"] + words, for: RouteCommand.spec)
        #expect(throws: UsageError.self) { try RouteCommand.change(of: arguments) }
    }

    @Test func fault_everyKind_isRead() throws {
        #expect(try fault(["members"]) == nil)
        #expect(
            try fault(["members", "--delay", "200ms", "--jitter", "0.05s"])
                == .set(FaultRule(delay: 200, jitter: 50)))
        #expect(
            try fault(["members", "--abort", "503", "--percent", "10%", "--from", "reader"])
                == .set(FaultRule(caller: "reader", abort: 503, percent: 10)))
        #expect(
            try fault(["members", "--rate", "64KB/s", "--disconnect", "--percent", "0.5"])
                == .set(FaultRule(disconnect: true, bytesPerSecond: 65536, percent: 0.5)))
        #expect(try fault(["members", "--rate", "100"]) == .set(FaultRule(bytesPerSecond: 100)))
        #expect(try fault(["members", "--clear"]) == .clear(caller: nil))
        #expect(try fault(["members", "--clear", "--from", "reader"]) == .clear(caller: "reader"))
    }

    @Test(arguments: [
        ["--delay", "soon"], ["--delay", "2h"], ["--delay", "0s"], ["--abort", "99"], ["--abort", "no"],
        ["--rate", "0"], ["--rate", "fast"], ["--percent", "10"], ["--from", "reader"],
        ["--abort", "503", "--disconnect"], ["--abort", "503", "--percent", "0"],
        ["--abort", "503", "--percent", "101"], ["--clear", "--abort", "503"], ["--clear", "--percent", "5"],
        ["--abort", "503", "--percent", "nan"],
    ])
    func fault_thatMakesNoSense_isWrongUsage(words: [String]) throws {
        let arguments = try ArgumentParser.parse(["members"] + words, for: FaultCommand.spec)
        #expect(throws: UsageError.self) { try FaultCommand.change(of: arguments) }
    }

    // MARK: Shown

    @Test func route_shown_isInTheOrderOfDeciding() {
        let table = RouteTable(
            status: RouteStatus(
                service: "members", target: "local", source: .command,
                rules: RouteRules(
                    weights: [.init("local", 2), .init("next", 1)],
                    headers: [.init(name: "x-user", value: "me", target: "next")],
                    cookies: [.init(name: "k", value: "v", target: "remote")],
                    callers: [.init("reader", [.init("next", 5)])], sticky: .header("x-user"), mirror: "next",
                    propagate: ["x-ctx"])))
        #expect(
            table.table.lines(width: nil, colours: false) + table.footnotes == [
                "REQUESTS         TARGET", "with x-user: me  next", "with cookie k=v  remote", "from reader      next",
                "all others       local 66.7%, next 33.3%", "copies of all    next",
                "A client gets the target again that it got before, known by the header x-user.",
                "Headers count also as members of baggage and x-ctx.",
                "`devmesh route` chose this; `devmesh route members --clear` goes back to the manifest's.",
            ])
        let plain = RouteTable(
            status: RouteStatus(service: "members", target: "remote", source: .manifest, rules: RouteRules()))
        #expect(
            plain.table.lines(width: nil, colours: false) + plain.footnotes == ["REQUESTS  TARGET", "all       remote"])
    }

    @Test func faults_shown_eachOnALine() {
        let table = FaultTable.table([
            FaultRule(delay: 200, jitter: 50, abort: 503, percent: 10),
            FaultRule(caller: "reader", disconnect: true, bytesPerSecond: 65536, percent: 0.5),
        ])
        #expect(
            table.lines(width: nil, colours: false) == [
                "CALLS OF    HOW MANY  DELAY         THEN        RATE",
                "all others       10%  200ms ± 50ms  answer 503",
                "reader          0.5%                disconnect  64KB/s",
            ])
    }
}
