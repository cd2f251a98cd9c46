import Platform
import TestSupport
import Testing

@testable import Proxy

/// What a hand-written reverse proxy must get right: a test for each row of that table.
@Suite struct ConformanceTests {
    private static let rows = [
        "absolute-form-CONNECT-and-asterisk", "bodies-without-a-length", "chunked-and-trailers", "client-abort",
        "expect-continue-and-interim-responses", "hop-by-hop-headers", "http2-with-prior-knowledge",
        "keep-alive-and-pipelining", "long-heads", "loops", "request-smuggling", "retries", "server-sent-events",
        "upgrade-and-websocket",
    ]

    @Test func everyRow_hasConversations_andTheReverse() {
        #expect(Fixtures.names(in: Conversation.folder).filter { $0 != "README.md" } == Self.rows)
        for row in Self.rows { #expect(!Conversation.all(of: row).isEmpty, "\(row)") }
    }

    @Test(arguments: Conversation.all(of: "keep-alive-and-pipelining"))
    func keepAliveAndPipelining(_ conversation: Conversation) throws { try conversation.run() }

    @Test(arguments: Conversation.all(of: "chunked-and-trailers"))
    func chunkedAndTrailers(_ conversation: Conversation) throws { try conversation.run() }

    @Test(arguments: Conversation.all(of: "bodies-without-a-length"))
    func bodiesThatEndByClose_HEAD_204_304(_ conversation: Conversation) throws { try conversation.run() }

    @Test(arguments: Conversation.all(of: "expect-continue-and-interim-responses"))
    func expectContinueAndInterimResponses(_ conversation: Conversation) throws { try conversation.run() }

    @Test(arguments: Conversation.all(of: "upgrade-and-websocket"))
    func upgradeAndWebSocket(_ conversation: Conversation) throws { try conversation.run() }

    @Test(arguments: Conversation.all(of: "http2-with-prior-knowledge"))
    func http2WithPriorKnowledge(_ conversation: Conversation) throws { try conversation.run() }

    @Test(arguments: Conversation.all(of: "server-sent-events"))
    func serverSentEvents(_ conversation: Conversation) throws { try conversation.run() }

    @Test(arguments: Conversation.all(of: "hop-by-hop-headers"))
    func hopByHopHeaders(_ conversation: Conversation) throws { try conversation.run() }

    @Test(arguments: Conversation.all(of: "request-smuggling"))
    func requestSmuggling(_ conversation: Conversation) throws { try conversation.run() }

    @Test(arguments: Conversation.all(of: "absolute-form-CONNECT-and-asterisk"))
    func absoluteForm_CONNECT_asterisk(_ conversation: Conversation) throws { try conversation.run() }

    @Test(arguments: Conversation.all(of: "long-heads"))
    func longHeads(_ conversation: Conversation) throws { try conversation.run() }

    @Test(arguments: Conversation.all(of: "client-abort"))
    func clientAbort(_ conversation: Conversation) throws { try conversation.run() }

    @Test(arguments: Conversation.all(of: "retries"))
    func retries(_ conversation: Conversation) throws { try conversation.run() }

    @Test(arguments: Conversation.all(of: "loops"))
    func loops(_ conversation: Conversation) throws { try conversation.run() }

    // MARK: Rows that no bytes can tell

    @Test func backpressure_ofASlowReader_holdsUpItsServerAlone() throws {
        let mesh = try Mesh(["reader"])
        let server = try Server()
        mesh.pass("reader", server)
        let slow = try mesh.call("reader")
        try slow.send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        let big = try server.accept()
        try big.receive(until: "\r\n\r\n")
        try big.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        let stuffed = try big.stuff([UInt8](repeating: 0x78, count: 65536), into: mesh)
        // What the kernel's buffers and one read take, and no more.
        #expect(stuffed < 32 << 20)
        let other = try mesh.call("reader")
        try other.send("GET /small HTTP/1.1\r\nHost: x\r\n\r\n")
        let small = try server.accept()
        try small.receive(until: "\r\n\r\n")
        try small.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        #expect(try other.receive(until: "\r\n\r\nok").hasSuffix("ok"))
        try slow.receive(until: "\r\n\r\n")
        #expect(try slow.receiveBytes(count: stuffed).allSatisfy { $0 == 0x78 })
    }

    @Test func backpressure_ofASlowServer_holdsUpItsClientAlone() throws {
        let mesh = try Mesh(["reader"])
        let server = try Server()
        mesh.pass("reader", server)
        let client = try mesh.call("reader")
        try client.send("PUT /big HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
        let slow = try server.accept()
        let stuffed = try client.stuff([UInt8](repeating: 0x78, count: 65536), into: mesh)
        #expect(stuffed < 32 << 20)
        try slow.receive(until: "\r\n\r\n")
        #expect(try slow.receiveBytes(count: stuffed).allSatisfy { $0 == 0x78 })
    }

    @Test func slowLoris_isAnsweredAfterTenSeconds() throws {
        let mesh = try Mesh(["reader"])
        let server = try Server()
        mesh.pass("reader", server)
        let client = try mesh.call("reader")
        let began = Instant.now
        try client.send("GET / HTTP/1.1\r\nHost: x\r\n")
        // Whoever drips must not win time by it.
        while try client.isQuiet(for: .seconds(4)), Instant.now - began < .seconds(20) {
            try client.send("X-A: b\r\n")
        }
        #expect(Instant.now - began >= .seconds(10))
        #expect(try client.receiveAll().hasPrefix("HTTP/1.1 408 "))
        #expect(try !server.hasVisitor(within: .milliseconds(20)))
    }

    @Test(.enabled(if: hasLoopback6()))
    func bothLoopbacks_areServedAndDialled() throws {
        let mesh = try Mesh(["reader"])
        let server = try Server(six: true)
        mesh.set("reader", .remote(RemoteTarget(scheme: .http, host: "localhost", port: server.port)))
        let client = try Peer(port: mesh.port("reader"), six: true)
        try client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        let upstream = try server.accept()
        #expect(try upstream.receive(until: "\r\n\r\n").contains("\r\nX-Forwarded-For: ::1\r\n"))
        try upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        #expect(try client.receive(until: "ok").hasSuffix("ok"))
    }
}
