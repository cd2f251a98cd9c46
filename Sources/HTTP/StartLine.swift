/// The methods that HTTP itself knows; every other token is `other`.
public enum HTTPMethod: UInt8, Sendable {
    case get, head, post, put, delete, connect, options, trace, patch, other

    init(_ base: UnsafeRawPointer, _ range: Range<Int>) {
        func reads(_ word: StaticString) -> Bool {
            // Methods are case-sensitive (RFC 9110 §9.1): compare bytes.
            for index in 0..<range.count where byte(base, range.lowerBound + index) != word.utf8Start[index] {
                return false
            }
            return true
        }
        self =
            switch range.count {
            case 3: reads("GET") ? .get : reads("PUT") ? .put : .other
            case 4: reads("POST") ? .post : reads("HEAD") ? .head : .other
            case 5: reads("PATCH") ? .patch : reads("TRACE") ? .trace : .other
            case 6: reads("DELETE") ? .delete : .other
            case 7: reads("OPTIONS") ? .options : reads("CONNECT") ? .connect : .other
            default: .other
            }
    }

    /// Tells a method by its name, which is case-sensitive.
    public init(_ name: String) {
        var copy = name
        self = copy.withUTF8 { bytes in
            bytes.baseAddress.map { HTTPMethod(UnsafeRawPointer($0), 0..<bytes.count) } ?? .other
        }
    }

    /// Whether sending it twice does what sending it once does (RFC 9110 §9.2.2).
    public var isIdempotent: Bool {
        switch self {
        case .get, .head, .put, .delete, .options, .trace: true
        case .post, .connect, .patch, .other: false
        }
    }
}

/// The four ways to write a request target (RFC 9112 §3.2).
public enum TargetForm: Equatable, Sendable {
    /// `/path?query`
    case origin
    /// `http://authority/path?query`: the authority wins over `Host`; `path` may be empty, which means `/`.
    case absolute(authority: Range<Int>, path: Range<Int>)
    /// `host:port`, with CONNECT only.
    case authority
    /// `*`, with OPTIONS only.
    case asterisk

    init?(_ base: UnsafeRawPointer, _ target: Range<Int>, _ method: HTTPMethod) {
        if method == .connect {
            guard isAuthority(base, target) else { return nil }
            self = .authority
        } else if byte(base, target.lowerBound) == Byte.slash {
            self = .origin
        } else if target.count == 1, byte(base, target.lowerBound) == UInt8(ascii: "*") {
            guard method == .options else { return nil }
            self = .asterisk
        } else {
            let scheme = target.prefix(8).count
            let start: Int
            if scheme >= 7, equalsLowercased(base, target.lowerBound..<target.lowerBound + 7, "http://") {
                start = target.lowerBound + 7
            } else if scheme == 8, equalsLowercased(base, target.lowerBound..<target.lowerBound + 8, "https://") {
                start = target.lowerBound + 8
            } else {
                return nil
            }
            var end = start
            while end < target.upperBound, byte(base, end) != Byte.slash, byte(base, end) != UInt8(ascii: "?") {
                end += 1
            }
            guard end > start, isAuthority(base, start..<end) else { return nil }
            self = .absolute(authority: start..<end, path: end..<target.upperBound)
        }
    }
}

/// `HTTP/` digit `.` digit, up to the line's CRLF.
struct HTTPVersion {
    var major: Int
    var minor: Int

    /// Reads from `start`; `end` is the offset of the LF. The CR before it is required.
    init?(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) {
        guard end - start == 9, byte(base, end - 1) == Byte.cr else { return nil }
        self.init(base, start)
    }

    /// Reads the eight bytes at `start`.
    init?(_ base: UnsafeRawPointer, _ start: Int) {
        let word: StaticString = "HTTP/"
        for index in 0..<5 where byte(base, start + index) != word.utf8Start[index] { return nil }
        let major = byte(base, start + 5)
        let minor = byte(base, start + 7)
        guard isDigit(major), byte(base, start + 6) == UInt8(ascii: "."), isDigit(minor) else { return nil }
        self.major = Int(major - 0x30)
        self.minor = Int(minor - 0x30)
    }
}
