/// Tells from a connection's first bytes which protocol the client speaks.
public enum Sniffer {
    public enum Verdict: Equatable, Sendable {
        /// An HTTP/1 request begins here.
        case http1
        /// The HTTP/2 connection preface, whole (RFC 9113 §3.4).
        case http2
        /// Neither: TLS, redis, PostgreSQL, …
        case other
        /// The bytes so far fit both answers.
        case needMore
    }

    private static let preface: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    private static let longestMethod = 24

    /// Looks at what has arrived so far, from the first byte; nothing is consumed.
    ///
    /// HTTP/1 is a method in capitals, a space, and a target that begins as one may. That is decided within a few
    /// bytes, so a text protocol whose commands look alike (`GET key` to redis) is not taken for it.
    public static func look(_ bytes: UnsafeRawBufferPointer) -> Verdict {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return .needMore }
        let common = min(bytes.count, preface.utf8CodeUnitCount)
        var matching = 0
        while matching < common, byte(base, matching) == preface.utf8Start[matching] { matching += 1 }
        if matching == preface.utf8CodeUnitCount { return .http2 }
        if matching == bytes.count { return .needMore }

        var at = 0
        if byte(base, 0) == Byte.cr {
            guard bytes.count > 1 else { return .needMore }
            guard byte(base, 1) == Byte.lf else { return .other }
            at = 2
        }
        let start = at
        while at < bytes.count, isMethodByte(byte(base, at)) { at += 1 }
        guard at - start <= longestMethod else { return .other }
        guard at < bytes.count else { return .needMore }
        guard at > start, byte(base, at) == Byte.space else { return .other }
        let method = HTTPMethod(base, start..<at)
        return target(base, at + 1, bytes.count, method)
    }

    private static func target(
        _ base: UnsafeRawPointer, _ start: Int, _ end: Int, _ method: HTTPMethod
    ) -> Verdict {
        guard start < end else { return .needMore }
        if method == .connect { return isTokenByte(byte(base, start)) || byte(base, start) == 0x5B ? .http1 : .other }
        switch byte(base, start) {
        case Byte.slash: return .http1
        case UInt8(ascii: "*"): return method == .options ? .http1 : .other
        default:
            let scheme: StaticString = "http"
            for index in 0..<4 {
                guard start + index < end else { return .needMore }
                guard byte(base, start + index) | 0x20 == scheme.utf8Start[index] else { return .other }
            }
            return .http1
        }
    }

    private static func isMethodByte(_ c: UInt8) -> Bool { c &- 0x41 < 26 || c == UInt8(ascii: "-") }
}
