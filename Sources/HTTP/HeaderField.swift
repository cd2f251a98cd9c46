/// Where one header line lies in the buffer it was parsed from: offsets only, nothing is copied.
public struct HeaderField: Sendable, Equatable {
    @usableFromInline var nameStart: UInt32
    @usableFromInline var valueStart: UInt32
    @usableFromInline var valueLength: UInt32
    @usableFromInline var nameLength: UInt16
    /// Which of the names that steer a relay this is.
    public internal(set) var kind: Kind

    /// Bytes of the name, as it was written.
    @inlinable public var name: Range<Int> {
        Range(uncheckedBounds: (Int(nameStart), Int(nameStart) &+ Int(nameLength)))
    }
    /// Bytes of the value, without the white space around it.
    @inlinable public var value: Range<Int> {
        Range(uncheckedBounds: (Int(valueStart), Int(valueStart) &+ Int(valueLength)))
    }

    /// The names that framing, persistence and forwarding depend on. All others are `other`.
    public enum Kind: UInt8, Sendable {
        case other
        case host, contentLength, transferEncoding, connection, keepAlive, proxyConnection
        case te, trailer, upgrade, expect, via, forwarded, xForwarded

        /// Whether the line ends at this hop whatever `Connection` says (RFC 9110 §7.6.1).
        public var isHopByHop: Bool {
            switch self {
            case .connection, .keepAlive, .proxyConnection, .transferEncoding, .te, .upgrade: true
            default: false
            }
        }
    }
}

extension HeaderField.Kind {
    /// Tells the kind from the name; the length sorts most names out at once.
    static func of(_ base: UnsafeRawPointer, _ name: Range<Int>) -> Self {
        switch name.count {
        case 2: equalsLowercased(base, name, "te") ? .te : .other
        case 3: equalsLowercased(base, name, "via") ? .via : .other
        case 4: equalsLowercased(base, name, "host") ? .host : .other
        case 6: equalsLowercased(base, name, "expect") ? .expect : .other
        case 7:
            if equalsLowercased(base, name, "upgrade") {
                .upgrade
            } else {
                equalsLowercased(base, name, "trailer") ? .trailer : .other
            }
        case 9:
            if equalsLowercased(base, name, "forwarded") {
                .forwarded
            } else {
                equalsLowercased(base, name, "x-real-ip") ? .xForwarded : .other
            }
        case 10:
            if equalsLowercased(base, name, "connection") {
                .connection
            } else {
                equalsLowercased(base, name, "keep-alive") ? .keepAlive : .other
            }
        case 14: equalsLowercased(base, name, "content-length") ? .contentLength : isXForwarded(base, name)
        case 15, 16:
            equalsLowercased(base, name, "proxy-connection") ? .proxyConnection : isXForwarded(base, name)
        case 17:
            equalsLowercased(base, name, "transfer-encoding") ? .transferEncoding : isXForwarded(base, name)
        case 13...: isXForwarded(base, name)
        default: .other
        }
    }

    private static func isXForwarded(_ base: UnsafeRawPointer, _ name: Range<Int>) -> Self {
        equalsLowercased(base, name.lowerBound..<name.lowerBound + 12, "x-forwarded-") ? .xForwarded : .other
    }
}
