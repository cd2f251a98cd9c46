import HTTP
import Testing

@testable import Proxy

@Suite struct HostTableTests {
    private let table = HostTable([
        .init(
            service: "members", ownHosts: ["members.localhost", "members.newsroom.localhost"],
            sharedHosts: ["members.test"], paths: [.init("/members", strips: true)]),
        .init(service: "reader", ownHosts: ["reader.localhost"], sharedHosts: ["news.test"]),
        .init(
            service: "api", ownHosts: ["api.localhost"], sharedHosts: ["news.test"],
            paths: [.init("/api"), .init("/api/v2/", strips: true), .init("/members/old")]),
    ])

    private func find(_ host: String?, _ target: String = "/", method: String = "GET") -> HostTable.Finding? {
        let lines = host.map { "\(method) \(target) HTTP/1.1\r\nHost: \($0)\r\n\r\n" }
        return Array((lines ?? "\(method) \(target) HTTP/1.0\r\n\r\n").utf8).withUnsafeBytes { bytes in
            var head = RequestHead()
            guard case .complete = head.parse(bytes) else { return nil }
            return table.find(head, in: bytes)
        }
    }

    @Test(arguments: [
        "members.localhost", "members.localhost:20000", "Members.LOCALHOST:1", "members.localhost.", "members.test",
        "members.newsroom.localhost", "members.localhost.:20000",
    ])
    func host_ofAService_leadsToItWhateverThePath(host: String) {
        for path in ["/", "/a/b?c", "/api", "*"] {
            let method = path == "*" ? "OPTIONS" : "GET"
            #expect(find(host, path, method: method) == .service("members", strippedCount: 0), "\(path)")
        }
    }

    @Test(arguments: [
        "localhost", "localhost:20000", "LocalHost", "localhost.", "127.0.0.1:80", "127.9.8.7", "[::1]:80", nil,
    ])
    func ownHost_leadsByPath(host: String?) {
        #expect(find(host, "/api/x") == .service("api", strippedCount: 0))
        #expect(find(host) == .gateway)
        #expect(find(host, "/apis") == .gateway)
    }

    @Test func path_longestOnWholeSegmentsWins() {
        #expect(find("localhost", "/members") == .service("members", strippedCount: 8))
        #expect(find("localhost", "/members?a=/b") == .service("members", strippedCount: 8))
        #expect(find("localhost", "/members/") == .service("members", strippedCount: 8))
        #expect(find("localhost", "/members/old/x") == .service("api", strippedCount: 0))
        #expect(find("localhost", "/members/older") == .service("members", strippedCount: 8))
        #expect(find("localhost", "/membership") == .gateway)
        #expect(find("localhost", "/Members") == .gateway)
    }

    @Test func path_endingInASlash_isThatSegment() {
        let table = HostTable([.init(service: "all", paths: [.init("")])])
        let found = Array("GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8).withUnsafeBytes { bytes in
            var head = RequestHead()
            _ = head.parse(bytes)
            return table.find(head, in: bytes)
        }
        #expect(found == .service("all", strippedCount: 0))
    }

    @Test func sharedHost_isDividedByPath() {
        #expect(find("news.test", "/api/x") == .service("api", strippedCount: 0))
        #expect(find("news.test", "/x") == .service("reader", strippedCount: 0))
        // Alone with its host, a service has all of it.
        #expect(find("members.test", "/members/x") == .service("members", strippedCount: 8))
        #expect(find("members.test", "/x") == .service("members", strippedCount: 0))
    }

    @Test func sharedHost_whoseServicesAllHavePaths_hasPlacesThatAreNobodys() {
        let table = HostTable([
            .init(service: "a", sharedHosts: ["x.test"], paths: [.init("/a")]),
            .init(service: "b", sharedHosts: ["x.test"], paths: [.init("/b")]),
        ])
        let found = Array("GET /c HTTP/1.1\r\nHost: X.test:1\r\n\r\n".utf8).withUnsafeBytes { bytes in
            var head = RequestHead()
            _ = head.parse(bytes)
            return table.find(head, in: bytes)
        }
        #expect(found == .nobody(host: "x.test"))
    }

    @Test func absoluteTarget_winsOverTheHostLine() {
        #expect(find("evil.example", "http://reader.localhost:1/a") == .service("reader", strippedCount: 0))
        #expect(find("reader.localhost", "http://evil.example/a") == .foreign(host: "evil.example"))
        #expect(find("evil.example", "http://localhost/members/a") == .service("members", strippedCount: 8))
        #expect(find("evil.example", "http://localhost") == .gateway)
    }

    @Test func nameUnderLocalhost_thatNobodyHas_isNobodys() {
        #expect(find("nobody.localhost:20000") == .nobody(host: "nobody.localhost"))
        #expect(find("tenant.members.localhost") == .nobody(host: "tenant.members.localhost"))
    }

    @Test(arguments: [
        "evil.example", "members.localhost.evil.example", "localhost.evil.example", "evillocalhost", "members",
        "10.0.0.1", "[::2]", "[::ffff:10.0.0.1]", "", ":20000", "127.0.0.1.evil.example", "127.1.evil",
        ".localhost.evil", "[::1", "[::1]evil", "[::1].evil.example",
    ])
    func foreignHost_isTold(host: String) {
        guard case .foreign = find(host) else {
            Issue.record("\(host) is \(find(host).debugDescription)")
            return
        }
        guard case .foreign = find(host, "/api") else {
            Issue.record("\(host)/api is \(find(host, "/api").debugDescription)")
            return
        }
    }
}
