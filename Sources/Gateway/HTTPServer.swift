import EventLoop
import HTTP
import Platform

/// Answers the requests of an `HTTPServer`.
public protocol HTTPHandler: AnyObject {
    /// Answers now or later, through the exchange.
    func handle(_ exchange: HTTPExchange)
    /// The body that tells of a request which could not be read.
    func body(for problem: HTTPProblem) -> [UInt8]
}

/// A small HTTP/1.1 server on a listening socket: keep-alive, pipelining in order, bounded bodies.
public final class HTTPServer {
    /// Which users may connect.
    public enum Admission: Sendable {
        case anyone
        /// Only that user, as the kernel tells (unix(7), `SO_PEERCRED`).
        case user(UInt32)
    }

    let handler: any HTTPHandler
    let bodyLimit: Int

    private let loop: EventLoop
    private let admission: Admission
    private var listener: Listener?
    private var connections: [Int: HTTPConnection] = [:]
    private var nextConnection = 0
    private var nextRequest = 0
    private let requestPrefix = String(UInt32.random(in: .min ... .max), radix: 16)
    private var finishing: (timer: Timer, done: () -> Void)?

    private let connectionLimit: Int

    /// - Parameters:
    ///   - bodyLimit: bytes of a request's body; more is 413.
    ///   - reserve: descriptors for its connections when all others are in use.
    ///   - connectionLimit: more than any person or script opens; a leak of connections stops here, with 503.
    public init(
        _ socket: consuming Descriptor, on loop: EventLoop, admission: Admission, handler: any HTTPHandler,
        bodyLimit: Int = 1_048_576, connectionLimit: Int = 512, reserve: DescriptorReserve? = nil
    ) throws(Errno) {
        self.loop = loop
        self.handler = handler
        self.admission = admission
        self.bodyLimit = bodyLimit
        self.connectionLimit = connectionLimit
        listener = nil
        listener = try Listener(socket, on: loop, reserve: reserve) { [weak self] in self?.accept($0) }
    }

    public var connectionCount: Int { connections.count }

    /// Stops accepting, lets answers under way be sent, ends streams, and calls `done` when all clients have gone, or
    /// after `limit`.
    public func finish(within limit: Duration = .seconds(1), done: @escaping () -> Void) {
        listener?.close()
        listener = nil
        let timer = loop.after(limit) { [weak self] in self?.close() }
        finishing = (timer, done)
        for connection in connections.values { connection.finish() }
        checkFinished()
    }

    /// Closes everything at once.
    public func close() {
        listener?.close()
        listener = nil
        for connection in connections.values { connection.close() }
        checkFinished()
    }

    private func accept(_ descriptor: consuming Descriptor) {
        let refusal = refusal(of: descriptor)
        // A connection that breaks at once is nobody's loss.
        guard let stream = try? Stream(descriptor, on: loop) else { return }
        nextConnection += 1
        let connection = HTTPConnection(stream, id: nextConnection, server: self)
        connections[nextConnection] = connection
        if let refusal { connection.refuse(refusal.status, handler.body(for: refusal)) }
    }

    private func refusal(of descriptor: borrowing Descriptor) -> HTTPProblem? {
        if connections.count >= connectionLimit {
            return HTTPProblem(503, "more than \(connectionLimit) connections are open; close some")
        }
        guard case .user(let user) = admission else { return nil }
        guard let peer = try? loop.kernel.peerUser(descriptor), peer == user else {
            return HTTPProblem(403, "this mesh belongs to another user; only that user may control it")
        }
        return nil
    }

    func forget(_ id: Int) {
        connections[id] = nil
        checkFinished()
    }

    private func checkFinished() {
        guard connections.isEmpty, let finishing else { return }
        self.finishing = nil
        finishing.timer.cancel()
        finishing.done()
    }

    // MARK: Request ids

    /// The client's own id where it is short and plain, else a new one.
    func requestID(for request: HTTPRequest) -> String {
        guard let given = request.headers["X-Request-Id"], (1...128).contains(given.utf8.count),
            given.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return makeRequestID() }
        return given
    }

    func makeRequestID() -> String {
        nextRequest += 1
        return "\(requestPrefix)-\(nextRequest)"
    }
}
