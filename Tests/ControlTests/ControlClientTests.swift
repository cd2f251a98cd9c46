import Control
import JSON
import Platform
import TestSupport
import Testing

/// The client against servers that misbehave. Against the real one: `ControlServerTests` of Gateway.
@Suite struct ControlClientTests {
    @Test func socket_missing_isNoMesh() {
        let folder = TemporaryFolder()
        #expect(throws: ControlError.noMesh) { try ControlClient(socket: folder.path + "/s").mesh() }
        #expect(throws: ControlError.noMesh) { try ControlClient(socket: folder.path + "/none/s").mesh() }
    }

    @Test func socket_withoutServer_isStale() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/s"
        try Kernel.real.listen(at: .unix(path), reuse: false).close()
        #expect(throws: ControlError.staleSocket) { try ControlClient(socket: path).mesh() }
    }

    @Test func answer_inPieces_isPutTogether() throws {
        let server = try ScriptedServer([
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\n{\"sto\r\n", "8\r\npped\":3}\r\n0\r\n\r\n",
        ])
        #expect(try server.client.down().stopped == 3)
        #expect(
            server.request.hasPrefix(
                "POST /v1/down HTTP/1.1\r\nHost: devmesh\r\nConnection: close\r\nAccept: application/json\r\n"))
        #expect(server.request.hasSuffix("Content-Length: 2\r\n\r\n{}"))
    }

    @Test func refusal_isThrownWithItsMessage() throws {
        let failure = ControlFailure(status: 409, code: "busy", message: "No, because. Do that.")
        let body = failure.json.serialized()
        let server = try ScriptedServer([
            "HTTP/1.1 409 Conflict\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        ])
        #expect(throws: ControlError.refused(failure)) { try server.client.ports() }
    }

    @Test func refusal_thatIsNotJSON_isThrownAsItStands() throws {
        let server = try ScriptedServer(["HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\noops"])
        #expect(throws: ControlError.refused(ControlFailure(status: 502, code: "http", message: "oops"))) {
            try server.client.events(follow: false) { _ in true }
        }
    }

    @Test(arguments: [
        ("SSH-2.0-x\r\n", "a malformed status line"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
            "the answer is not what was expected: expected a JSON array"
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{", "the answer is not JSON: "),
    ])
    func answer_thatMakesNoSense_isBroken(_ answer: String, _ reason: String) throws {
        let server = try ScriptedServer([answer])
        let thrown = #expect(throws: ControlError.self) { try server.client.services() }
        guard case .broken(let why) = thrown else {
            Issue.record("thrown: \(String(describing: thrown))")
            return
        }
        #expect(why.hasPrefix(reason))
    }

    @Test(arguments: ["", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n[]"])
    func answer_thatIsCutOff_isToldAsThat(_ answer: String) throws {
        let server = try ScriptedServer([answer])
        #expect(throws: ControlError.cutOff) { try server.client.services() }
    }

    @Test func server_thatIsSilent_isNotWaitedForForEver() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/s"
        let listener = try Kernel.real.listen(at: .unix(path), reuse: false)
        var client = ControlClient(socket: path)
        client.patience = .milliseconds(30)
        #expect(throws: ControlError.timedOut(path)) { try client.mesh() }
        listener.close()
    }

    @Test func lines_cutAnywhere_areToldWhole() throws {
        let server = try ScriptedServer([
            "HTTP/1.1 200 OK\r\n\r\n", #"{"time":"t","event":"a"}"# + "\n" + #"{"time":"t","#, #""event":"b"}"# + "\n",
            #"{"time":"t","event":"c"}"# + "\n",
        ])
        var heard: [String] = []
        try server.client.events(follow: true) {
            heard.append($0.event)
            return $0.event != "b"
        }
        #expect(heard == ["a", "b"])
        #expect(server.request.hasPrefix("GET /v1/events?follow=1 HTTP/1.1\r\n"))
    }
}

/// Takes one connection, reads one request, and sends what it was given piece by piece.
private final class ScriptedServer: Sendable {
    let client: ControlClient
    private let folder = TemporaryFolder()
    private let thread: PlatformThread
    private let received = Received()

    init(_ pieces: [String]) throws {
        let path = folder.path + "/s"
        client = ControlClient(socket: path)
        let listener = try Kernel.real.listen(at: .unix(path), reuse: false)
        try Kernel.real.setNonblocking(listener, false)
        let raw = listener.release()
        let received = received
        thread = try PlatformThread("server") {
            let listener = Descriptor(owning: raw)
            do {
                guard case .connection(let connection) = try Kernel.real.accept(listener) else { return }
                try Kernel.real.setNonblocking(connection, false)
                received.text = try Self.read(connection)
                for piece in pieces { try Self.send(connection, piece) }
            } catch {
                // The client has left: what it makes of that is the test's business.
            }
        }
    }

    deinit { thread.join() }

    /// What the client sent. Once it has its answer.
    var request: String {
        thread.join()
        return received.text
    }

    /// By send(2), which raises no SIGPIPE.
    private static func send(_ connection: borrowing Descriptor, _ text: String) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let result = try rest.span.bytes.withUnsafeBytes { try Kernel.real.send(connection, $0) }
            if case .bytes(let count) = result { rest = rest.dropFirst(count) }
        }
    }

    /// A head, and a body of its Content-Length.
    private static func read(_ connection: borrowing Descriptor) throws -> String {
        var bytes: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let text = String(decoding: bytes, as: UTF8.self)
            if let end = text.firstRange(of: "\r\n\r\n") {
                let length = text[..<end.lowerBound].split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
                if text[end.upperBound...].utf8.count >= Int(length?.dropFirst(16) ?? "0") ?? 0 { return text }
            }
            guard case .bytes(let count) = try Kernel.real.read(connection, into: buffer) else { return text }
            bytes += buffer[..<count]
        }
    }

    /// Written by the server's thread, read after it was joined.
    private final class Received: @unchecked Sendable {
        var text = ""
    }
}
