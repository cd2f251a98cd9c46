/// A request target taken apart for a router: decoded path segments, decoded query.
public struct RequestTarget: Sendable, Equatable {
    /// The segments of the path, percent-decoded one by one, so that `%2F` stays within its segment.
    public let segments: [String]
    /// Names and values in order; `+` is a space.
    public let query: [(name: String, value: String)]

    /// Nil for a malformed escape, a NUL, or a path that is not UTF-8. An authority in front is left out.
    public init?(_ target: String) {
        let rest = Self.withoutAuthority(target)
        let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var segments: [String] = []
        for segment in (parts.first ?? "").split(separator: "/") {
            guard let text = percentDecoded(segment) else { return nil }
            segments.append(text)
        }
        var query: [(name: String, value: String)] = []
        for pair in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = percentDecoded(sides[0], plusIsSpace: true),
                let value = percentDecoded(sides.count > 1 ? sides[1] : "", plusIsSpace: true)
            else { return nil }
            query.append((name, value))
        }
        self.segments = segments
        self.query = query
    }

    /// Everything from the path on, of `http://host:1/path?query` as of `/path?query`.
    private static func withoutAuthority(_ target: String) -> Substring {
        guard !target.hasPrefix("/"), let colon = target.utf8.firstIndex(of: Byte.colon),
            target[colon...].hasPrefix("://")
        else { return Substring(target) }
        let authority = target[target.index(colon, offsetBy: 3)...]
        return authority.firstIndex { $0 == "/" || $0 == "?" }.map { authority[$0...] } ?? "/"
    }

    /// The first value under that name in the query.
    public func value(_ name: String) -> String? {
        query.first { $0.name == name }?.value
    }

    public static func == (a: Self, b: Self) -> Bool {
        a.segments == b.segments && a.query.elementsEqual(b.query) { $0.name == $1.name && $0.value == $1.value }
    }
}

/// Decodes `%41`; nil if an escape is malformed, or the result holds a NUL or is not UTF-8.
public func percentDecoded(_ text: Substring, plusIsSpace: Bool = false) -> String? {
    var bytes: [UInt8] = []
    var iterator = text.utf8.makeIterator()
    while let c = iterator.next() {
        switch c {
        case UInt8(ascii: "%"):
            guard let high = iterator.next().flatMap(hexDigit), let low = iterator.next().flatMap(hexDigit) else {
                return nil
            }
            bytes.append(high << 4 | low)
        case UInt8(ascii: "+") where plusIsSpace: bytes.append(Byte.space)
        default: bytes.append(c)
        }
    }
    guard !bytes.contains(0) else { return nil }
    return String(validating: bytes, as: UTF8.self)
}

/// Encodes a path segment or query value: letters, digits, `-._~` stay (RFC 3986 §2.3).
public func percentEncoded(_ text: String) -> String {
    let hex = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for c in text.utf8 {
        switch c {
        case 0x61...0x7A, 0x41...0x5A, 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            bytes.append(c)
        default: bytes += [UInt8(ascii: "%"), hex[Int(c >> 4)], hex[Int(c & 15)]]
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
