/// Why a message was not accepted, or could not be written.
///
/// `status` is what a server answers with: 400, 413, 414, 417, 431, 501 or 505 for a request. A response that breaks
/// the rules is always 502, for whoever relays it. After a problem the connection can't be used any further, since
/// nobody knows where the next message would begin.
public struct HTTPProblem: Error, Equatable, Sendable, CustomStringConvertible {
    public let status: Int
    public let reason: String

    public init(_ status: Int, _ reason: String) {
        self.status = status
        self.reason = reason
    }

    public var description: String { "\(status): \(reason)" }
}

/// How much of a head or of a body's framing is read before giving up. All in bytes, but `fields`.
public struct HTTPLimits: Sendable, Equatable {
    /// The request line or status line with its line end; a longer request line is 414.
    public var startLine: Int
    /// The whole head with its closing empty line; a longer one is 431. Above 16 KB, since cookies grow that big.
    public var head: Int
    /// How many header lines; more are 431.
    public var fields: Int
    /// The trailer section of a chunked body.
    public var trailers: Int
    /// One chunk's size line, extensions included.
    public var chunkLine: Int

    public init(
        startLine: Int = 16_384, head: Int = 65_536, fields: Int = 200, trailers: Int = 16_384, chunkLine: Int = 4_096
    ) {
        self.startLine = startLine
        self.head = head
        self.fields = fields
        self.trailers = trailers
        self.chunkLine = chunkLine
    }

    public static let standard = HTTPLimits()
}

/// What a head's parser knows after each look at the buffer.
public enum HeadResult: Equatable, Sendable {
    /// The head is not whole yet: append to the same buffer and look again.
    case needMore
    /// The head takes the buffer's first `length` bytes; the body follows.
    case complete(length: Int)
    case invalid(HTTPProblem)
}
