import Platform
import Testing

@testable import Proxy

/// What led a request to its target goes with it, so that the calls made on its behalf are led alike.
@Suite struct PropagationTests {
    private let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    private func state(_ name: String, _ server: Server) -> FrontState {
        .pass([Backend(instance: name, port: server.port)], whenRefused: "it refuses connections.")
    }

    private func lines(_ head: String, _ name: String) -> [String] {
        head.split(separator: "\r\n").map(String.init).filter { $0.lowercased().hasPrefix(name) }
    }

    @Test(arguments: [
        ("X-User: me", ["baggage: x-user=me"]), ("x-user: you", []), ("x-users: me", []),
        ("X-User: me\r\nBaggage: a=b;p=1", ["baggage: a=b;p=1, x-user=me"]),
        ("baggage: a=b\r\nX-User: me\r\nBaggage:  c=d ", ["baggage: a=b, c=d, x-user=me"]),
        ("X-User: me\r\nbaggage:", ["baggage: x-user=me"]),
        ("X-User: me\r\nbaggage: x-user=you", ["baggage: x-user=you, x-user=me"]),
        ("X-User: me\r\nBaggage: a=b,  X-User = me", ["Baggage: a=b,  X-User = me"]),
        ("Baggage: x-user=%6de", ["Baggage: x-user=%6de"]), ("baggage: a=b", ["baggage: a=b"]),
        ("x-odd: a b,\"%\u{e9}", ["baggage: x-odd=a%20b%2C%22%25%C3%A9"]),
        ("cookie: user=me", []), ("cookie: user=me\r\nbaggage: a=b", ["baggage: a=b"]),
    ])
    func requestThatAHeaderHasLed_takesThatAlong(_ sent: String, _ expected: [String]) throws {
        let (local, next) = (try Server(), try Server())
        let mesh = try Mesh(["members"])
        let states = (state("members.1", local), state("members@next.1", next))
        mesh.on { proxy in
            proxy.set("members", states.0)
            proxy.set("members", target: "next", states.1)
            proxy.setRoute(
                "members",
                Route(
                    .init("local"),
                    matches: [
                        .init(header: "X-User", "me", target: "next"),
                        .init(header: "x-odd", "a b,\"%\u{e9}", target: "next"),
                        .init(cookie: "user", "me", target: "next"),
                    ]))
        }
        let client = try mesh.call("members")
        try client.send("GET /a HTTP/1.1\r\nHost: x\r\n\(sent)\r\n\r\n")
        let isNext = try next.hasVisitor(within: .milliseconds(30))
        let head = try (isNext ? next : local).accept().receive(until: "\r\n\r\n")
        #expect(lines(head, "baggage") == expected)
        #expect(
            lines(head, "x-user")
                == sent.split(separator: "\r\n").map(String.init).filter { $0.lowercased().hasPrefix("x-user") })
    }

    @Test func configuredCarriers_takeItAlongToo_andAfterAHold() throws {
        let next = try Server()
        let mesh = try Mesh(["members"])
        let served = state("members@next.1", next)
        mesh.hold("members")
        mesh.on { proxy in
            proxy.set("members", target: "next", .hold(bound: .seconds(20), reason: "it starts."))
            proxy.setRoute(
                "members",
                Route(
                    .init("local"), matches: [.init(header: "x-user", "me too", target: "next")],
                    propagate: [.init("X-Ctx"), .init("Uberctx-*")]))
        }
        let client = try mesh.call("members")
        try client.send("GET /a HTTP/1.1\r\nHost: x\r\nX-User: me too\r\nX-Ctx: a=b\r\nuberctx-a: b\r\n\r\n")
        mesh.settle()
        mesh.on { $0.set("members", target: "next", served) }
        let head = try next.accept().receive(until: "\r\n\r\n")
        #expect(lines(head, "baggage") == ["baggage: x-user=me%20too"])
        #expect(lines(head, "x-ctx") == ["x-ctx: a=b, x-user=me%20too"])
        #expect(lines(head, "uberctx-") == ["uberctx-a: b", "uberctx-x-user: me%20too"])
    }

    @Test func copies_takeItAlong_andTheRemotesOwnLinesStand() throws {
        let (remote, next) = (try Server(), try Server())
        let mesh = try Mesh(["members"])
        let own = [RemoteTarget.Header("Baggage", "fixed=1")]
        let states = (
            FrontState.remote(RemoteTarget(scheme: .http, host: "127.0.0.1", port: remote.port, headers: own)),
            state("members@next.1", next)
        )
        mesh.on { proxy in
            proxy.set("members", target: "remote", states.0)
            proxy.set("members", target: "next", states.1)
            proxy.setRoute(
                "members",
                Route(.init("next"), matches: [.init(header: "x-user", "me", target: "remote")], mirror: "next"))
        }
        let client = try mesh.call("members")
        try client.send("GET /a HTTP/1.1\r\nHost: localhost\r\nX-User: me\r\nBaggage: a=b\r\n\r\n")
        #expect(try lines(remote.accept().receive(until: "\r\n\r\n"), "baggage") == ["Baggage: fixed=1"])
        #expect(try lines(next.accept().receive(until: "\r\n\r\n"), "baggage") == ["baggage: a=b, x-user=me"])
    }

    /// client ─▶ reader@next ─▶ members@next, where reader passes nothing on but `baggage`.
    @Test func chain_thatPassesBaggageOn_staysWithTheVersionsAskedFor() throws {
        let mesh = try Mesh(["reader", "members"], edges: ["reader>members"])
        let servers = try (0..<4).map { _ in try Server() }
        let states = servers.enumerated().map { state("server.\($0)", $1) }
        mesh.on { proxy in
            for (index, service) in ["reader", "members"].enumerated() {
                proxy.set(service, states[index * 2])
                proxy.set(service, target: "next", states[index * 2 + 1])
                proxy.setRoute(service, Route(.init("local"), matches: [.init(header: "x-user", "me", target: "next")]))
            }
        }
        for (user, way) in [("me", 1), ("you", 0)] {
            let client = try mesh.call("reader")
            try client.send("GET /a HTTP/1.1\r\nHost: x\r\nX-User: \(user)\r\n\r\n")
            let reader = try servers[way].accept()
            let baggage = try lines(reader.receive(until: "\r\n\r\n"), "baggage").map { $0 + "\r\n" }.joined()
            let call = try mesh.call("members", from: "reader")
            try call.send("GET /b HTTP/1.1\r\nHost: x\r\n\(baggage)\r\n")
            let members = try servers[2 + way].accept()
            try members.answer(ok)
            #expect(try call.receive(until: "ok") == ok)
            try reader.send(ok)
            #expect(try client.receive(until: "ok") == ok)
        }
    }
}
