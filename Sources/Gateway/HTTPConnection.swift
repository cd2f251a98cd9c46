import EventLoop
import HTTP
import Platform

/// One client's connection: its requests are answered one after another, in order, however fast they come.
///
///     stream → RequestReader → HTTPExchange → handler
///     stream ←────────────────┘
final class HTTPConnection: StreamDelegate {
    private enum State {
        /// Waits for a request.
        case idle
        /// The handler works on one; later ones stay in the reader.
        case busy(HTTPExchange)
        /// The last answer is given. Input is swallowed until the client closes, so that the close doesn't become a
        /// reset that takes the answer with it (RFC 9112 §9.6).
        case lingering(Timer?)
        case closed
    }

    private let stream: Stream
    private unowned let server: HTTPServer
    private let id: Int
    private var reader: RequestReader
    private var state = State.idle
    private var inputEnded = false
    private var isPumping = false
    private var isFinishing = false

    /// Answers in the queue beyond which no further request is begun.
    private static let highWater = 262_144
    private static let lingerLimit = Duration.seconds(2)

    init(_ stream: Stream, id: Int, server: HTTPServer) {
        self.stream = stream
        self.id = id
        self.server = server
        reader = RequestReader(bodyLimit: server.bodyLimit)
        stream.delegate = self
    }

    var queuedCount: Int { stream.queuedCount }

    // MARK: The stream

    func stream(_ stream: Stream, received bytes: UnsafeRawBufferPointer) {
        if case .lingering = state { return }
        reader.append(bytes)
        pump()
        // Pipelined requests wait in the kernel's buffer rather than in ours.
        if case .busy = state, reader.pendingCount > server.bodyLimit { stream.isPaused = true }
    }

    func streamEnded(_ stream: Stream) {
        inputEnded = true
        switch state {
        case .idle: pump()
        // A client that has only ended its side still reads; one that has left refuses even nothing (unix(7)).
        case .busy: if hasLeft { close() }
        case .lingering: closeOnceDrained()
        case .closed: break
        }
    }

    func streamDrained(_ stream: Stream) {
        switch state {
        case .idle: pump()
        case .busy(let exchange): exchange.onDrained?()
        case .lingering: if inputEnded { close() } else { startLingerTimer() }
        case .closed: break
        }
    }

    func stream(_ stream: Stream, failed error: Errno) {
        close()
    }

    private var hasLeft: Bool {
        stream.withDescriptor { descriptor in
            do throws(Errno) {
                _ = try stream.loop.kernel.send(descriptor, UnsafeRawBufferPointer(start: nil, count: 0))
                return false
            } catch {
                return true
            }
        } ?? true
    }

    // MARK: Requests

    private func pump() {
        guard !isPumping else { return }
        isPumping = true
        defer { isPumping = false }
        while case .idle = state {
            guard stream.queuedCount < Self.highWater else { return }
            switch reader.next() {
            case .needMore:
                if inputEnded || (isFinishing && !reader.isInsideRequest) { closeOnceDrained() }
                return
            case .wantsContinue: stream.write("HTTP/1.1 100 Continue\r\n\r\n")
            case .request(let incoming): begin(incoming)
            case .invalid(let problem): refuse(problem.status, server.handler.body(for: problem))
            }
        }
    }

    private func begin(_ incoming: RequestReader.Incoming) {
        let exchange = HTTPExchange(incoming, requestID: server.requestID(for: incoming.request), on: self)
        state = .busy(exchange)
        server.handler.handle(exchange)
    }

    /// Answers with an error that ends the connection.
    func refuse(_ status: Int, _ body: [UInt8]) {
        var response = HTTPResponse(status: status, headers: ["Content-Type": "application/json"], body: body)
        complete(&response.headers, requestID: server.makeRequestID(), keepsAlive: false)
        if let bytes = try? response.serialized() { stream.write(bytes) }
        linger()
    }

    /// Adds the headers that every answer has.
    func complete(_ headers: inout HTTPHeaders, requestID: String, keepsAlive: Bool) {
        headers.set("X-Request-Id", requestID)
        headers.set("Date", httpDate(secondsSince1970: Int(WallTime.now.microseconds / 1_000_000)))
        if !keepsAlive || isFinishing { headers.set("Connection", "close") }
    }

    func send(_ bytes: [UInt8]) { stream.write(bytes) }

    func exchangeEnded(keepsAlive: Bool) {
        guard case .busy = state else { return }
        guard keepsAlive, !isFinishing else { return linger() }
        state = .idle
        stream.isPaused = false
        pump()
    }

    // MARK: The end

    /// Ends the connection as soon as the request under way is answered; streams are told to end.
    func finish() {
        isFinishing = true
        switch state {
        case .idle: pump()
        case .busy(let exchange): exchange.onFinish?()
        case .lingering, .closed: break
        }
    }

    private func linger() {
        stream.isPaused = false
        state = .lingering(nil)
        stream.end()
        if stream.queuedCount > 0 { return }
        if inputEnded { close() } else { startLingerTimer() }
    }

    /// Runs once everything is sent: the client has only to close.
    private func startLingerTimer() {
        state = .lingering(stream.loop.after(Self.lingerLimit) { [weak self] in self?.close() })
    }

    private func closeOnceDrained() {
        if stream.queuedCount == 0 { return close() }
        inputEnded = true
        if case .idle = state { linger() }
    }

    func close() {
        switch state {
        case .closed: return
        case .lingering(let timer): timer?.cancel()
        case .busy(let exchange):
            state = .closed
            exchange.cancel()
        case .idle: break
        }
        state = .closed
        stream.close()
        server.forget(id)
    }
}
