import HTTP
import JSON
import Platform

/// Talks to the mesh of one control socket, and waits for each answer. For the command line.
///
/// Each call is a connection of its own: HTTP/1.1 and JSON, as any other client's.
public struct ControlClient: Sendable {
    /// The control socket's path.
    public let socket: String
    /// How long the supervisor may take for what it can answer at once.
    public var patience = Duration.seconds(10)
    /// Called, once for each request, where nothing has come for two seconds.
    public var onSilence: (@Sendable () -> Void)?

    private let kernel: Kernel

    public init(socket: String, kernel: Kernel = .real) {
        self.socket = socket
        self.kernel = kernel
    }

    /// Sends one request and reads the whole answer.
    ///
    /// - Parameter patience: how long the whole may take; nil: as long as it takes.
    /// - Throws: `refused` for a status of 400 and above.
    public func send(_ method: String, _ path: String, _ body: JSON? = nil, patience: Duration?) throws(ControlError)
        -> JSON
    {
        let body = body.map { (type: "application/json", bytes: Array($0.serialized().utf8)) }
        return try send(method, path, body, patience: patience)
    }

    func send(_ method: String, _ path: String, _ body: Body?, patience: Duration?) throws(ControlError) -> JSON {
        let deadline = patience.map { Instant.now + $0 }
        let connection = try ControlConnection(connectingTo: socket, kernel: kernel)
        connection.onSilence = onSilence
        try connection.send(request(method, path, body), until: deadline)
        var head: HTTPResponse?
        var bytes: [UInt8] = []
        try read(connection, HTTPMethod(method), until: deadline) { event in
            switch event {
            case .head(let response): head = response
            case .body(let part): bytes += part
            case .end: break
            }
            return true
        }
        guard let head else { throw .cutOff }
        guard head.status < 400 else { throw Self.refusal(head.status, bytes) }
        return try Self.parse(bytes)
    }

    /// Follows a stream of JSON Lines until it ends or `onLine` returns false.
    public func stream(_ path: String, onLine: (JSON) throws(ControlError) -> Bool) throws(ControlError) {
        var pending: [UInt8] = []
        try stream(path) { part throws(ControlError) in
            pending += part
            while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(pending[..<end])
                pending.removeSubrange(...end)
                if !line.isEmpty, try !onLine(Self.parse(line)) { return false }
            }
            return true
        }
    }

    /// Follows a stream of bytes until it ends or `onBytes` returns false.
    func stream(_ path: String, onBytes: ([UInt8]) throws(ControlError) -> Bool) throws(ControlError) {
        let connection = try ControlConnection(connectingTo: socket, kernel: kernel)
        try connection.send(request("GET", path, nil), until: Instant.now + patience)
        var status = 0
        var refusal: [UInt8] = []
        try read(connection, .get, until: nil) { event throws(ControlError) in
            switch event {
            case .head(let response): status = response.status
            case .body(let part):
                if status < 400 { return try onBytes(part) }
                refusal += part
            case .end: break
            }
            return true
        }
        guard status < 400 else { throw Self.refusal(status, refusal) }
    }

    typealias Body = (type: String, bytes: [UInt8])

    private func request(_ method: String, _ path: String, _ body: Body?) throws(ControlError) -> [UInt8] {
        var request = HTTPRequest(method: method, target: path)
        request.headers = ["Host": "devmesh", "Connection": "close", "Accept": "application/json"]
        if let body {
            request.headers.add("Content-Type", body.type)
            request.body = body.bytes
        }
        do throws(HTTPProblem) {
            return try request.serialized()
        } catch {
            throw .broken(error.reason)
        }
    }

    /// Feeds what arrives through the reader until the response ends or `onEvent` returns false.
    private func read(
        _ connection: ControlConnection, _ method: HTTPMethod, until deadline: Instant?,
        onEvent: (ResponseReader.Event) throws(ControlError) -> Bool
    ) throws(ControlError) {
        var reader = ResponseReader(answering: method)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16_384, alignment: 16)
        defer { buffer.deallocate() }
        while !reader.isDone {
            let count = try connection.receive(into: buffer, until: deadline)
            let events: [ResponseReader.Event]
            do throws(HTTPProblem) {
                events =
                    if let count { try reader.feed(UnsafeRawBufferPointer(rebasing: buffer[..<count])) } else {
                        try reader.finish()
                    }
            } catch {
                throw count == nil ? ControlError.cutOff : .broken(error.reason)
            }
            for event in events where try !onEvent(event) { return }
        }
    }

    private static func parse(_ bytes: [UInt8]) throws(ControlError) -> JSON {
        do throws(JSONError) {
            return try JSON(parsing: bytes)
        } catch {
            throw .broken("the answer is not JSON: \(error)")
        }
    }

    private static func refusal(_ status: Int, _ body: [UInt8]) -> ControlError {
        if let json = try? JSON(parsing: body), var failure = try? ControlFailure(json: json) {
            failure.status = status
            return .refused(failure)
        }
        let text = String(decoding: body.prefix(500), as: UTF8.self)
        return .refused(ControlFailure(status: status, code: "http", message: text.isEmpty ? "HTTP \(status)" : text))
    }
}
