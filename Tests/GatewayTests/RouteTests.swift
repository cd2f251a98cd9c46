import Control
import HTTP
import Platform
import Testing

@testable import Gateway

@Suite struct RouteTests {
    @Test(arguments: [
        (HTTPMethod.get, "/v1/mesh", Route.mesh), (.head, "/v1/services", .services), (.get, "/v1/ports", .ports),
        (.get, "/v1/logs", .logs),
        (.get, "/v1/services/reader", .service("reader")), (.get, "/v1/services/start", .service("start")),
        (.get, "/v1/services/a%2Fb/why", .why("a/b")), (.get, "/v1/services/reader/env", .environment("reader")),
        (.post, "/v1/services/start", .action(.start)), (.post, "/v1/services/stop", .action(.stop)),
        (.post, "/v1/services/restart", .action(.restart)), (.post, "/v1/services/build", .action(.build)),
        (.post, "/v1/services/wait", .wait), (.post, "/v1/services/reader/use", .use("reader")),
        (.post, "/v1/services/reader/scale", .scale("reader")),
        (.get, "/v1/services/reader/route", .route("reader")),
        (.post, "/v1/services/reader/route", .changeRoute("reader")),
        (.get, "/v1/services/reader/fault", .faults("reader")),
        (.post, "/v1/services/reader/fault", .changeFaults("reader")), (.post, "/v1/up", .up),
        (.get, "/v1/services/reader/terminal", .terminal("reader", nil)),
        (
            .post, "/v1/services/reader.2/terminal?columns=100&rows=30&window=7",
            .type("reader.2", TerminalWindow(TerminalSize(columns: 100, rows: 30), name: "7"))
        ), (.get, "/v1/services/reader/terminal?columns=0&rows=30", .terminal("reader", nil)),
        (.get, "/v1/services/reader/terminal?columns=99999999999&rows=30", .terminal("reader", nil)),
        (.post, "/v1/down", .down),
        (.get, "/v1/events", .events(follow: false)), (.get, "/v1/events?follow=1", .events(follow: true)),
        (.get, "/v1/events?follow", .events(follow: true)), (.get, "/v1/events?follow=0", .events(follow: false)),
        (.get, "http://devmesh/v1/mesh", .mesh), (.get, "/v1/mesh/", .mesh),
    ])
    func request_known_findsItsRoute(_ method: HTTPMethod, _ target: String, _ route: Route) {
        #expect(Route.match(method, target) == .found(route))
    }

    @Test func method_wrong_tellsTheRightOnes() {
        #expect(Route.match(.delete, "/v1/mesh") == .wrongMethod(allowed: ["GET", "HEAD"]))
        #expect(Route.match(.get, "/v1/services/reader/use") == .wrongMethod(allowed: ["POST"]))
        #expect(Route.match(.put, "/v1/services/stop") == .wrongMethod(allowed: ["GET", "HEAD", "POST"]))
        #expect(Route.match(.post, "/v1/services/reader") == .wrongMethod(allowed: ["GET", "HEAD"]))
    }

    @Test(arguments: ["/", "/v1", "/v2/mesh", "/v1/services/a/b", "/v1/services/a/why/x", "/V1/mesh", "*"])
    func path_unknown_isToldSo(_ target: String) {
        #expect(Route.match(.get, target) == .unknown)
    }
}
