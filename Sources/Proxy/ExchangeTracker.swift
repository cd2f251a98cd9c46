import HTTP

/// Follows the HTTP/1 exchanges of a relayed connection by looking at the bytes of both directions as they pass.
///
///     client ──▶ clientSent ──▶ server
///     client ◀── serverSent ◀── server
///
/// It changes nothing. What it is for: to know, when an instance is about to stop, whether the connection carries a
/// request that must be waited for, lies exactly between two exchanges, or is none of this room's business. What it
/// can't follow it calls `other`, for good.
struct ExchangeTracker {
    enum Conversation: Equatable {
        /// The client's bytes so far don't tell.
        case undecided
        case http1
        /// Raw TCP, HTTP/2, an upgraded connection, an event stream, or what breaks the rules of HTTP/1.
        case other
    }

    private(set) var conversation = Conversation.undecided
    private var request = RequestHead()
    /// The body that the direction is in; nil within heads and between messages.
    private var requestBody: BodyCursor?
    /// The beginning of a head whose end has not come.
    private var requestPart: [UInt8] = []
    private var response = ResponseHead()
    private var responseBody: BodyCursor?
    private var responsePart: [UInt8] = []
    /// The methods of the requests whose responses are not complete, oldest first.
    private var unanswered: [HTTPMethod] = []
    /// One side said that this exchange is the last.
    private(set) var isLast = false

    /// Whether a request, or a response to one, is under way.
    var isBusy: Bool {
        switch conversation {
        case .undecided: !requestPart.isEmpty
        case .http1: !unanswered.isEmpty || !isBetweenRequests || !isBetweenResponses
        case .other: false
        }
    }

    /// Whether the connection is kept alive and lies exactly between two exchanges.
    var isIdle: Bool { conversation == .http1 && !isBusy && !isLast }

    /// Whether nothing was sent in either direction.
    var isSilent: Bool { conversation == .undecided && requestPart.isEmpty }

    /// Whether every response that was begun is complete: an end of the server's side cuts nothing.
    var isAnswered: Bool { conversation == .http1 && unanswered.isEmpty && isBetweenResponses }

    private var isBetweenRequests: Bool {
        requestBody == nil && requestPart.isEmpty
    }

    private var isBetweenResponses: Bool {
        responseBody == nil && responsePart.isEmpty
    }

    // MARK: The client's bytes

    mutating func clientSent(_ bytes: UnsafeRawBufferPointer) {
        guard conversation != .other else { return }
        var at = 0
        while at < bytes.count, conversation != .other {
            guard requestBody != nil else {
                takeRequestHead(bytes, &at)
                continue
            }
            if requestBody?.advance(bytes, &at) == false { return giveUp() }
            if requestBody?.isFinished == true { requestBody = nil }
        }
    }

    private mutating func takeRequestHead(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) {
        let known = requestPart.count
        let result: HeadResult
        if known == 0 {
            result = look(UnsafeRawBufferPointer(rebasing: bytes[at...]))
        } else {
            requestPart.append(contentsOf: bytes[at...])
            let part = requestPart
            result = part.withUnsafeBytes { look($0) }
        }
        switch result {
        case .needMore:
            if known == 0 { requestPart.append(contentsOf: bytes[at...]) }
            at = bytes.count
        case .invalid:
            giveUp()
        case .complete(let length):
            at += length - known
            requestPart.removeAll()
            if request.framing != .none { requestBody = BodyCursor(request.framing) }
            unanswered.append(request.method)
            if !request.keepsAlive { isLast = true }
            request.reset()
        }
    }

    /// Sniffs the first bytes of the connection, then parses.
    private mutating func look(_ bytes: UnsafeRawBufferPointer) -> HeadResult {
        if conversation == .undecided {
            switch Sniffer.look(bytes) {
            case .http1: conversation = .http1
            case .needMore: return .needMore
            case .http2, .other: return .invalid(HTTPProblem(400, "not HTTP/1"))
            }
        }
        return request.parse(bytes)
    }

    // MARK: The server's bytes

    mutating func serverSent(_ bytes: UnsafeRawBufferPointer) {
        // Who answers before a request was made does not speak HTTP/1.
        guard conversation == .http1 else { return giveUp() }
        var at = 0
        while at < bytes.count, conversation == .http1 {
            guard responseBody != nil else {
                takeResponseHead(bytes, &at)
                continue
            }
            if responseBody?.advance(bytes, &at) == false { return giveUp() }
            if responseBody?.isFinished == true { finishResponse() }
        }
    }

    private mutating func takeResponseHead(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) {
        // Unasked, as the 408 before an idle connection is closed: this connection is at its end.
        guard let method = unanswered.first else { return giveUp() }
        let known = responsePart.count
        let rest = UnsafeRawBufferPointer(rebasing: bytes[at...])
        let result: HeadResult
        if known == 0 {
            result = takeResponse(rest, method)
        } else {
            responsePart.append(contentsOf: rest)
            let part = responsePart
            result = part.withUnsafeBytes { takeResponse($0, method) }
        }
        switch result {
        case .needMore:
            if known == 0 { responsePart.append(contentsOf: rest) }
            at = bytes.count
        case .invalid:
            giveUp()
        case .complete(let length):
            at += length - known
            responsePart.removeAll()
        }
    }

    /// Parses a response's head and, once it is whole, goes to where it leads.
    private mutating func takeResponse(_ bytes: UnsafeRawBufferPointer, _ method: HTTPMethod) -> HeadResult {
        let result = response.parse(bytes)
        guard case .complete = result else { return result }
        defer { response.reset() }
        if response.isInterim { return result }
        if !response.keepsAlive { isLast = true }
        let framing = response.framing(answering: method)
        switch framing {
        case .none: finishResponse()
        case .tunnel: giveUp()
        case .length: responseBody = BodyCursor(framing)
        case .chunked, .untilClose:
            responseBody = BodyCursor(framing)
            if framing == .untilClose { isLast = true }
            if isEventStream(bytes) { giveUp() }
        }
        return result
    }

    private mutating func finishResponse() {
        responseBody = nil
        unanswered.removeFirst()
    }

    /// Whether the response just parsed is a stream of server-sent events, which has no end worth waiting for.
    private func isEventStream(_ bytes: UnsafeRawBufferPointer) -> Bool {
        response.fields.contains { field in
            field.kind == .other && hasPrefix("content-type", bytes[field.name]) && field.name.count == 12
                && hasPrefix("text/event-stream", bytes[field.value])
        }
    }

    /// Gives up looking at this connection.
    private mutating func giveUp() {
        conversation = .other
        requestPart = []
        requestBody = nil
        responsePart = []
        responseBody = nil
        unanswered = []
    }
}

/// Whether bytes begin with `literal`, which is in lower case, compared without case.
private func hasPrefix(_ literal: StaticString, _ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
    guard bytes.count >= literal.utf8CodeUnitCount else { return false }
    var expected = literal.utf8Start
    for byte in bytes.prefix(literal.utf8CodeUnitCount) {
        let lower = byte &- 0x41 < 26 ? byte | 0x20 : byte
        if lower != expected.pointee { return false }
        expected += 1
    }
    return true
}
