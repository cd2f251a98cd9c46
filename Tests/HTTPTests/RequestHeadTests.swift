import HTTP
import Testing

/// What the fixtures can't show: one parser used again and again. Heads themselves: `MessageFixtureTests`.
@Suite struct RequestHeadTests {
    @Test func parser_reset_readsTheNextHeadAfresh() {
        var head = RequestHead()
        parse(&head, "POST /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
        #expect(head.framing == .chunked)
        #expect(!head.keepsAlive)
        head.reset()
        parse(&head, "GET /b HTTP/1.1\r\nHost: b\r\nContent-Length: 3\r\n\r\n")
        #expect(head.framing == .length(3))
        #expect(head.keepsAlive)
        #expect(head.fields.count == 2)
        #expect(head.host == head.fields[0])
    }

    @Test func cookies_of16KB_pass() {
        var head = RequestHead()
        let cookie = String(repeating: "c", count: 16_384)
        parse(&head, "GET / HTTP/1.1\r\nHost: a\r\nCookie: \(cookie)\r\n\r\n")
        #expect(head.fields[1].value.count == 16_384)
    }

    @Test func methods_knownAndNot_tellWhetherTheyMayBeRepeated() {
        for (name, method, idempotent) in [
            ("GET", HTTPMethod.get, true), ("HEAD", .head, true), ("PUT", .put, true), ("DELETE", .delete, true),
            ("OPTIONS", .options, true), ("TRACE", .trace, true), ("POST", .post, false), ("PATCH", .patch, false),
            ("get", .other, false), ("GETS", .other, false),
        ] {
            var head = RequestHead()
            parse(&head, "\(name) / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(head.method == method)
            #expect(head.method.isIdempotent == idempotent)
        }
    }

    private func parse(_ head: inout RequestHead, _ text: String) {
        let bytes = Array(text.utf8)
        #expect(bytes.withUnsafeBytes { head.parse($0) } == .complete(length: bytes.count))
    }
}
