import EventLoop
import HTTP
import Platform

/// Answers a request by calling the closure once, now or later.
typealias Handler = (HTTPRequest, @escaping (Reply) -> Void) -> Void

/// An answer, and what the log says of it beside method, path, status and time.
struct Reply {
    var response: HTTPResponse
    var note: String?

    init(_ response: HTTPResponse, note: String? = nil) {
        self.response = response
        self.note = note
    }
}

/// A small HTTP server on the IPv4 loopback; logs a line a request, but for devmesh's own asking after its health.
final class Server {
    private let loop: EventLoop
    private let handler: Handler
    private var listener: Listener?
    private var connections: [ObjectIdentifier: Connection] = [:]

    init(port: Int, on loop: EventLoop, _ handler: @escaping Handler) throws(Errno) {
        self.loop = loop
        self.handler = handler
        let socket = try loop.kernel.listen(at: .loopback(port))
        listener = try Listener(socket, on: loop) { [unowned self] in accept($0) }
    }

    private func accept(_ descriptor: consuming Descriptor) {
        loop.kernel.setNoDelay(descriptor)
        guard let stream = try? Stream(descriptor, on: loop) else { return }
        let connection = Connection(stream, handler)
        connection.onClose = { [unowned self] in connections[ObjectIdentifier($0)] = nil }
        connections[ObjectIdentifier(connection)] = connection
    }
}

/// One client: its requests are answered one after another.
private final class Connection: StreamDelegate {
    var onClose: (Connection) -> Void = { _ in }

    private let stream: Stream
    private let handler: Handler
    private var waiting: [UInt8] = []
    private var head = RequestHead()
    private var isAnswering = false
    private var clientEnded = false

    private static let longestBody: UInt64 = 1 << 20

    init(_ stream: Stream, _ handler: @escaping Handler) {
        self.stream = stream
        self.handler = handler
        stream.delegate = self
    }

    func stream(_ stream: Stream, received bytes: UnsafeRawBufferPointer) {
        waiting += bytes
        takeRequest()
    }

    func streamEnded(_ stream: Stream) {
        clientEnded = true
        if !isAnswering { close() }
    }

    func streamDrained(_ stream: Stream) {}

    func stream(_ stream: Stream, failed error: Errno) { onClose(self) }

    private func close() {
        stream.closeWhenDrained()
        onClose(self)
    }

    private func takeRequest() {
        guard !isAnswering else { return }
        switch waiting.withUnsafeBytes({ head.parse($0) }) {
        case .needMore: return
        case .invalid(let problem): refuse(problem.status, problem.reason)
        case .complete(let length):
            var body = 0
            switch head.framing {
            case .none: break
            case .length(let count) where count <= Self.longestBody: body = Int(count)
            case .length: return refuse(413, "a body of more than \(Self.longestBody) bytes")
            case .chunked, .untilClose, .tunnel: return refuse(411, "a body without Content-Length")
            }
            guard waiting.count >= length + body else { return }
            var request = waiting.withUnsafeBytes { HTTPRequest(head, in: $0) }
            request.body = Array(waiting[length..<(length + body)])
            waiting.removeSubrange(..<(length + body))
            answer(request, keepsAlive: head.keepsAlive)
        }
    }

    private func answer(_ request: HTTPRequest, keepsAlive: Bool) {
        isAnswering = true
        let began = Instant.now
        handler(request) { [weak self] reply in
            let took = (Instant.now - began).nanoseconds / 100_000
            if request.path != "/healthz" {
                let note = reply.note.map { ": " + $0 } ?? ""
                say("\(request.method) \(request.target) \(reply.response.status) \(took / 10).\(took % 10) ms\(note)")
            }
            self?.send(reply.response, to: request, keepsAlive: keepsAlive)
        }
    }

    private func send(_ response: HTTPResponse, to request: HTTPRequest, keepsAlive: Bool) {
        guard stream.isOpen else { return }
        var response = response
        if !keepsAlive { response.headers.set("Connection", "close") }
        // What the handlers put into headers are constants, so nothing is refused here.
        stream.write((try? response.serialized(headOnly: request.method == "HEAD")) ?? [])
        isAnswering = false
        head.reset()
        if keepsAlive, !clientEnded { takeRequest() } else { close() }
    }

    private func refuse(_ status: Int, _ reason: String) {
        say("refused with \(status): \(reason)")
        let response = HTTPResponse(
            status: status, headers: ["Content-Type": "text/plain", "Connection": "close"],
            body: Array("\(reason)\n".utf8))
        stream.write((try? response.serialized()) ?? [])
        close()
    }
}
