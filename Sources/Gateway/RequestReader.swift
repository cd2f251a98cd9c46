import HTTP

/// Reads whole requests, one after another, from bytes as they come. Pure.
struct RequestReader {
    /// A request with its body, and what the answer depends on.
    struct Incoming: Equatable {
        var request: HTTPRequest
        var method: HTTPMethod
        /// HTTP/1.0 knows no chunks.
        var minorVersion: Int
        var keepsAlive: Bool
    }

    enum Step: Equatable {
        case needMore
        /// The client waits for `100 Continue` before it sends the body.
        case wantsContinue
        case request(Incoming)
        /// Answer with the problem's status, and close.
        case invalid(HTTPProblem)
    }

    private enum State {
        case head
        case length(Incoming, left: Int)
        case chunked(Incoming, ChunkedDecoder)
    }

    private var state = State.head
    private var head = RequestHead()
    private var buffer: [UInt8] = []
    private let limits: HTTPLimits
    private let bodyLimit: Int

    /// - Parameter bodyLimit: bytes; a longer body is 413.
    init(bodyLimit: Int, limits: HTTPLimits = .standard) {
        self.bodyLimit = bodyLimit
        self.limits = limits
    }

    /// Bytes not read yet.
    var pendingCount: Int { buffer.count }
    /// Whether a request has begun and is not whole.
    var isInsideRequest: Bool {
        if case .head = state { !buffer.isEmpty } else { true }
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        buffer.append(contentsOf: bytes)
    }

    mutating func next() -> Step {
        while true {
            switch state {
            case .head:
                if let step = takeHead() { return step }
            case .length(var incoming, let left):
                let count = min(left, buffer.count)
                incoming.request.body += buffer[..<count]
                buffer.removeSubrange(..<count)
                guard count == left else {
                    state = .length(incoming, left: left - count)
                    return .needMore
                }
                state = .head
                return .request(incoming)
            case .chunked(var incoming, var decoder):
                return takeChunks(&incoming, &decoder)
            }
        }
    }

    /// Nil when the body is next.
    private mutating func takeHead() -> Step? {
        guard !buffer.isEmpty else { return .needMore }
        let result = buffer.withUnsafeBytes { head.parse($0, limits: limits) }
        switch result {
        case .needMore: return .needMore
        case .invalid(let problem): return .invalid(problem)
        case .complete(let length):
            let incoming = buffer.withUnsafeBytes {
                Incoming(
                    request: HTTPRequest(head, in: $0), method: head.method, minorVersion: head.minorVersion,
                    keepsAlive: head.keepsAlive)
            }
            let framing = head.framing
            let waits = head.expectsContinue
            buffer.removeSubrange(..<length)
            head.reset()
            switch framing {
            case .length(let count):
                guard count <= UInt64(bodyLimit) else { return .invalid(tooLarge) }
                state = .length(incoming, left: Int(count))
            case .chunked: state = .chunked(incoming, ChunkedDecoder(limits: limits))
            case .none, .untilClose, .tunnel: return .request(incoming)
            }
            return waits && buffer.isEmpty ? .wantsContinue : nil
        }
    }

    private mutating func takeChunks(_ incoming: inout Incoming, _ decoder: inout ChunkedDecoder) -> Step {
        var at = 0
        while true {
            let step = buffer.withUnsafeBytes { decoder.next($0, &at) }
            switch step {
            case .payload(let range):
                guard incoming.request.body.count + range.count <= bodyLimit else { return .invalid(tooLarge) }
                incoming.request.body += buffer[range]
            case .needMore:
                buffer.removeAll(keepingCapacity: true)
                state = .chunked(incoming, decoder)
                return .needMore
            case .finished:
                buffer.removeSubrange(..<at)
                state = .head
                return .request(incoming)
            case .invalid(let problem): return .invalid(problem)
            }
        }
    }

    private var tooLarge: HTTPProblem { HTTPProblem(413, "a body of more than \(bodyLimit) bytes") }
}
