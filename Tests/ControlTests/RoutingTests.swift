import Control
import JSON
import Testing

/// Routes and faults as they cross the control socket.
@Suite struct RoutingTests {
    private static let rules = RouteRules(
        weights: [.init("local", 90), .init("next", 10)],
        headers: [.init(name: "X-User", value: "me", target: "next")],
        cookies: [.init(name: "user", value: "a=b", target: "local")],
        callers: [.init("reader", [.init("next", 1), .init("local", 0)])], sticky: .cookie("session"),
        mirror: "remote", propagate: ["uberctx-*"])

    @Test(arguments: [RouteRules(), rules, RouteRules(sticky: .client), RouteRules(sticky: .header("x-user"))])
    func rules_surviveTheRoundTrip(rules: RouteRules) throws {
        let text = rules.json.serialized()
        #expect(try RouteRules(json: JSON(parsing: text)) == rules)
        let status = RouteStatus(service: "members", target: "local", source: .command, rules: rules)
        #expect(try RouteStatus(json: JSON(parsing: status.json.serialized())) == status)
        let change = RouteChange(clear: true, without: [.mirror], rules: rules)
        #expect(try RouteChange(json: JSON(parsing: change.json.serialized())) == change)
    }

    @Test func rules_asJSON_areAsDocumented() {
        #expect(
            Self.rules.json.serialized()
                == #"{"weights":{"local":90,"next":10},"headers":[{"name":"X-User","value":"me","target":"next"}],"#
                + #""cookies":[{"name":"user","value":"a=b","target":"local"}],"from":{"reader":{"next":1,"local":0}},"#
                + #""sticky":{"cookie":"session"},"mirror":"remote","propagate":["uberctx-*"]}"#)
    }

    @Test(
        arguments: [
            ("{}", "expected something to change"), (#"{"weigths":{}}"#, nil),
            (#"{"weights":{"local":0}}"#, #""weights": expected a weight above 0"#),
            (#"{"weights":{"local":-1}}"#, #""local": expected a weight from 0 to 1000000"#),
            (#"{"weights":{"local":1.5}}"#, #""local": expected a weight from 0 to 1000000"#),
            (#"{"weights":["local"]}"#, #""weights": expected an object of weights"#),
            (#"{"from":{"reader":{}}}"#, #""reader": expected at least one target"#),
            (#"{"from":{"reader":"next"}}"#, #""reader": expected an object of weights"#),
            (#"{"headers":["x-user: me=next"]}"#, "expected a JSON object"),
            (#"{"headers":[{"name":"x"}]}"#, #""value" is missing; expected a string"#),
            (
                #"{"sticky":"yes"}"#,
                #""sticky": expected true, false, {"header": NAME} or {"cookie": NAME}"#
            ), (#"{"sticky":{"header":"a","cookie":"b"}}"#, nil),
            (#"{"clear":1}"#, #""clear": expected true or false"#),
            (#"{"without":["weights"]}"#, #""without": expected "mirror" or "sticky", found "weights""#),
        ] as [(String, String?)])
    func change_malformed_isRefused(text: String, reason: String?) throws {
        let json = try JSON(parsing: text)
        let problem = #expect(throws: WireProblem.self) { try RouteChange(json: json) }
        if let reason { #expect(problem?.reason == reason) }
    }

    @Test func change_without_takesAwayOneThing_andLeavesTheRest() {
        var expected = Self.rules
        expected.mirror = nil
        #expect(RouteChange(without: [.mirror]).applied(to: Self.rules) == expected)
        expected.sticky = .none
        expected.weights = [.init("next", 1)]
        let change = RouteChange(without: [.mirror, .sticky], rules: RouteRules(weights: expected.weights))
        #expect(change.applied(to: Self.rules) == expected)
    }

    @Test func rules_added_takeThePlaceOfWhatIsTheSame_andLeaveTheRest() {
        var rules = Self.rules
        rules.add(
            RouteRules(
                headers: [
                    .init(name: "x-user", value: "me", target: "local"),
                    .init(name: "x-user", value: "you", target: "a"),
                ],
                cookies: [.init(name: "USER", value: "a=b", target: "next")],
                callers: [.init("reader", [.init("local", 1)]), .init("purge", [.init("next", 1)])],
                propagate: ["uberctx-*", "x-ctx"]))
        #expect(rules.weights == Self.rules.weights)
        #expect(rules.headers.map(\.target) == ["local", "a"])
        #expect(rules.cookies.map(\.target) == ["local", "next"])
        #expect(rules.callers == [.init("reader", [.init("local", 1)]), .init("purge", [.init("next", 1)])])
        #expect(rules.sticky == .cookie("session") && rules.mirror == "remote")
        #expect(rules.propagate == ["uberctx-*", "x-ctx"])
        rules.add(RouteRules(weights: [.init("next", 1)], sticky: .client, mirror: "local"))
        #expect(rules.weights == [.init("next", 1)])
        #expect(rules.sticky == .client && rules.mirror == "local" && rules.headers.count == 2)
    }

    @Test(arguments: [
        FaultRule(delay: 200), FaultRule(caller: "reader", abort: 503, percent: 0.5),
        FaultRule(jitter: 5, disconnect: true, bytesPerSecond: 1),
    ])
    func fault_survivesTheRoundTrip(rule: FaultRule) throws {
        #expect(try FaultRule(json: JSON(parsing: rule.json.serialized())) == rule)
        let change = FaultChange.set(rule)
        #expect(try FaultChange(json: JSON(parsing: change.json.serialized())) == change)
    }

    @Test(arguments: [
        "{}", #"{"from":"reader"}"#, #"{"percent":10}"#, #"{"delayMs":-1}"#, #"{"delayMs":3600001}"#,
        #"{"abort":99}"#, #"{"abort":600}"#, #"{"abort":503,"disconnect":true}"#, #"{"bytesPerSecond":0}"#,
        #"{"abort":503,"percent":0}"#, #"{"abort":503,"percent":101}"#, #"{"clear":true,"delayMs":1}"#,
        #"{"delay":1}"#, #"{"disconnect":false}"#, "[]",
    ])
    func fault_thatMakesNoSense_isRefused(text: String) throws {
        let json = try JSON(parsing: text)
        #expect(throws: WireProblem.self) { try FaultChange(json: json) }
    }
}
