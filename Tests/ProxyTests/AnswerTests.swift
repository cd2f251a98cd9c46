import Platform
import Testing

@testable import Proxy

@Suite struct AnswerTests {
    // MARK: Forms

    @Test(arguments: [
        ([], Answer.Form.json),
        (["*/*"], .json),
        (["application/json"], .json),
        (["application/problem+json, */*"], .json),
        (["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], .html),
        (["text/plain"], .text),
        (["text/html;q=0.5, text/plain;q=0.9"], .text),
        (["text/html;q=0.5", "application/json"], .json),
        (["text/html;q=0, */*"], .json),
        (["image/png"], .json),
        (["text/plain; charset=utf-8; q=1.0, application/json; q=0.999"], .text),
    ])
    func form_isWhatTheClientLikesBest(_ accept: [String], _ form: Answer.Form) {
        var choice = Answer.Form.Choice()
        for line in accept { Array(line.utf8).withUnsafeBytes { choice.consider($0[...]) } }
        #expect(choice.form == form)
    }

    @Test func json_escapesWhatItMust() {
        let answer = Answer(service: "a", reason: "say \"no\"\n", lastLines: ["\u{1b}[31mred\\", "é"])
        let text = String(decoding: answer.response(.json), as: UTF8.self)
        #expect(
            text.hasSuffix(
                #"{"error": {"code": "service_unavailable", "message": "say \"no\"\n"}, "service": "a", "#
                    + #""lastLines": ["\u001b[31mred\\", "é"]}"# + "\n"))
    }

    @Test func html_isHarmless() {
        let answer = Answer(
            service: "<a>", reason: "x & \"y\"", lastLines: ["<script>alert('1')</script>", "\u{1b}[1mb\u{7}"])
        let text = String(decoding: answer.response(.html), as: UTF8.self)
        #expect(text.contains("<h1>&lt;a&gt;</h1>\n<p>x &amp; &quot;y&quot;</p>"))
        #expect(text.contains("<pre>&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;\nb␇</pre>"))
        #expect(text.contains("Content-Security-Policy: default-src 'none'"))
        #expect(!text.contains("<script"))
    }

    @Test func text_saysReasonAndLastLines() {
        let answer = Answer(service: "reader", reason: "It failed.", lastLines: ["one", "two"])
        let text = String(decoding: answer.response(.text), as: UTF8.self)
        #expect(text.hasSuffix("\r\n\r\nreader: It failed.\n\nLast lines:\n  one\n  two\n"))
    }

    @Test func response_toHead_hasTheLengthButNoBody() {
        let answer = Answer(service: "reader", reason: "It failed.")
        let text = String(decoding: answer.response(.text, withBody: false), as: UTF8.self)
        #expect(text.contains("Content-Length: 19\r\n"))
        #expect(text.hasSuffix("\r\n\r\n"))
    }

    // MARK: Answering on a front

    private func failing(_ kind: FrontProtocol = .auto) throws -> Mesh {
        let mesh = try Mesh(["reader"])
        mesh.on { $0.setProtocol("reader", kind) }
        mesh.delegate.setLines("reader", ["panic: no database"])
        mesh.set("reader", .answer(reason: "reader has crashed (exit code 1)."))
        return mesh
    }

    @Test func http_isAnsweredWithReasonAndLastLines() throws {
        let client = try failing().keep { try $0.call("reader") }
        try client.peer.send("GET / HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n")
        let answer = try client.peer.receiveAll()
        #expect(answer.hasPrefix("HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html; charset=utf-8\r\n"))
        #expect(answer.contains("\r\nConnection: close\r\n"))
        #expect(answer.contains("reader has crashed (exit code 1)."))
        #expect(answer.contains("panic: no database"))
    }

    @Test func http_inPieces_isAnsweredOnceItsHeadIsWhole() throws {
        let client = try failing().keep { try $0.call("reader") }
        for piece in ["GE", "T / HTTP/1.1\r\nHo", "st: x\r\n", "\r\n"] {
            #expect(try piece == "GE" || client.peer.isQuiet(for: .milliseconds(70)))
            try client.peer.send(piece)
        }
        #expect(try client.peer.receiveAll().hasPrefix("HTTP/1.1 503 "))
    }

    @Test func http_withABody_isAnsweredAndNotReset() throws {
        let client = try failing().keep { try $0.call("reader") }
        try client.peer.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n")
        try client.peer.send([UInt8](repeating: 65, count: 300_000))
        #expect(try client.peer.receiveAll().hasPrefix("HTTP/1.1 503 "))
    }

    @Test func head_isAnsweredWithoutABody() throws {
        let client = try failing().keep { try $0.call("reader") }
        try client.peer.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try client.peer.receiveAll().hasSuffix("\r\n\r\n"))
    }

    @Test func malformedHTTP_isTold() throws {
        let client = try failing().keep { try $0.call("reader") }
        try client.peer.send("GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n")
        #expect(try client.peer.receiveAll().hasPrefix("HTTP/1.1 400 "))
    }

    @Test func http2_isToldByItsFarewell() throws {
        let client = try failing().keep { try $0.call("reader") }
        try client.peer.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        let farewell = try client.peer.receiveAll()
        // An empty SETTINGS frame, then GOAWAY.
        #expect(farewell.utf8.starts(with: [0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0]))
        #expect(farewell.utf8.dropFirst(12).starts(with: [7, 0, 0, 0, 0, 0]))
        #expect(farewell.contains("reader has crashed"), "\(farewell)")
    }

    @Test(arguments: ["*1\r\n$4\r\nPING\r\n", "\u{16}\u{3}\u{1}"])
    func otherProtocols_areReset(_ hello: String) throws {
        let client = try failing().keep { try $0.call("reader") }
        try client.peer.send(hello)
        #expect(try client.peer.expectReset())
    }

    @Test func silence_isResetAfterAWhile() throws {
        let start = Instant.now
        let client = try failing().keep { try $0.call("reader") }
        #expect(try client.peer.expectReset())
        #expect(Instant.now - start >= .seconds(1))
    }

    @Test func http_afterAPause_isAnswered() throws {
        let client = try failing().keep { try $0.call("reader") }
        #expect(try client.peer.isQuiet(for: .milliseconds(120)))
        try client.peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try client.peer.receiveAll().hasPrefix("HTTP/1.1 503 "))
    }

    @Test func slowFirstByte_onADeclaredHTTPService_isAnswered() throws {
        let client = try failing(.http).keep { try $0.call("reader") }
        #expect(try client.peer.isQuiet(for: .milliseconds(120)))
        try client.peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try client.peer.receiveAll().hasPrefix("HTTP/1.1 503 "))
    }

    @Test func anything_onADeclaredTCPService_isReset() throws {
        let client = try failing(.tcp).keep { try $0.call("reader") }
        #expect(try client.peer.expectReset())
    }
}

extension Mesh {
    /// A client that keeps its mesh alive.
    fileprivate func keep(_ body: (Mesh) throws -> Peer) rethrows -> (mesh: Mesh, peer: Peer) { (self, try body(self)) }
}
