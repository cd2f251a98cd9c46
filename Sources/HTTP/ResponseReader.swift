/// Reads one response from bytes as they come, whatever its framing. For clients that want values: the control
/// client, probes. Feed it what was received; it hands over events.
public struct ResponseReader: Sendable {
    public enum Event: Equatable, Sendable {
        /// The final head; its `body` is empty. Interim responses (1xx) are left out.
        case head(HTTPResponse)
        case body([UInt8])
        /// The response is whole; nothing follows.
        case end
    }

    private enum State: Sendable {
        case head
        case length(UInt64)
        case chunked(ChunkedDecoder)
        case untilClose
        case done
    }

    private var state = State.head
    private var head = ResponseHead()
    private var pending: [UInt8] = []
    private let method: HTTPMethod
    private let limits: HTTPLimits

    /// Whether the connection can carry another request after `end`.
    public private(set) var keepsAlive = false

    /// `method` is what was asked with: a response to HEAD has no body.
    public init(answering method: HTTPMethod = .get, limits: HTTPLimits = .standard) {
        self.method = method
        self.limits = limits
    }

    public var isDone: Bool {
        if case .done = state { true } else { false }
    }

    /// Takes received bytes. Bytes after the response's end are an error: nobody asked for them.
    public mutating func feed(_ bytes: UnsafeRawBufferPointer) throws(HTTPProblem) -> [Event] {
        var events: [Event] = []
        pending += bytes
        while case .head = state {
            // `pending` is copied by reference only.
            let current = pending
            switch current.withUnsafeBytes({ head.parse($0, limits: limits) }) {
            case .needMore: return events
            case .invalid(let problem): throw problem
            case .complete(let length): takeHead(length, &events)
            }
        }
        try takeBody(&events)
        return events
    }

    /// Takes the end of the connection: the end of a body that runs until then, else an error.
    public mutating func finish() throws(HTTPProblem) -> [Event] {
        switch state {
        case .done: return []
        case .untilClose:
            state = .done
            return [.end]
        case .head, .length, .chunked:
            throw HTTPProblem(502, "the connection ended before the response did")
        }
    }

    private mutating func takeHead(_ length: Int, _ events: inout [Event]) {
        if !head.isInterim {
            events.append(.head(pending.withUnsafeBytes { HTTPResponse(head, in: $0) }))
            keepsAlive = head.keepsAlive
            switch head.framing(answering: method) {
            case .none:
                state = .done
                events.append(.end)
            case .length(let count): state = .length(count)
            case .chunked: state = .chunked(ChunkedDecoder(limits: limits))
            case .untilClose, .tunnel:
                state = .untilClose
                keepsAlive = false
            }
        }
        pending.removeSubrange(..<length)
        head.reset()
    }

    private mutating func takeBody(_ events: inout [Event]) throws(HTTPProblem) {
        guard !pending.isEmpty else { return }
        switch state {
        case .head: return
        case .done: throw HTTPProblem(502, "bytes after the response's end")
        case .untilClose: events.append(.body(pending))
        case .length(let left):
            guard UInt64(pending.count) <= left else { throw HTTPProblem(502, "bytes after the response's end") }
            events.append(.body(pending))
            state = .length(left - UInt64(pending.count))
            if left == pending.count {
                state = .done
                events.append(.end)
            }
        case .chunked(var decoder):
            try takeChunks(&decoder, &events)
        }
        pending.removeAll(keepingCapacity: true)
    }

    private mutating func takeChunks(_ decoder: inout ChunkedDecoder, _ events: inout [Event]) throws(HTTPProblem) {
        var at = 0
        while true {
            let step = pending.withUnsafeBytes { decoder.next($0, &at) }
            switch step {
            case .payload(let range): events.append(.body(Array(pending[range])))
            case .needMore:
                state = .chunked(decoder)
                return
            case .finished:
                guard at == pending.count else { throw HTTPProblem(502, "bytes after the response's end") }
                state = .done
                events.append(.end)
                return
            case .invalid(let problem): throw HTTPProblem(502, problem.reason)
            }
        }
    }
}
