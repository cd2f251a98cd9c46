import EventLoop
import Platform
import Testing

@testable import Proxy

/// Requests that come by the gateway, each to the service that its host and path name.
@Suite struct GatewayTests {
    private let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    /// A mesh with a gateway to members (also by the path /members, which is stripped) and reader (/reader, which is not).
    private func mesh(user: UInt32 = ThisProcess.userID) throws -> Mesh {
        let mesh = try Mesh(["members", "reader"], user: user)
        let isOpen = mesh.on { proxy in
            proxy.setHosts(
                HostTable([
                    .init(
                        service: "members", ownHosts: ["members.localhost"], sharedHosts: ["members.test"],
                        paths: [.init("/members", strips: true)]),
                    .init(service: "reader", ownHosts: ["reader.localhost"], paths: [.init("/reader")]),
                ]))
            return (try? proxy.add(FrontSpec(service: nil, port: 0))) != nil
        }
        try #require(isOpen)
        return mesh
    }

    private func call(_ mesh: Mesh, six: Bool = false) throws -> Peer {
        try Peer(port: mesh.on { $0.port(of: nil) ?? 0 }, six: six)
    }

    private func get(_ path: String, _ host: String, _ fields: String...) -> String {
        "GET \(path) HTTP/1.1\r\nHost: \(host)\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
    }

    /// What a gateway without servers answers.
    private func answer(_ request: String) throws -> String {
        let mesh = try mesh()
        let client = try call(mesh)
        try client.send(request)
        return try client.receiveAll()
    }

    // MARK: Finding the service

