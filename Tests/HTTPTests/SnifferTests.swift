import HTTP
import Testing

@Suite struct SnifferTests {
    private func look(_ text: String) -> Sniffer.Verdict {
        Array(text.utf8).withUnsafeBytes { Sniffer.look($0) }
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\n", "GET /", "POST http://a/", "PROPFIND /x", "OPTIONS * HTTP/1.1", "CONNECT a:443",
        "\r\nGET /", "M-SEARCH /",
    ])
    func request_beginning_isHTTP1(_ text: String) {
        #expect(look(text) == .http1)
    }

    @Test func preface_whole_isHTTP2() {
        #expect(look("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == .http2)
        #expect(look("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0") == .http2)
        #expect(look("PRI * HTTP/2.0\r\n\r\nSM\r\n\rx") == .other)
    }

    @Test(arguments: [
        "*1\r\n$4\r\nPING\r\n", "PING\r\n", "GET key\r\n", "\u{16}\u{3}\u{1}", "SSH-2.0-x\r\n", "get /lower", " GET /",
        "QUIT\r\n", "SET * 1", "ABCDEFGHIJKLMNOPQRSTUVWXYZ /",
    ])
    func anythingElse_isOther(_ text: String) {
        #expect(look(text) == .other)
    }

    @Test(arguments: ["", "G", "GET", "GET ", "PRI * HTTP/2.0\r\n\r\nSM", "GET htt", "P", "\r"])
    func ambiguousBeginning_needsMore(_ text: String) {
        #expect(look(text) == .needMore)
    }

    @Test func request_cutAnywhere_neverContradictsItself() {
        for text in ["PUT http://a/ HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PRINT /x", "*2\r\n"] {
            let whole = look(text)
            for length in 0..<text.utf8.count {
                let part = look(String(decoding: text.utf8.prefix(length), as: UTF8.self))
                #expect(part == whole || part == .needMore, "\(text.prefix(length))")
            }
        }
    }
}
