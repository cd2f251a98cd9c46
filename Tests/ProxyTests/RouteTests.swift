import HTTP
import TestSupport
import Testing

@testable import Proxy

@Suite struct RouteTests {
    // MARK: Shares

    @Test func shares_manyRequests_goByWeight() throws {
        let route = Route(try #require(Route.Shares([("local", 90), ("next", 10), ("old", 0)])))
        var random = SeededGenerator(1)
        var counts: [String: Int] = [:]
        for _ in 0..<100_000 { counts[route.choose(caller: nil, dice: random.next()), default: 0] += 1 }
        // Five standard deviations of a binomial distribution are 475.
        #expect(abs(counts["next", default: 0] - 10_000) < 475)
        #expect(counts["local", default: 0] + counts["next", default: 0] == 100_000)
    }

    @Test func shares_atTheEdgesOfTheDice_stayWithinTheList() throws {
        let shares = try #require(Route.Shares([("none", 0), ("a", 1), ("b", Int.max - 1), ("last", 0)]))
        #expect(shares.pick(0) == "a")
        #expect(shares.pick(.max) == "b")
    }

    @Test func shares_thatGiveNothing_areNone() {
        #expect(Route.Shares([]) == nil)
        #expect(Route.Shares([("a", 0), ("b", 0)]) == nil)
        #expect(Route.Shares([("a", 5), ("b", -1)]) == nil)
        #expect(Route.Shares([("a", .max), ("b", 1)]) == nil)
    }

    @Test(arguments: 1...20) func shares_ofAnyWeights_giveEachItsPart(seed: UInt64) throws {
        var random = SeededGenerator(seed)
        let weights = (0..<Int.random(in: 1...6, using: &random)).map { index in
            (target: "t\(index)", weight: Int.random(in: 0...1000, using: &random) + (index == 0 ? 1 : 0))
        }
        let shares = try #require(Route.Shares(weights))
        let total = Double(weights.reduce(0) { $0 + $1.weight })
        // Evenly spaced places show the parts without chance.
        let count = 20_000
        var counts: [String: Int] = [:]
        for step in 0..<count { counts[shares.pick(UInt64.max / UInt64(count) * UInt64(step)), default: 0] += 1 }
        for (target, weight) in weights {
            let part = Double(weight) / total * Double(count)
            #expect(abs(Double(counts[target, default: 0]) - part) <= 2, "\(weights)")
        }
    }

    // MARK: Matches

    @Test(arguments: [
        ("X-User: me", "next"), ("x-user:   me  ", "next"), ("x-user: you", "local"), ("x-user: Me", "local"),
        ("x-user: me2", "local"), ("x-users: me", "local"), ("x-user: you\r\nX-USER: me", "next"),
        ("baggage: x-user=me", "next"), ("Baggage: a=b, X-User = me;ttl=1 , c=d", "next"),
        ("baggage: a=b;x-user=me", "local"), ("baggage: x-user=%6De", "next"), ("baggage: x-user=%6", "local"),
        ("baggage: x-user", "local"), ("baggage: ,,=,x-user=me", "next"), ("x-user: %6De", "local"),
        ("baggage: a=b\r\nbaggage: x-user=me", "next"), ("x-ctx: x-user=me", "next"),
        ("uberctx-x-user: me", "next"), ("UBERCTX-X-USER: %6de", "next"), ("uberctx-: me", "local"),
        ("uberctx-x-use: me", "local"), ("other-x-user: me", "local"), ("tracestate: x-user=me", "local"),
        ("cookie: user=me", "cookie"), ("Cookie: a=b; user=me; c=d", "cookie"), ("cookie: USER=me", "local"),
        ("cookie: user=me2", "local"), ("cookie: xuser=me", "local"), ("cookie: user=\"me\"", "local"),
        ("cookie: a=b\r\ncookie: user=me", "cookie"), ("cookie: user", "local"), ("cookie: user=", "local"),
        ("cookie: token=a=b", "equals"), ("x-empty:", "empty"), ("x-user: me\r\ncookie: user=me", "next"),
    ])
    func match_ofWhatARequestSays_leadsToItsTarget(lines: String, expected: String) {
        let route = Route(
            Route.Shares("local"),
            matches: [
                .init(header: "X-User", "me", target: "next"), .init(cookie: "user", "me", target: "cookie"),
                .init(cookie: "token", "a=b", target: "equals"), .init(header: "x-empty", "", target: "empty"),
            ], propagate: [.init("X-Ctx"), .init("Uberctx-*")])
        #expect(choose(route, lines) == expected)
    }

    @Test func matches_thatBothApply_theFirstWins() {
        let a = Route.Match(header: "a", "1", target: "first")
        let b = Route.Match(header: "b", "1", target: "second")
        #expect(choose(Route(Route.Shares("local"), matches: [a, b]), "b: 1\r\na: 1") == "first")
        #expect(choose(Route(Route.Shares("local"), matches: [b, a]), "b: 1\r\na: 1") == "second")
    }

    // MARK: Callers

    @Test func caller_withSharesOfItsOwn_getsThose_unlessItsRequestAsksForMore() {
        let route = Route(
            Route.Shares("local"), matches: [.init(header: "x-user", "me", target: "mine")],
            callers: [.init("reader", Route.Shares("next"))])
        #expect(choose(route, "a: b", caller: "reader") == "next")
        #expect(choose(route, "a: b", caller: "purge") == "local")
        #expect(choose(route, "a: b", caller: nil) == "local")
        #expect(choose(route, "x-user: me", caller: "reader") == "mine")
        #expect(route.choose(caller: "reader", dice: 7) == "next")
        #expect(route.choose(caller: nil, dice: 7) == "local")
    }

    // MARK: Sticky

    private static let halves = Route.Shares([("local", 50), ("next", 50)])!

    @Test(arguments: [
        (Route.Sticky.client, "authorization: Bearer #"), (.client, "cookie: session=#"),
        (.header(.init("X-User")), "x-user: #"), (.header(.init("x-user")), "baggage: a=b, x-user=#"),
        (.cookie(.init("session")), "cookie: a=b; session=#"),
    ])
    func sticky_client_getsItsTargetAgain_andClientsAreShared(sticky: Route.Sticky, lines: String) {
        let route = Route(Self.halves, sticky: sticky)
        var random = SeededGenerator(3)
        var local = 0
        for client in 0..<2000 {
            let lines = lines.replacing("#", with: "client-\(client)")
            let target = choose(route, lines, dice: random.next())
            #expect(choose(route, lines, dice: random.next()) == target)
            if target == "local" { local += 1 }
        }
        // Five standard deviations.
        #expect(abs(local - 1000) < 112)
    }

    @Test func sticky_mark_isTheSameInItsHeaderAndInBaggage() {
        let route = Route(Self.halves, sticky: .header(.init("x-user")))
        for client in 0..<100 {
            let inHeader = choose(route, "x-user: user \(client)")
            #expect(inHeader == choose(route, "baggage: x-user=user%20\(client)", dice: 1))
        }
    }

    @Test func sticky_client_withoutAnyMark_isNewEachTime() {
        let route = Route(Self.halves, sticky: .client)
        #expect(choose(route, "a: b", dice: 0) == "local")
        #expect(choose(route, "a: b", dice: .max) == "next")
        #expect(choose(route, "a: b", caller: "reader", dice: 0) == choose(route, "a: b", caller: "reader", dice: .max))
        #expect(route.choose(caller: "reader", dice: 0) == route.choose(caller: "reader", dice: .max))
    }

    @Test func sticky_weightsThatChange_moveOnlyWhomTheyMust() throws {
        let before = Route(try #require(Route.Shares([("local", 90), ("next", 10)])), sticky: .client)
        let after = Route(try #require(Route.Shares([("local", 70), ("next", 30)])), sticky: .client)
        for client in 0..<500 where choose(before, "authorization: \(client)") == "next" {
            #expect(choose(after, "authorization: \(client)") == "next")
        }
    }

    // MARK: Targets

    @Test func targets_areAllThatMayBeAsked_eachOnce() throws {
        let route = Route(
            try #require(Route.Shares([("local", 1), ("next", 0)])),
            matches: [.init(cookie: "a", "b", target: "mine"), .init(header: "a", "b", target: "local")],
            callers: [.init("reader", Route.Shares("remote"))], mirror: "shadow")
        #expect(route.targets == ["local", "next", "remote", "mine", "shadow"])
        #expect(Route(to: "local").targets == ["local"])
    }

    private func choose(_ route: Route, _ lines: String, caller: String? = nil, dice: UInt64 = 0) -> String {
        let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n\r\n".utf8)
        return bytes.span.bytes.withUnsafeBytes { bytes in
            var head = RequestHead()
            guard case .complete = head.parse(bytes) else { return "not a request: \(lines)" }
            return route.choose(head, in: bytes, caller: caller, dice: dice)
        }
    }
}