    @Test func host_ofAService_leadsToItsInstance() throws {
        let (mesh, server) = (try mesh(), try Server())
        mesh.pass("members", server)
        for six in [false, true] {
            let client = try call(mesh, six: six)
            try client.send(get("/members/a?b", "Members.localhost:20000", "Accept: */*"))
            let upstream = try server.accept()
            #expect(
                try upstream.receive(until: "\r\n\r\n")
                    == "GET /members/a?b HTTP/1.1\r\nHost: Members.localhost:20000\r\nAccept: */*\r\n"
                    + "X-Forwarded-For: \(six ? "::1" : "127.0.0.1")\r\nX-Forwarded-Host: Members.localhost:20000\r\n"
                    + "X-Forwarded-Proto: http\r\nVia: 1.1 devmesh\r\n\r\n")
            try upstream.send(ok)
            #expect(try client.receive(until: "ok") == ok)
            upstream.close()
            mesh.settle()
        }
    }

    @Test(arguments: [
        ("/members/a?b=c", "/a?b=c"), ("/members", "/"), ("/members?b", "/?b"), ("/members/", "/"),
        ("http://localhost/members/a", "/a"), ("http://127.0.0.1:1/members", "/"),
    ])
    func path_stripped_isToldAsPrefix(target: String, seen: String) throws {
        let (mesh, server) = (try mesh(), try Server())
        mesh.pass("members", server)
        let client = try call(mesh)
        try client.send(get(target, "localhost", "X-Forwarded-Prefix: /evil"))
        let head = try server.accept().receive(until: "\r\n\r\n")
        #expect(head.hasPrefix("GET \(seen) HTTP/1.1\r\n"))
        #expect(head.contains("\r\nX-Forwarded-Prefix: /members\r\n") && !head.contains("/evil"))
    }

    @Test func path_stripped_goesBehindTheRemotesOwn() throws {
        let (mesh, server) = (try mesh(), try Server())
        let remote = RemoteTarget(scheme: .http, host: "127.0.0.1", port: server.port, path: "/base/")
        mesh.set("members", .remote(remote))
        let client = try call(mesh)
        try client.send(get("/members?a", "localhost"))
        #expect(try server.accept().receive(until: "\r\n\r\n").hasPrefix("GET /base/?a HTTP/1.1\r\n"))
    }

    @Test func path_kept_isTheServicesAsItIs() throws {
        let (mesh, server) = (try mesh(), try Server())
        mesh.pass("reader", server)
        let client = try call(mesh)
        try client.send(get("/reader/a", "127.0.0.1:20000"))
        let head = try server.accept().receive(until: "\r\n\r\n")
        #expect(head.hasPrefix("GET /reader/a HTTP/1.1\r\n") && !head.contains("X-Forwarded-Prefix"))
    }

    /// One connection, service after service; a pooled connection to one is never used for the other.
    @Test func connection_keptAlive_goesFromServiceToService() throws {
        let (mesh, members, reader) = (try mesh(), try Server(), try Server())
        mesh.pass("members", members)
        mesh.pass("reader", reader)
        let client = try call(mesh)
        var links: [String: Peer] = [:]
        for host in ["members", "reader", "members", "reader"] {
            try client.send(get("/", "\(host).localhost"))
            let upstream = try links[host] ?? (host == "members" ? members : reader).accept()
            links[host] = upstream
            #expect(try upstream.receive(until: "\r\n\r\n").contains("Host: \(host).localhost"))
            try upstream.send("HTTP/1.1 200 OK\r\nContent-Length: \(host.utf8.count)\r\n\r\n\(host)")
            #expect(try client.receive(until: "\r\n\r\n" + host).hasPrefix("HTTP/1.1 200 "))
            let other = host == "members" ? "reader" : "members"
            #expect(mesh.on { $0.destination(host).connections.count } == 1)
            #expect(mesh.on { $0.destination(other).connections.count } == 0)
        }
    }

    /// What had a body keeps its server's connection to itself, until this client's next request goes elsewhere.
    @Test func connectionKeptForAClient_isGivenUp_whenItGoesToAnotherService() throws {
        let (mesh, members, reader) = (try mesh(), try Server(), try Server())
        mesh.pass("members", members)
        mesh.pass("reader", reader)
        let client = try call(mesh)
        try client.send("POST / HTTP/1.1\r\nHost: members.localhost\r\nContent-Length: 1\r\n\r\nx")
        let upstream = try members.accept()
        try upstream.receive(until: "\r\n\r\nx")
        try upstream.send(ok)
        try client.receive(until: "ok")
        try client.send(get("/", "reader.localhost"))
        let other = try reader.accept()
        #expect(try other.receive(until: "\r\n\r\n").hasPrefix("GET / "))
        #expect(try upstream.expectEnd())
    }

    @Test func pipelinedRequests_toDifferentServices_areAnsweredInOrder() throws {
        let (mesh, members, reader) = (try mesh(), try Server(), try Server())
        mesh.pass("members", members)
        mesh.pass("reader", reader)
        let client = try call(mesh)
        try client.send(get("/1", "members.localhost") + get("/2", "reader.localhost") + get("/3", "evil.example"))
        for (server, body) in [(members, "one"), (reader, "two")] {
            let upstream = try server.accept()
            try upstream.receive(until: "\r\n\r\n")
            try upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\(body)")
            #expect(try client.receive(until: body).hasPrefix("HTTP/1.1 200 OK"))
        }
        #expect(try client.receiveAll().hasPrefix("HTTP/1.1 403 "))
    }

    @Test func table_changed_countsFromTheNextRequestOn() throws {
        let (mesh, server) = (try mesh(), try Server())
        mesh.pass("reader", server)
        let client = try call(mesh)
        try client.send(get("/", "reader.localhost"))
        let upstream = try server.accept()
        try upstream.receive(until: "\r\n\r\n")
        mesh.on { $0.setHosts(HostTable([.init(service: "members", ownHosts: ["members.localhost"])])) }
        try upstream.send(ok)
        try client.receive(until: "ok")
        try client.send(get("/", "reader.localhost"))
        #expect(try client.receiveAll().hasPrefix("HTTP/1.1 404 "))
    }

    // MARK: As from the service's front

    @Test func heldService_isWaitedFor() throws {
        let (mesh, server) = (try mesh(), try Server())
        mesh.hold("members")
        let client = try call(mesh)
        try client.send(get("/members/a", "localhost"))
        #expect(try client.isQuiet(for: .milliseconds(30)))
        mesh.pass("members", server)
        let upstream = try server.accept()
        #expect(try upstream.receive(until: "\r\n\r\n").hasPrefix("GET /a "))
        try upstream.send(ok)
        #expect(try client.receive(until: "ok") == ok)
    }

    @Test func failedService_isAnsweredFor_withItsLastLines() throws {
        let mesh = try mesh()
        mesh.delegate.setLines("members", ["no such table"])
        mesh.set("members", .answer(reason: "members has crashed."))
        let client = try call(mesh)
        try client.send(get("/", "members.localhost"))
        let answer = try client.receiveAll()
        #expect(answer.hasPrefix("HTTP/1.1 503 ") && answer.contains("members has crashed."))
        #expect(answer.contains(#""service": "members""#) && answer.contains("no such table"))
    }

    @Test func fault_ofTheService_isSuffered() throws {
        let (mesh, server) = (try mesh(), try Server())
        mesh.pass("members", server)
        mesh.on { $0.setFaults("members", [Fault(ending: .abort(status: 418))]) }
        let client = try call(mesh)
        try client.send(get("/", "members.localhost"))
        #expect(try client.receiveAll().hasPrefix("HTTP/1.1 418 "))
    }

    @Test func upgrade_becomesARawRelay() throws {
        let (mesh, server) = (try mesh(), try Server())
        mesh.pass("members", server)
        let client = try call(mesh)
        try client.send(get("/ws", "members.localhost", "Connection: Upgrade", "Upgrade: websocket"))
        let upstream = try server.accept()
        #expect(try upstream.receive(until: "\r\n\r\n").contains("\r\nUpgrade: websocket\r\n"))
        try upstream.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nhello")
        #expect(try client.receive(until: "hello").hasPrefix("HTTP/1.1 101 "))
        // Whatever it looks like: nobody reads it as a request.
        try client.send(get("/", "reader.localhost"))
        #expect(try upstream.receive(until: "\r\n\r\n") == get("/", "reader.localhost"))
    }

    @Test func connectionLimit_ofTheService_countsThoseThatUseIt() throws {
        let (mesh, members, reader) = (try mesh(), try Server(), try Server())
        mesh.pass("members", members)
        mesh.pass("reader", reader)
        mesh.on { $0.setResilience("members", Resilience(connections: 1)) }
        let (first, second) = (try call(mesh), try call(mesh))
        try first.send(get("/", "members.localhost"))
        let upstream = try members.accept()
        try upstream.receive(until: "\r\n\r\n")
        try upstream.send(ok)
        try first.receive(until: "ok")
        // The first goes elsewhere, so that there is room again.
        try first.send(get("/", "reader.localhost"))
        let other = try reader.accept()
        try other.receive(until: "\r\n\r\n")
        try other.send(ok)
        try first.receive(until: "ok")
        try second.send(get("/", "members.localhost"))
        try upstream.receive(until: "\r\n\r\n")
        try upstream.send(ok)
        #expect(try second.receive(until: "ok") == ok)
        try first.send(get("/", "members.localhost"))
        #expect(try first.receiveAll().hasPrefix("HTTP/1.1 503 "))
    }

    @Test func removedService_leavesItsIdleClientsConnected() throws {
        let (mesh, members, reader) = (try mesh(), try Server(), try Server())
        mesh.pass("members", members)
        mesh.pass("reader", reader)
        let client = try call(mesh)
        try client.send(get("/", "members.localhost"))
        let upstream = try members.accept()
        try upstream.receive(until: "\r\n\r\n")
        try upstream.send(ok)
        try client.receive(until: "ok")
        mesh.on { $0.remove(service: "members") }
        try client.send(get("/", "reader.localhost"))
        let other = try reader.accept()
        try other.receive(until: "\r\n\r\n")
        try other.send(ok)
        #expect(try client.receive(until: "ok") == ok)
    }

    // MARK: Who is refused

    @Test(arguments: ["evil.example", "members.localhost.evil.example:20000", "10.0.0.1", ""])
    func foreignHost_isRefused(host: String) throws {
        let (mesh, server) = (try mesh(), try Server())
        mesh.pass("members", server)
        for path in ["/", "/members"] {
            let client = try call(mesh)
            try client.send(get(path, host))
            let answer = try client.receiveAll()
            #expect(answer.hasPrefix("HTTP/1.1 403 Forbidden\r\n") && answer.contains("does not serve the host name"))
            #expect(!answer.contains("members.localhost\","))
        }
        #expect(try !server.hasVisitor(within: .milliseconds(20)))
    }

    /// How a request of a page to members at the gateway's port is answered: 503 is members' own answer.
    private func status(_ lines: String..., method: String = "POST", origins: [String] = []) throws -> String {
        let mesh = try mesh()
        mesh.set("members", .answer(reason: "members is stopped."))
        mesh.on { $0.setOrigins("members", origins) }
        let (gateway, front) = (mesh.on { $0.port(of: nil) ?? 0 }, mesh.port("reader"))
        let head = ["\(method) / HTTP/1.1", "Host: members.localhost:GATEWAY"] + lines + ["", ""]
        let client = try call(mesh)
        try client.send(
            head.joined(separator: "\r\n").replacing("GATEWAY", with: "\(gateway)").replacing("FRONT", with: "\(front)")
        )
        return String(try client.receiveAll().dropFirst(9).prefix(3))
    }

    @Test(arguments: [
        "Origin: http://evil.example", "Origin: null", "Origin: http://localhost:1",
        "Origin: http://evil.example:GATEWAY",
        "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site",
        "Sec-Fetch-Site: cross-site\r\nReferer: http://evil.example/http://reader.localhost:GATEWAY/",
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors",
        "Sec-Fetch-Mode: navigate\r\nOrigin: http://evil.example",
        "Origin: http://evil.example\r\nOrigin: http://members.localhost:GATEWAY",
    ])
    func pageOfAnotherSite_isRefused(_ lines: String) throws {
        #expect(try status(lines) == "403")
        #expect(try status(lines, "Access-Control-Request-Method: PUT", method: "OPTIONS") == "403")
        #expect(try status(lines, origins: ["http://app.example"]) == "403")
        #expect(try status(lines, origins: ["*"]) == "503")
    }

    @Test(arguments: [
        "Origin: http://members.localhost:GATEWAY",
        "Origin: http://reader.localhost:GATEWAY\r\nSec-Fetch-Site: cross-site",
        "Origin: https://localhost:GATEWAY", "Origin: http://127.0.0.1:FRONT", "Origin: http://[::1]:FRONT",
        "Sec-Fetch-Site: cross-site\r\nReferer: http://reader.localhost:GATEWAY/a?b", "Sec-Fetch-Site: same-origin",
        "Origin: http://app.example\r\nSec-Fetch-Site: cross-site", "Referer: http://evil.example/",
    ])
    func pageOfThisProjectOrDeclared_isServed(_ lines: String) throws {
        #expect(try status(lines, origins: ["http://app.example"]) == "503")
    }

    @Test func link_ofAnotherSite_isFollowed() throws {
        let link = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nReferer: http://evil.example/"
        #expect(try status(link, method: "GET") == "503")
        #expect(try status(link, method: "HEAD") == "503")
        #expect(try status(link) == "403")
    }

    @Test func list_isNotForOtherSites() throws {
        let answer = try answer(get("/", "localhost", "Origin: http://evil.example"))
        #expect(answer.hasPrefix("HTTP/1.1 403 "))
        #expect(answer.contains("Pages of http://evil.example may not call the gateway."))
    }

    /// What lends credentials is guarded here, too; its declared host names are its own.
    @Test func credentials_areGuarded() throws {
        let (mesh, server) = (try mesh(), try Server())
        let headers = [RemoteTarget.Header("Authorization", "Bearer ours")]
        let remote = RemoteTarget(scheme: .http, host: "127.0.0.1", port: server.port, headers: headers)
        mesh.set("members", .remote(remote))
        mesh.on { $0.setOrigins("members", [], hosts: ["members.test"]) }
        for attack in ["Origin: https://evil.example", "Sec-Fetch-Site: cross-site"] {
            let client = try call(mesh)
            try client.send(get("/", "members.test", attack))
            #expect(try client.receiveAll().hasPrefix("HTTP/1.1 403 "))
        }
        #expect(try !server.hasVisitor(within: .milliseconds(20)))
        let client = try call(mesh)
        try client.send(get("/", "members.test:20000"))
        #expect(try server.accept().receive(until: "\r\n\r\n").contains("Bearer ours"))
    }

    @Test func tcpRemote_isNotCalled() throws {
        let (mesh, server) = (try mesh(), try Server())
        mesh.set("members", .remote(RemoteTarget(scheme: .tcp, host: "127.0.0.1", port: server.port)))
        let client = try call(mesh)
        try client.send(get("/", "members.localhost"))
        let answer = try client.receiveAll()
        #expect(answer.hasPrefix("HTTP/1.1 502 ") && answer.contains("tcp remote"))
        #expect(try !server.hasVisitor(within: .milliseconds(20)))
    }

    @Test func http2_isToldToSpeakHTTP1() throws {
        let answer = try answer("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        #expect(answer.contains("The gateway speaks HTTP/1.1"))
        #expect(answer.utf8.contains(0x0d))
    }

    @Test func otherProtocol_isReset() throws {
        let mesh = try mesh()
        let client = try call(mesh)
        try client.send("*1\r\n$4\r\nPING\r\n")
        #expect(try client.expectReset())
    }

    // MARK: The list

    @Test func list_isAPageForPeopleAndADocumentForPrograms() throws {
        let page = try answer(get("/", "localhost:20000", "Accept: text/html,*/*;q=0.8"))
        #expect(page.hasPrefix("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"))
        #expect(page.contains("Content-Security-Policy: default-src 'none'"))
        #expect(page.contains(#"<a href="http://reader.localhost:1/">reader</a>: failed"#))
        #expect(page.contains("&lt;b&gt; &amp; &quot;c&quot;"))
        let document = try answer(get("/?a", "[::1]:20000", "Accept: */*"))
        #expect(document.hasPrefix("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"))
        #expect(
            document.hasSuffix(
                #"{"name": "newsroom", "services": [{"service": "reader", "state": "failed", "#
                    + #""url": "http://reader.localhost:1/", "reason": "<b> & \"c\""}]}"# + "\n"))
        let text = try answer(get("/", "127.0.0.1", "Accept: text/plain"))
        #expect(text.hasSuffix("\r\n\r\nreader: failed, http://reader.localhost:1/ (<b> & \"c\")\n"))
    }

    @Test func placeOfNobody_is404WithTheList() throws {
        for request in [
            get("/nothing", "localhost"), get("/", "nobody.localhost"),
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx",
        ] {
            let answer = try answer(request)
            #expect(answer.hasPrefix("HTTP/1.1 404 Not Found\r\n"), "\(request)")
            #expect(answer.contains(#"{"error": {"code": "not_found", "message": "No service has "#))
            #expect(answer.contains(#""service": "reader""#))
        }
    }

    @Test func head_getsNoBody() throws {
        let answer = try answer("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix("\r\n\r\n"))
    }
}
