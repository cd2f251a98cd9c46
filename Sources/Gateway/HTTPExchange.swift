import HTTP

/// One request and the answer to it, in one piece or as a stream. Belongs to the connection's loop.
///
///     handler:  respond                       → done
///     handler:  stream → write … write → end  → done
///     client leaves before that               → onCancel
public final class HTTPExchange {
    public let request: HTTPRequest
    public let method: HTTPMethod
    /// The client's `X-Request-Id`, or one made for it; the answer carries it.
    public let requestID: String

    /// Is called once if the client leaves before the answer is whole.
    public var onCancel: (() -> Void)?
    /// Is called when a stream's queue has been sent.
    public var onDrained: (() -> Void)?
    /// Is called when the server is about to close: a stream should end.
    public var onFinish: (() -> Void)?

    private enum State { case waiting, streaming, done }
    private var state = State.waiting
    private weak var connection: HTTPConnection?
    private let keepsAlive: Bool
    /// Nothing but the head is sent in answer to HEAD.
    private var headOnly: Bool { method == .head }
    /// Chunks, unless the client is too old for them: then the connection's end ends the body.
    private let isChunked: Bool

    init(_ incoming: RequestReader.Incoming, requestID: String, on connection: HTTPConnection) {
        request = incoming.request
        method = incoming.method
        isChunked = incoming.minorVersion > 0
        keepsAlive = incoming.keepsAlive
        self.requestID = requestID
        self.connection = connection
    }

    public var isDone: Bool { state == .done }

    /// Bytes of the answer that wait for the client to read.
    public var queuedCount: Int { connection?.queuedCount ?? 0 }

    /// Answers in one piece.
    public func respond(_ response: HTTPResponse) {
        guard state == .waiting else { return }
        var response = response
        connection?.complete(&response.headers, requestID: requestID, keepsAlive: keepsAlive)
        send((try? response.serialized(headOnly: headOnly)) ?? Self.lastResort)
        finish(keepsAlive: keepsAlive)
    }

    /// Begins an answer whose body comes piece by piece.
    public func stream(status: Int, headers: HTTPHeaders) {
        guard state == .waiting else { return }
        var headers = headers
        let stays = keepsAlive && isChunked
        connection?.complete(&headers, requestID: requestID, keepsAlive: stays)
        if isChunked { headers.set("Transfer-Encoding", "chunked") }
        var writer = HeadWriter()
        do throws(HTTPProblem) {
            try writer.response(status: status)
            try writer.fields(headers)
        } catch {
            send(Self.lastResort)
            return finish(keepsAlive: false)
        }
        writer.end()
        send(writer.bytes)
        state = .streaming
        if headOnly { finish(keepsAlive: stays) }
    }

    /// Sends a piece of a stream; what the client doesn't take is queued (`queuedCount`).
    public func write(_ bytes: [UInt8]) {
        guard state == .streaming else { return }
        guard isChunked else { return send(bytes) }
        var writer = HeadWriter(reserving: bytes.count + 16)
        writer.chunk(bytes)
        send(writer.bytes)
    }

    /// Ends a stream.
    public func end() {
        guard state == .streaming else { return }
        if isChunked {
            var writer = HeadWriter(reserving: 8)
            writer.lastChunk()
            send(writer.bytes)
        }
        finish(keepsAlive: keepsAlive && isChunked)
    }

    /// The client has gone.
    func cancel() {
        guard state != .done else { return }
        state = .done
        let told = onCancel
        forgetCallbacks()
        told?()
    }

    private func send(_ bytes: [UInt8]) { connection?.send(bytes) }

    private func finish(keepsAlive: Bool) {
        state = .done
        forgetCallbacks()
        connection?.exchangeEnded(keepsAlive: keepsAlive)
    }

    /// The callbacks hold handlers, which hold this exchange.
    private func forgetCallbacks() {
        onCancel = nil
        onDrained = nil
        onFinish = nil
    }

    /// For an answer whose own headers can't be written.
    private static let lastResort = Array("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n".utf8)
}
