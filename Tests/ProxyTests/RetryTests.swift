import Platform
import Testing

@testable import Proxy

/// Requests that are sent once more, and those that must not be.
@Suite struct RetryTests {
    private let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
    private let post = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx"
    private let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    private let unavailable = "HTTP/1.1 503 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    private func mesh(_ server: Server, _ retries: Resilience.Retries) throws -> Mesh {
        let mesh = try Mesh(["members"])
        mesh.pass("members", server)
        mesh.on { $0.setResilience("members", Resilience(retries: retries)) }
        return mesh
    }

    @Test func status_afterTheLastAttempt_isTheClients() throws {
        let server = try Server()
        let mesh = try mesh(server, .init(attempts: 2, statuses: [502, 503]))
        let client = try mesh.call("members")
        try client.send(get)
        for _ in 0..<3 { try server.accept().answer(unavailable) }
        #expect(try client.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 503 No\r\n"))
        #expect(try !server.hasVisitor(within: .milliseconds(20)))
        // The next request has attempts of its own.
        try client.send(get)
        try server.accept().answer(unavailable)
        try server.accept().answer(ok)
        #expect(try client.receive(until: "ok") == ok)
    }

    @Test func status_thatIsNotListed_isTheClients() throws {
        let server = try Server()
        let mesh = try mesh(server, .init(attempts: 2, statuses: [503]))
        let client = try mesh.call("members")
        try client.send(get)
        try server.accept().answer("HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno")
        #expect(try client.receive(until: "no").hasPrefix("HTTP/1.1 500 No\r\n"))
    }

    @Test func bodyOfAnAnswerThatIsTriedAgain_reachesNobody() throws {
        let server = try Server()
        let mesh = try mesh(server, .init(attempts: 1, statuses: [503]))
        let client = try mesh.call("members")
        try client.send(get)
        let first = try server.accept()
        try first.answer("HTTP/1.1 503 No\r\nContent-Length: 500000\r\n\r\n" + String(repeating: "x", count: 10_000))
        let second = try server.accept()
        try second.answer(ok)
        #expect(try client.receive(until: "ok") == ok)
        #expect(throws: Peer.Failure.self) { while true { _ = try first.receive(count: 1) } }
    }

    @Test func budgetThatIsSpent_endsIt() throws {
        let server = try Server()
        let mesh = try mesh(
            server, .init(attempts: 5, statuses: [503], budget: .init(percent: 100, minimumPerSecond: 0)))
        let client = try mesh.call("members")
        try client.send(get)
        // One request pays for one retry.
        for _ in 0..<2 { try server.accept().answer(unavailable) }
        #expect(try client.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 503 No\r\n"))
        #expect(try !server.hasVisitor(within: .milliseconds(20)))
    }

    @Test(arguments: [true, false])
    func connectionThatBreaksBeforeItsAnswer_isTriedAgainWhereThatIsSafe(isSafe: Bool) throws {
        let server = try Server()
        let mesh = try mesh(server, .init(attempts: 1, onReset: true))
        let client = try mesh.call("members")
        try client.send(isSafe ? get : post)
        let first = try server.accept()
        try first.receive(until: isSafe ? "\r\n\r\n" : "\r\n\r\nx")
        first.reset()
        if isSafe {
            try server.accept().answer(ok)
            #expect(try client.receive(until: "ok") == ok)
        } else {
            #expect(try client.receiveAll().hasPrefix("HTTP/1.1 502 "))
            #expect(try !server.hasVisitor(within: .milliseconds(20)))
        }
    }

    @Test func answerThatBreaksOff_isNotTriedAgain() throws {
        let server = try Server()
        let mesh = try mesh(server, .init(attempts: 3, onReset: true, statuses: [503]))
        for beginning in ["HTTP/1.1 200 OK\r\nContent-", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"] {
            let client = try mesh.call("members")
            try client.send(get)
            let upstream = try server.accept()
            try upstream.answer(beginning)
            mesh.settle()
            upstream.close()
            let answer = try? client.receiveAll()
            #expect(answer?.hasPrefix("HTTP/1.1 502 ") ?? true, "\(answer ?? "")")
            #expect(try !server.hasVisitor(within: .milliseconds(20)))
        }
    }

    @Test func remoteThatRefuses_isTriedAsOftenAsIsSaid() throws {
        let server = try Server()
        let port = server.port
        server.close()
        let mesh = try Mesh(["members"])
        mesh.set("members", .remote(RemoteTarget(scheme: .http, host: "127.0.0.1", port: port)))
        mesh.on {
            $0.setResilience(
                "members", Resilience(retries: .init(attempts: 3, budget: .init(percent: 0, minimumPerSecond: 1))))
        }
        let client = try mesh.call("members")
        try client.send(get)
        #expect(try client.receiveAll().hasPrefix("HTTP/1.1 502 "))
        // Of ten seconds' worth, three are spent.
        let left = mesh.on { proxy in (0..<20).count { _ in proxy.destination("members").retryBudget.retry(at: .now) } }
        #expect(left == 7)
        #expect(mesh.delegate.remotes.count == 1)
    }
}
