import CTestSupport
import Platform
import Testing

@testable import Proxy

/// What an ordinary request allocates once its connections are there: nothing.
///
/// Without the optimizer there are frames of coroutines besides, which don't count here; Tests/real counts every call of
/// the allocator that the program built for release makes.
@Suite(.enabled(if: ct_allocations() >= 0, "nothing counts allocations here"))
struct AllocationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var request: String
        var response: String
        /// What each ends with.
        var requestEnd = "\r\n\r\n"
        var responseEnd = "ok"
    }

    static let get = Case(
        testDescription: "GET",
        request: "GET /a?b=c HTTP/1.1\r\nHost: reader.localhost\r\nUser-Agent: test\r\nAccept: */*\r\n"
            + "Cookie: a=b\r\n\r\n",
        response: "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok")

    static let cases = [
        get,
        Case(
            testDescription: "POST",
            request: "POST /orders HTTP/1.1\r\nHost: reader.localhost\r\nContent-Length: 10\r\n\r\n0123456789",
            response: "HTTP/1.1 201 Created\r\nContent-Length: 2\r\nLocation: /orders/1\r\n\r\nok",
            requestEnd: "0123456789"),
        Case(
            testDescription: "chunks",
            request: "PUT / HTTP/1.1\r\nHost: reader.localhost\r\nTE: trailers\r\nVia: 1.1 x\r\n"
                + "Transfer-Encoding: chunked\r\n\r\n3\r\nput\r\n0\r\n\r\n",
            response: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            requestEnd: "0\r\n\r\n", responseEnd: "0\r\n\r\n"),
    ]

    @Test(arguments: cases)
    func requests_inSteadyState_allocateNothing(_ this: Case) throws {
        let mesh = try Mesh(["reader"])
        let server = try Server()
        mesh.pass("reader", server)
        let client = try mesh.call("reader")
        try client.send(Self.get.request)
        let upstream = try server.accept()
        func answer(_ this: Case) throws {
            try upstream.receive(until: this.requestEnd)
            try upstream.send(this.response)
            try client.receive(until: this.responseEnd)
        }
        try answer(Self.get)
        func allocations(in count: Int, of this: Case) throws -> Int64 {
            let before = mesh.on { _ in ct_allocations() }
            for _ in 0..<count {
                try client.send(this.request)
                try answer(this)
            }
            return mesh.on { _ in ct_allocations() } - before
        }
        // A connection that has carried requests before carries those with a body, too; and memory grows to what such
        // requests need.
        _ = try allocations(in: 1, of: Self.get)
        _ = try allocations(in: 100, of: this)
        let found = try allocations(in: 1000, of: this)
        #expect(found < 50, "\(found) allocations in 1,000 requests")
    }

    @Test func objects_areCounted() {
        let before = ct_allocations()
        var kept: [[Int]] = []
        for number in 0..<100 { kept.append([number]) }
        #expect(ct_allocations() - before >= 100)
        withExtendedLifetime(kept) {}
    }
}
