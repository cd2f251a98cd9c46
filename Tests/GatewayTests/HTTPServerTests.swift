import Control
import EventLoop
import Gateway
import Platform
import TestSupport
import Testing

/// What goes over the wire, seen by a raw client.
@Suite struct HTTPServerTests {
    private static let waitBody = #"{"services":["reader"]}"#

    /// Sends the text, ends the input, and returns all that comes back.
    private func talk(_ mesh: FakeMesh, _ text: String) throws -> String {
        let client = try RawClient(mesh.socket)
        try client.send(text)
        client.endInput()
        return try client.read()
    }

    private func statuses(_ text: String) -> [String] {
        text.split(separator: "\r\n").filter { $0.contains("HTTP/1.1 ") }
            .compactMap { $0.split(separator: "HTTP/1.1 ").last.map { String($0.prefix(3)) } }
    }

    @Test func requests_pipelined_areAnsweredInOrder() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        let client = try RawClient(mesh.socket)
        try client.send(
            "POST /v1/services/wait HTTP/1.1\r\nHost: a\r\nContent-Length: 23\r\nX-Request-Id: one\r\n\r\n"
                + Self.waitBody
                + "GET /v1/nothing HTTP/1.1\r\nHost: a\r\nX-Request-Id: two\r\n\r\n"
                + "GET /v1/mesh HTTP/1.1\r\nHost: a\r\nX-Request-Id: three\r\n\r\n")
        _ = mesh.waitBegan.take()
        #expect(mesh.onLoop { $0.backend.calls } == [#"wait ["reader"]"#])
        mesh.onLoop { $0.backend.waiting.removeFirst()(.success(WaitReport(timedOut: false, services: []))) }
        client.endInput()
        let answer = try client.read()
        #expect(statuses(answer) == ["200", "404", "200"])
        let ids = ["one", "two", "three"].compactMap { answer.firstRange(of: "X-Request-Id: \($0)\r\n")?.lowerBound }
        #expect(ids.count == 3 && ids == ids.sorted())
    }

    @Test func manyRequests_pipelined_areAllAnswered() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        let request = "GET /v1/services/reader/env HTTP/1.1\r\nHost: a\r\n\r\n"
        let client = try RawClient(mesh.socket)
        let text = String(repeating: request, count: 3000)
        let writer = try PlatformThread("writer") { [client = Sending(client)] in
            try? client.value.send(text)
            client.value.endInput()
        }
        let answer = try client.read()
        writer.join()
        #expect(statuses(answer).count == 3000)
        #expect(answer.hasSuffix("}\n"))
    }

    @Test func body_chunked_isRead() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        let answer = try talk(
            mesh,
            "POST /v1/services/restart HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "d\r\n{\"services\":[\r\na;x=1\r\n\"reader\"]}\r\n0\r\nT: 1\r\n\r\n"
                + "GET /v1/mesh HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(statuses(answer) == ["200", "200"])
        #expect(mesh.onLoop { $0.backend.calls.first } == #"restart ["reader"] true"#)
    }

    @Test func expectContinue_isAnsweredBeforeTheBody() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        let client = try RawClient(mesh.socket)
        try client.send(
            "POST /v1/services/reader/scale HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 15\r\n\r\n")
        #expect(try client.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
        try client.send(#"{"instances":2}"#)
        client.endInput()
        #expect(try client.read().hasPrefix("HTTP/1.1 200 OK\r\n"))
    }

    @Test func expectContinue_withTooLargeABody_isRefusedAtOnce() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        let answer = try talk(
            mesh, "POST /v1/up HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9999999\r\n\r\n")
        #expect(statuses(answer) == ["413"])
    }

    @Test func body_chunkedAndTooLarge_isRefused() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        let client = try RawClient(mesh.socket)
        let chunk = "20000\r\n" + String(repeating: "x", count: 0x20000) + "\r\n"
        try client.send("POST /v1/up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in 0..<20 { try client.send(chunk) }
        let answer = try client.read()
        #expect(statuses(answer) == ["413"])
        #expect(answer.contains("\r\nConnection: close\r\n"))
        #expect(answer.contains("a body of more than 1048576 bytes"))
    }

    @Test func head_isAnsweredWithoutBody() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        let get = try talk(mesh, "GET /v1/services HTTP/1.1\r\nHost: a\r\n\r\n")
        let head = try talk(mesh, "HEAD /v1/services HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n") && head.hasSuffix("\r\n\r\n"))
        let length = { (text: String) in text.split(separator: "\r\n").first { $0.hasPrefix("Content-Length") } }
        #expect(length(head) == length(get) && length(get) != nil)
        let events = try talk(mesh, "HEAD /v1/events?follow=1 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(events.hasPrefix("HTTP/1.1 200 OK\r\n") && events.hasSuffix("\r\n\r\n"))
    }

    @Test(arguments: [
        ("PUT /v1/mesh", "405", "Allow: GET, HEAD\r\n"), ("GET /v1/up", "405", "Allow: POST\r\n"),
        ("DELETE /v1/services/start", "405", "Allow: GET, HEAD, POST\r\n"), ("GET /v2/mesh", "404", "unknown-path"),
        ("GET /", "404", "/v1/mesh"), ("GET /v1/services/%zz", "400", "percent-escape"),
    ])
    func path_orMethod_thatIsNot_isRefusedWithWhatIs(_ line: String, _ status: String, _ part: String) throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        let answer = try talk(mesh, "\(line) HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(statuses(answer) == [status])
        #expect(answer.contains(part))
        #expect(answer.contains(#"{"error":{"message":""#))
    }

    @Test(arguments: [
        ("{", "The body is not JSON"), ("[]", "expected a JSON object"),
        (#"{"service":"reader"}"#, #"\"service\" is not known here; expected services, wait"#),
    ])
    func body_malformed_isRefusedWithTheReason(_ body: String, _ part: String) throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        let length = "Content-Length: \(body.utf8.count)"
        let answer = try talk(
            mesh, "POST /v1/services/start HTTP/1.1\r\nHost: a\r\n\(length)\r\n\r\n\(body)")
        #expect(statuses(answer) == ["400"])
        #expect(answer.contains(part), "\(answer)")
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", "400"), ("GET / HTTP/3.0\r\n\r\n", "505"), ("nonsense\r\n", "400"),
        ("GET /" + String(repeating: "a", count: 20_000), "414"),
        ("GET / HTTP/1.1\r\nX: " + String(repeating: "a", count: 70_000), "431"),
        ("POST /v1/up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "400"),
    ])
    func request_malformed_isRefusedAndTheConnectionClosed(_ text: String, _ status: String) throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        let client = try RawClient(mesh.socket)
        try client.send(text)
        let answer = try client.read()
        #expect(statuses(answer) == [status])
        #expect(answer.contains("\r\nConnection: close\r\n"))
        #expect(answer.contains(#""code":"refused""#))
    }

    @Test func requestID_given_isEchoedElseMade() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        let answer = try talk(
            mesh,
            "GET /v1/mesh HTTP/1.1\r\nHost: a\r\nx-request-id: abc-1\r\n\r\n"
                + "GET /v1/mesh HTTP/1.1\r\nHost: a\r\n\r\n"
                + "GET /v1/mesh HTTP/1.1\r\nHost: a\r\nX-Request-Id: two words\r\n\r\n")
        let ids = answer.split(separator: "\r\n").filter { $0.hasPrefix("X-Request-Id: ") }.map { $0.dropFirst(14) }
        #expect(ids.count == 3 && Set(ids).count == 3)
        #expect(ids.first == "abc-1")
        #expect(!ids.contains("two words"))
        #expect(mesh.onLoop { $0.backend.calls } == ids.map { "mesh \($0)" })
    }

    @Test func http10_isAnsweredAndClosed() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        mesh.onLoop { $0.backend.events.append(MeshEvent(time: "t", service: nil, event: "x")) }
        for path in ["/v1/mesh", "/v1/events"] {
            let client = try RawClient(mesh.socket)
            try client.send("GET \(path) HTTP/1.0\r\n\r\n")
            let answer = try client.read()
            #expect(answer.contains("\r\nConnection: close\r\n"))
            #expect(!answer.contains("chunked"))
            #expect(answer.hasSuffix("}\n"))
        }
    }

    @Test func connection_idle_staysOpenForTheNextRequest() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        let client = try RawClient(mesh.socket)
        for _ in 0..<3 {
            try client.send("GET /v1/mesh HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.read(until: "}\n").hasPrefix("HTTP/1.1 200 OK\r\n"))
        }
        #expect(mesh.onLoop { $0.server.connectionCount } == 1)
        client.close()
        #expect(mesh.reaches { $0.server.connectionCount == 0 })
    }

    @Test func client_thatLeaves_cancelsWhatWaits() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        let client = try RawClient(mesh.socket)
        try client.send(
            "POST /v1/services/wait HTTP/1.1\r\nHost: a\r\nX-Request-Id: w\r\nContent-Length: 23\r\n\r\n"
                + Self.waitBody)
        _ = mesh.waitBegan.take()
        client.close()
        #expect(mesh.waitCancelled.take(within: patience(.seconds(20))) == "w")
        #expect(mesh.onLoop { $0.server.connectionCount } == 0)
        // A late answer goes nowhere and does no harm.
        mesh.onLoop { $0.backend.waiting.removeFirst()(.success(WaitReport(timedOut: true, services: []))) }
        #expect(try mesh.client.mesh().pid == 7)
    }

    @Test func client_thatEndsItsSide_isStillAnswered() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        let client = try RawClient(mesh.socket)
        try client.send(
            "POST /v1/services/wait HTTP/1.1\r\nHost: a\r\nContent-Length: 23\r\n\r\n" + Self.waitBody)
        client.endInput()
        _ = mesh.waitBegan.take()
        // A turn of the loop, so that the end of the input has been seen.
        mesh.onLoop { _ in }
        mesh.onLoop { $0.backend.waiting.removeFirst()(.success(WaitReport(timedOut: true, services: []))) }
        #expect(try client.read().hasSuffix("{\"timedOut\":true,\"services\":[]}\n"))
        #expect(mesh.waitCancelled.take(within: .zero) == nil)
    }

    @Test func connections_beyondTheLimit_areRefusedUntilOneCloses() throws {
        let mesh = try FakeMesh(connectionLimit: 2)
        defer { mesh.close() }
        let clients = [try RawClient(mesh.socket), try RawClient(mesh.socket)]
        #expect(mesh.reaches { $0.server.connectionCount == 2 })
        let refused = try RawClient(mesh.socket).read()
        #expect(statuses(refused) == ["503"])
        clients[0].close()
        #expect(mesh.reaches { $0.server.connectionCount < 2 })
        #expect(try mesh.client.mesh().pid == 7)
        clients[1].close()
    }

    @Test func answer_sentInShortWrites_arrivesWhole() throws {
        let faults = FaultPlan()
        let mesh = try FakeMesh(kernel: Kernel(faults: faults))
        defer { mesh.close() }
        faults.injectNext(.send, times: 40, .short(3))
        #expect(try mesh.client.mesh().manifest == "/p/services.json")
        #expect(faults.count(.send) > 40)
    }

    @Test func connection_thatBreaksWhileAnswered_isForgotten() throws {
        let faults = FaultPlan()
        let mesh = try FakeMesh(kernel: Kernel(faults: faults))
        defer { mesh.close() }
        faults.injectNext(.send, .fails(.brokenPipe))
        let client = try RawClient(mesh.socket)
        try client.send("GET /v1/mesh HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.read() == "")
        #expect(mesh.reaches { $0.server.connectionCount == 0 })
        #expect(try mesh.client.mesh().pid == 7)
    }

    @Test func follower_thatDoesNotRead_losesEventsAndIsTold() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        let client = try RawClient(mesh.socket)
        try client.send("GET /v1/events?follow=1 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(mesh.reaches { $0.backend.events.followerCount == 1 })
        let filler = String(repeating: "x", count: 1000)
        let total = 20_000
        mesh.onLoop { parts in
            for number in 0..<total {
                parts.backend.events.append(MeshEvent(time: "t", service: nil, event: "\(number)", detail: filler))
            }
        }
        let first = try client.read(until: "were not read fast enough")
        let heard = first.split(separator: "\n").filter { $0.contains(#""time":"t""#) }.count
        #expect(heard > 0 && heard < total)
        let dropped = first.split(separator: #""detail":""#).last.flatMap { Int($0.prefix { $0.isNumber }) }
        #expect(dropped.map { heard + $0 } == total)
        mesh.onLoop { $0.backend.events.append(MeshEvent(time: "t", service: nil, event: "after")) }
        #expect(try client.read(until: "after").contains(#""event":"after""#))
    }
}

/// Lets another thread use something that is not `Sendable`.
private struct Sending<Value>: @unchecked Sendable {
    // The test joins the other thread; a socket may be written by one thread and read by another.
    let value: Value
    init(_ value: Value) { self.value = value }
}
