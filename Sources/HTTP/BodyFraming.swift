/// How the end of a body is told (RFC 9112 §6.3).
public enum BodyFraming: Equatable, Sendable {
    /// There is no body.
    case none
    /// Exactly so many bytes, at least one.
    case length(UInt64)
    /// Chunks and a trailer section; see `ChunkedDecoder`.
    case chunked
    /// Everything up to the end of the connection; responses only.
    case untilClose
    /// No message follows at all: the connection now carries another protocol (101, or 2xx to CONNECT).
    case tunnel
}
