/// The head of a response, parsed in place (RFC 9112 §4), incrementally as `RequestHead` is.
///
/// A head that breaks the rules is a 502 to whoever asked for it. A lone LF ends a line too (RFC 9112 §2.2 allows it).
public struct ResponseHead: Sendable {
    public private(set) var status = 0
    /// The reason phrase as it was written; may be empty.
    public private(set) var reason = 0..<0
    /// HTTP/1.`minorVersion`: 0 or 1; a higher one counts as 1.
    public private(set) var minorVersion = 1
    public private(set) var section = FieldSection(isRequest: false)

    private var progress = HeadProgress()

    public init() {}

    public var fields: [HeaderField] { section.fields }

    /// Whether it is 1xx other than 101: another head follows.
    public var isInterim: Bool { status < 200 && status != 101 }

    /// Whether the server keeps the connection open after this exchange, if the body's end can be told.
    public var keepsAlive: Bool {
        // HTTP/1.0 with Transfer-Encoding counts as faulty framing (RFC 9112 §6.1).
        minorVersion == 1
            ? !section.saysClose
            : section.saysKeepAlive && !section.saysClose && !section.hasTransferEncoding
    }

    /// How the body is framed, which depends on what was asked (RFC 9112 §6.3).
    public func framing(answering method: HTTPMethod) -> BodyFraming {
        if status == 101 || (method == .connect && (200..<300).contains(status)) { return .tunnel }
        if method == .head || status < 200 || status == 204 || status == 304 { return .none }
        if section.isChunked { return .chunked }
        if let length = section.contentLength { return length == 0 ? .none : .length(length) }
        return .untilClose
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
            let end = progress.lineEnd(base, buffer.count)
            guard (end ?? buffer.count) < limits.startLine else {
                return .invalid(HTTPProblem(502, "a status line of more than \(limits.startLine) bytes"))
            }
            guard let end else { return .needMore }
            guard takeStatusLine(base, end) else { return .invalid(HTTPProblem(502, "a malformed status line")) }
            progress.finishStartLine(next: end + 1)
        }
        switch progress.takeFields(&section, base, buffer.count, limits) {
        case .needMore: return .needMore
        case .invalid(let problem): return .invalid(HTTPProblem(502, problem.reason))
        case .complete(let length):
            guard section.contentLength == nil || !section.hasTransferEncoding else {
                return .invalid(HTTPProblem(502, "both Transfer-Encoding and Content-Length"))
            }
            guard !section.hasOtherCoding else {
                return .invalid(HTTPProblem(502, "a transfer coding other than chunked"))
            }
            return .complete(length: length)
        }
    }

    /// `HTTP/1.1 200 OK`; the reason and the space before it may be missing.
    private mutating func takeStatusLine(_ base: UnsafeRawPointer, _ lf: Int) -> Bool {
        let end = lf > 0 && byte(base, lf - 1) == Byte.cr ? lf - 1 : lf
        guard end >= 12, let version = HTTPVersion(base, 0), version.major == 1 else { return false }
        minorVersion = min(version.minor, 1)
        guard byte(base, 8) == Byte.space, let code = decimal(base, 9..<12), code >= 100 else { return false }
        status = Int(code)
        reason = end..<end
        if end > 12 {
            guard byte(base, 12) == Byte.space else { return false }
            reason = 13..<end
        }
        return firstControl(base, from: reason.lowerBound, to: end) == end
    }
}
