#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where a socket is bound or connected to.
public enum SocketAddress: Sendable, Hashable {
    /// Four bytes in reading order, and a port.
    case v4(UInt32, port: UInt16)
    /// Sixteen bytes as two halves in reading order, a port and a scope.
    case v6(UInt64, UInt64, port: UInt16, scope: UInt32)
    case unix(String)

    public static func loopback(_ port: Int) -> SocketAddress { .v4(0x7f00_0001, port: UInt16(port)) }
    public static func loopback6(_ port: Int) -> SocketAddress { .v6(0, 1, port: UInt16(port), scope: 0) }

    /// Parses an IP literal, without brackets.
    public init?(literal: String, port: Int) {
        guard let port = UInt16(exactly: port) else { return nil }
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, literal, &four) == 1 {
            self = .v4(UInt32(bigEndian: four.s_addr), port: port)
        } else if inet_pton(AF_INET6, literal, &six) == 1 {
            self = SocketAddress(six, port: port, scope: 0)
        } else {
            return nil
        }
    }

    init(_ address: in6_addr, port: UInt16, scope: UInt32) {
        let (high, low) = withUnsafeBytes(of: address) {
            ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        self = .v6(UInt64(bigEndian: high), UInt64(bigEndian: low), port: port, scope: scope)
    }

    /// Whether it can only be reached from this machine, over TCP.
    public var isLoopback: Bool {
        switch self {
        case .v4(let host, _): host >> 24 == 127
        case .v6(let high, let low, _, _): high == 0 && low == 1
        case .unix: false
        }
    }

    /// Nil for a Unix socket.
    public var port: Int? {
        switch self {
        case .v4(_, let port), .v6(_, _, let port, _): Int(port)
        case .unix: nil
        }
    }

    public func with(port: Int) -> SocketAddress {
        switch self {
        case .v4(let host, _): .v4(host, port: UInt16(port))
        case .v6(let high, let low, _, let scope): .v6(high, low, port: UInt16(port), scope: scope)
        case .unix: self
        }
    }

    public var family: Int32 {
        switch self {
        case .v4: AF_INET
        case .v6: AF_INET6
        case .unix: AF_UNIX
        }
    }

    /// Calls `body` with the C form; fails with `ENAMETOOLONG` where a path exceeds `sun_path`.
    func withNative<T>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> T) throws(Errno) -> T {
        switch self {
        case .v4(let host, let port):
            var native = sockaddr_in()
            native.sin_family = sa_family_t(AF_INET)
            native.sin_port = port.bigEndian
            native.sin_addr.s_addr = host.bigEndian
            return call(&native, body)
        case .v6(let high, let low, let port, let scope):
            var native = sockaddr_in6()
            native.sin6_family = sa_family_t(AF_INET6)
            native.sin6_port = port.bigEndian
            native.sin6_scope_id = scope
            withUnsafeMutableBytes(of: &native.sin6_addr) {
                $0.storeBytes(of: high.bigEndian, as: UInt64.self)
                $0.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            return call(&native, body)
        case .unix(let path):
            var native = sockaddr_un()
            native.sun_family = sa_family_t(AF_UNIX)
            let bytes = Array(path.utf8)
            guard bytes.count < MemoryLayout.size(ofValue: native.sun_path) else { throw Errno(ENAMETOOLONG) }
            withUnsafeMutableBytes(of: &native.sun_path) { $0.copyBytes(from: bytes) }
            return call(&native, body)
        }
    }

    init?(_ storage: sockaddr_storage) {
        var storage = storage
        switch Int32(storage.ss_family) {
        case AF_INET:
            self = withUnsafeBytes(of: &storage) {
                let native = $0.loadUnaligned(as: sockaddr_in.self)
                return .v4(UInt32(bigEndian: native.sin_addr.s_addr), port: UInt16(bigEndian: native.sin_port))
            }
        case AF_INET6:
            self = withUnsafeBytes(of: &storage) {
                let native = $0.loadUnaligned(as: sockaddr_in6.self)
                return SocketAddress(
                    native.sin6_addr, port: UInt16(bigEndian: native.sin6_port), scope: native.sin6_scope_id)
            }
        case AF_UNIX: self = .unix("")
        default: return nil
        }
    }
}

private func call<Native, T>(_ native: inout Native, _ body: (UnsafePointer<sockaddr>, socklen_t) -> T) -> T {
    withUnsafeBytes(of: &native) { bytes in
        // A `Native` is one of the sockaddr structures, whose beginning is a `sockaddr` (socket(7)).
        body(bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
    }
}

extension SocketAddress: CustomStringConvertible {
    /// `127.0.0.1:80`, `[::1]:80` or a path.
    public var description: String {
        switch self {
        case .unix(let path): path
        case .v4(_, let port): "\(host):\(port)"
        case .v6(_, _, let port, _): "[\(host)]:\(port)"
        }
    }

    /// The IP literal, without brackets.
    public var host: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        switch self {
        case .v4(let host, _):
            var native = in_addr(s_addr: host.bigEndian)
            inet_ntop(AF_INET, &native, &text, socklen_t(text.count))
        case .v6(let high, let low, _, _):
            var native = in6_addr()
            withUnsafeMutableBytes(of: &native) {
                $0.storeBytes(of: high.bigEndian, as: UInt64.self)
                $0.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            inet_ntop(AF_INET6, &native, &text, socklen_t(text.count))
        case .unix(let path): return path
        }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
