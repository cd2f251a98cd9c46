/// The head of a request, parsed in place (RFC 9112 §3): offsets into the caller's buffer, no copy of anything.
///
///     GET /a?b HTTP/1.1 ⏎   Host: x ⏎   Accept: */* ⏎   ⏎   body …
///     method target version  fields[0]   fields[1]       └ length
///
/// Feed it incrementally: call `parse` with the same bytes again, and more behind them, until it says `complete` or
/// `invalid`; no byte of a finished line is looked at twice. One value serves a whole connection: `reset` before the
/// next message, and the memory for the fields is used again. Lay the next message's first byte at offset 0.
public struct RequestHead: Sendable {
    public private(set) var method = HTTPMethod.other
    public private(set) var methodRange = 0..<0
    /// The request target as it was written.
    public private(set) var target = 0..<0
    public private(set) var form = TargetForm.origin
    /// HTTP/1.`minorVersion`: 0 or 1; a higher one counts as 1.
    public private(set) var minorVersion = 1
    public private(set) var section = FieldSection(isRequest: true)

    private var progress = HeadProgress()

    public init() {}

    public var fields: [HeaderField] { section.fields }

    /// The `Host` line, which HTTP/1.0 may lack.
    public var host: HeaderField? { section.host.map { section.fields[$0] } }

    /// Path and query; empty for `http://host`, nil where the target is none of a resource (`*`, CONNECT).
    public var path: Range<Int>? {
        switch form {
        case .origin: target
        case .absolute(_, let path): path
        case .authority, .asterisk: nil
        }
    }

    /// Whether the client keeps the connection open after this exchange (RFC 9112 §9.3).
    public var keepsAlive: Bool {
        minorVersion == 1 ? !section.saysClose : section.saysKeepAlive && !section.saysClose
    }

    /// Whether the client waits for `100 Continue` before it sends the body; HTTP/1.0 can't (RFC 9110 §10.1.1).
    public var expectsContinue: Bool { section.expectsContinue && minorVersion == 1 }

    /// Whether it asks to leave HTTP, as WebSocket does.
    public var asksUpgrade: Bool {
        section.saysUpgrade && minorVersion == 1 && section.fields.contains { $0.kind == .upgrade }
    }

    /// How the body is framed (RFC 9112 §6.3). Valid once complete.
    public var framing: BodyFraming {
        if section.isChunked { return .chunked }
        if let length = section.contentLength, length > 0 { return .length(length) }
        return .none
    }

    /// Makes ready for the next message.
    public mutating func reset() {
        section.reset()
        progress = HeadProgress()
    }

    /// Parses as far as the bytes go. `buffer` begins with the message's first byte each time.
    public mutating func parse(_ buffer: UnsafeRawBufferPointer, limits: HTTPLimits = .standard) -> HeadResult {
        guard let base = buffer.baseAddress else { return .needMore }
        if !progress.startLineDone {
            // One empty line before the request line is skipped (RFC 9112 §2.2): old clients end a body with one.
            if progress.lineStart == 0, byte(base, 0) == Byte.cr {
                guard buffer.count > 1 else { return .needMore }
                guard byte(base, 1) == Byte.lf else { return .invalid(.bareCR) }
                progress.skip(2)
            }
            let end = progress.lineEnd(base, buffer.count)
            guard (end ?? buffer.count) - progress.lineStart < limits.startLine else {
                return .invalid(HTTPProblem(414, "a request line of more than \(limits.startLine) bytes"))
            }
            guard let end else { return .needMore }
            if let problem = takeRequestLine(base, progress.lineStart, end) { return .invalid(problem) }
            progress.finishStartLine(next: end + 1)
        }
        let result = progress.takeFields(&section, base, buffer.count, limits)
        if case .complete = result, let problem = checkWhole() { return .invalid(problem) }
        return result
    }

    /// The line from `start` to its LF at `end`: method SP target SP version CRLF, with exactly one space each.
    private mutating func takeRequestLine(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> HTTPProblem? {
        var at = start
        while at < end, isTokenByte(byte(base, at)) { at &+= 1 }
        guard at > start, byte(base, at) == Byte.space else {
            return HTTPProblem(400, "a request line that doesn't begin with a method and a space")
        }
        methodRange = start..<at
        method = HTTPMethod(base, methodRange)

        let targetStart = at + 1
        at = firstControlOrSpace(base, from: targetStart, to: end)
        guard at > targetStart, at < end, byte(base, at) == Byte.space else {
            return HTTPProblem(400, "a request line without target, one space and version")
        }
        target = targetStart..<at
        guard let form = TargetForm(base, target, method) else {
            return HTTPProblem(400, "a request target of no known form")
        }
        self.form = form
        guard let version = HTTPVersion(base, at + 1, end) else {
            return HTTPProblem(400, "a request line that doesn't end with an HTTP version and CRLF")
        }
        guard version.major == 1 else { return HTTPProblem(505, "an HTTP version other than 1.x") }
        minorVersion = min(version.minor, 1)
        return nil
    }

    /// What only the whole head can tell (RFC 9112 §3.2 and §6.1, §6.3).
    private func checkWhole() -> HTTPProblem? {
        if section.hostCount == 0, minorVersion == 1 { return HTTPProblem(400, "no Host") }
        guard section.hasTransferEncoding else { return nil }
        if minorVersion == 0 { return HTTPProblem(400, "Transfer-Encoding in HTTP/1.0") }
        if section.contentLength != nil { return HTTPProblem(400, "both Transfer-Encoding and Content-Length") }
        if !section.isChunked { return HTTPProblem(400, "chunked is not the last transfer coding") }
        if section.hasOtherCoding { return HTTPProblem(501, "a transfer coding other than chunked") }
        return nil
    }
}
