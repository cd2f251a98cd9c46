import HTTP
import Testing

@testable import Gateway

@Suite struct RequestReaderTests {
    /// The steps that differ from `needMore`, with the text fed in pieces of `size`.
    private func steps(_ text: String, size: Int, bodyLimit: Int = 10) -> [String] {
        var reader = RequestReader(bodyLimit: bodyLimit)
        var told: [String] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            rest.prefix(size).withUnsafeBytes { reader.append($0) }
            rest = rest.dropFirst(size)
            reading: while true {
                switch reader.next() {
                case .needMore: break reading
                case .wantsContinue: told.append("continue")
                case .request(let incoming):
                    let body = String(decoding: incoming.request.body, as: UTF8.self)
                    told.append("\(incoming.request.method) \(incoming.request.target) \(body)")
                case .invalid(let problem):
                    told.append("\(problem.status)")
                    return told
                }
            }
        }
        #expect(!reader.isInsideRequest)
        return told
    }

    private func expect(_ text: String, _ expected: [String]) {
        for size in [1, 2, 3, 7, 64, 100_000] { #expect(steps(text, size: size) == expected, "pieces of \(size)") }
    }

    @Test func requests_ofEveryFraming_comeOneByOne() {
        expect(
            "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n" + "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
                + "POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
                + "GET /4 HTTP/1.0\r\n\r\n",
            ["GET /1 ", "POST /2 abc", "POST /3 abc", "GET /4 "])
    }

    @Test func body_atItsLimit_passesAndBeyondIsRefused() {
        let head = "POST / HTTP/1.1\r\nHost: a\r\n"
        expect(head + "Content-Length: 10\r\n\r\n0123456789", ["POST / 0123456789"])
        expect(head + "Content-Length: 11\r\n\r\n", ["413"])
        expect(head + "Transfer-Encoding: chunked\r\n\r\n8\r\n01234567\r\n3\r\n890\r\n0\r\n\r\n", ["413"])
        expect(head + "Content-Length: 999999999999999999\r\n\r\n", ["413"])
    }

    @Test func expect_isToldOnceUnlessTheBodyIsThere() {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        #expect(steps(head + "ab", size: 1) == ["continue", "POST / ab"])
        #expect(steps(head + "ab", size: 1000) == ["POST / ab"])
    }

    @Test func request_unfinished_isSeenAsSuch() {
        for text in ["GET", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n"] {
            var reader = RequestReader(bodyLimit: 10)
            #expect(!reader.isInsideRequest)
            Array(text.utf8).withUnsafeBytes { reader.append($0) }
            #expect(reader.next() == .needMore)
            #expect(reader.isInsideRequest)
        }
    }
}
