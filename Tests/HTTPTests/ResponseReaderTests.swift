import HTTP
import Testing

@Suite struct ResponseReaderTests {
    /// Feeds the text whole and byte by byte; both must tell the same. Bodies are joined.
    private func read(_ text: String, answering method: HTTPMethod = .get, eof: Bool = false) throws -> [String] {
        let bytes = Array(text.utf8)
        let whole = try told([bytes], method, eof)
        let pieces = try told(bytes.map { [$0] }, method, eof)
        #expect(whole == pieces)
        return whole
    }

    private func told(_ pieces: [[UInt8]], _ method: HTTPMethod, _ eof: Bool) throws -> [String] {
        var reader = ResponseReader(answering: method)
        var events: [ResponseReader.Event] = []
        for piece in pieces { events += try piece.withUnsafeBytes { bytes in try reader.feed(bytes) } }
        if eof { events += try reader.finish() }
        var body: [UInt8] = []
        var told: [String] = []
        for event in events {
            switch event {
            case .head(let head): told.append("\(head.status) \(head.headers["X"] ?? "")")
            case .body(let bytes): body += bytes
            case .end: told += [String(decoding: body, as: UTF8.self), "end"]
            }
        }
        #expect(reader.isDone == (told.last == "end"))
        return told
    }

    @Test func response_withLength_endsThere() throws {
        #expect(try read("HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 5\r\n\r\nhello") == ["200 y", "hello", "end"])
    }

    @Test func response_afterInterimOnes_isTheFinalOne() throws {
        let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 E\r\n\r\nHTTP/1.1 201 C\r\nContent-Length: 0\r\n\r\n"
        #expect(try read(text) == ["201 ", "", "end"])
    }

    @Test func response_chunked_endsWithTheLastChunk() throws {
        let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
        #expect(try read(text) == ["200 ", "abc", "end"])
    }

    @Test func response_untilClose_endsWithTheConnection() throws {
        #expect(try read("HTTP/1.1 200 OK\r\n\r\nall", eof: true) == ["200 ", "all", "end"])
        #expect(try read("HTTP/1.1 200 OK\r\n\r\nall") == ["200 "])
    }

    @Test func response_toHEAD_hasNoBody() throws {
        #expect(try read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", answering: .head) == ["200 ", "", "end"])
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab",
        "HTTP/1.1 20", "",
    ])
    func connection_endingEarly_isAnError(_ text: String) {
        #expect(throws: HTTPProblem(502, "the connection ended before the response did")) {
            try read(text, eof: true)
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nx",
    ])
    func bytes_afterTheEnd_areAnError(_ text: String) {
        #expect(throws: HTTPProblem(502, "bytes after the response's end")) { try read(text) }
    }
}
