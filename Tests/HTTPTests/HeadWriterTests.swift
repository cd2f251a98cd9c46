import HTTP
import Testing

@Suite struct HeadWriterTests {
    @Test func request_withBody_getsItsLength() throws {
        let request = HTTPRequest(
            method: "POST", target: "/v1/x", headers: ["Host": "a", "content-length": "99"], body: Array("hi".utf8))
        #expect(try text(request.serialized()) == "POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
    }

    @Test func request_withoutBody_saysSoOnlyWhereOneIsExpected() throws {
        #expect(try text(HTTPRequest(target: "/").serialized()) == "GET / HTTP/1.1\r\n\r\n")
        let post = HTTPRequest(method: "POST", target: "/")
        #expect(try text(post.serialized()) == "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
    }

    @Test func response_toHEAD_tellsTheLengthAndKeepsTheBody() throws {
        let response = HTTPResponse(status: 200, body: Array("hello".utf8))
        #expect(try text(response.serialized(headOnly: true)) == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    }

    @Test(arguments: [204, 304, 100])
    func response_thatHasNoBody_hasNoLengthEither(_ status: Int) throws {
        let bytes = try HTTPResponse(status: status, body: Array("x".utf8)).serialized()
        #expect(!text(bytes).contains("Content-Length"))
        #expect(text(bytes).hasSuffix("\r\n\r\n"))
    }

    @Test(arguments: ["a\r\nX: y", "a\nb", "a\0", "\u{7F}", "a\u{1}"])
    func value_withControlByte_isRefused(_ value: String) {
        var writer = HeadWriter()
        #expect(throws: HTTPProblem.self) { try writer.field("X", value) }
        #expect(throws: HTTPProblem.self) { try writer.response(status: 200, reason: value) }
        #expect(throws: HTTPProblem.self) { try writer.request(method: "GET", target: "/" + value) }
        #expect(throws: HTTPProblem.self) { try writer.request(method: value, target: "/") }
        #expect(writer.bytes.isEmpty)
    }

    @Test func moreThanReserved_isKeptWhole() {
        var writer = HeadWriter(reserving: 1)
        let piece = Array("0123456789".utf8)
        for _ in 0..<1000 { writer.append(piece) }
        #expect(writer.count == 10_000)
        #expect(writer.bytes == Array(repeatElement(piece, count: 1000).joined()))
        writer.removeLast(9_990)
        #expect(writer.bytes == piece)
        writer.clear()
        writer.append(EmptyCollection())
        #expect(writer.bytes.isEmpty)
    }

    @Test(arguments: ["", "a b", "a:", "ä", "a\r"])
    func name_thatIsNoToken_isRefused(_ name: String) {
        var writer = HeadWriter()
        #expect(throws: HTTPProblem.self) { try writer.field(name, "x") }
    }

    @Test func parsedHead_rewritten_comesOutClean() throws {
        let raw = Array("GET http://old/p?q HTTP/1.0\r\nHost:   old  \r\nX:y\r\nConnection: close\r\n\r\n".utf8)
        let bytes = try raw.withUnsafeBytes { buffer -> [UInt8] in
            var head = RequestHead()
            #expect(head.parse(buffer) == .complete(length: raw.count))
            guard case .absolute(_, let path) = head.form else { return [] }
            var writer = HeadWriter()
            writer.request(head, in: buffer, target: path)
            for field in head.fields where !field.kind.isHopByHop && field.kind != .host {
                writer.copy(field, from: buffer)
            }
            try writer.field("Host", "new")
            writer.end()
            return writer.bytes
        }
        #expect(text(bytes) == "GET /p?q HTTP/1.1\r\nX: y\r\nHost: new\r\n\r\n")
    }

    @Test func responseHead_copied_keepsStatusAndReason() {
        let raw = Array("HTTP/1.0 404 Nothing Here\r\n\r\n".utf8)
        let bytes = raw.withUnsafeBytes { buffer -> [UInt8] in
            var head = ResponseHead()
            #expect(head.parse(buffer) == .complete(length: raw.count))
            var writer = HeadWriter()
            writer.response(head, in: buffer)
            return writer.bytes
        }
        #expect(text(bytes) == "HTTP/1.1 404 Nothing Here\r\n")
    }

    @Test func chunks_written_areReadBack() {
        var writer = HeadWriter()
        writer.chunk(Array("hello".utf8))
        writer.chunk([])
        writer.chunk(Array(repeating: UInt8(ascii: "x"), count: 300))
        writer.lastChunk(trailers: Array("A: b\r\n".utf8))
        var decoder = ChunkedDecoder()
        var payload = 0
        writer.bytes.withUnsafeBytes { buffer in
            var at = 0
            while case .payload(let range) = decoder.next(buffer, &at) { payload += range.count }
            #expect(at == buffer.count)
        }
        #expect(decoder.isFinished)
        #expect(payload == 305)
        #expect(text(decoder.trailers) == "A: b\r\n")
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
