import CPlatform

#if canImport(Glibc)
    import Glibc
    private let streamType = Int32(SOCK_STREAM.rawValue)
    private let sendFlags = Int32(MSG_NOSIGNAL)
#elseif canImport(Darwin)
    import Darwin
    private let streamType = SOCK_STREAM
    private let sendFlags: Int32 = 0
#endif

public enum AcceptResult: ~Copyable {
    case connection(Descriptor)
    case wouldBlock
}

public enum ConnectResult: Sendable, Equatable {
    case connected
    /// Writable once it is; then ask `Kernel.connectionError`.
    case inProgress
}

/// Non-blocking, close-on-exec stream sockets.
extension Kernel {
    public func socket(for address: SocketAddress) throws(Errno) -> Descriptor {
        _ = try limit(.socket)
        return Descriptor(owning: try checked(cp_socket(address.family, streamType)))
    }

    /// A socket that listens at `address`.
    ///
    /// - Parameter reuse: `SO_REUSEADDR`, so that connections in TIME_WAIT don't keep the port; a live listener still
    ///   does. IPv6 sockets serve IPv6 only.
    /// - Parameter early: also at an address that this machine does not have yet (ip(7), IP_FREEBIND), so far as the
    ///   system can.
    public func listen(
        at address: SocketAddress, backlog: Int32 = 4096, reuse: Bool = true, early: Bool = false
    ) throws(Errno) -> Descriptor {
        let descriptor = try socket(for: address)
        if reuse { setReusesAddress(descriptor) }
        #if canImport(Glibc)
            if early { setOption(descriptor, Int32(IPPROTO_IP), IP_FREEBIND, 1) }
        #endif
        if case .v6 = address { setOption(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        try bind(descriptor, to: address)
        _ = try limit(.listen)
        let raw = descriptor.raw
        _ = try retrying { Platform.listen(raw, backlog) }
        return descriptor
    }

    /// Has an unbound socket take a port whose connections are in TIME_WAIT (socket(7), SO_REUSEADDR).
    public func setReusesAddress(_ descriptor: borrowing Descriptor) {
        setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
    }

    /// Has an unbound IPv6 socket serve IPv4 as well (ipv6(7), IPV6_V6ONLY); nothing happens to another.
    public func setBothFamilies(_ descriptor: borrowing Descriptor) {
        setOption(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0)
    }

    public func bind(_ descriptor: borrowing Descriptor, to address: SocketAddress) throws(Errno) {
        _ = try limit(.bind)
        let raw = descriptor.raw
        let result = try address.withNative { pointer, length in
            Platform.bind(raw, pointer, length) == 0 ? Int32(0) : errno
        }
        if result != 0 { throw Errno(result) }
    }

    /// Takes the next connection; one that its client gave up meanwhile is passed over.
    public func accept(_ listener: borrowing Descriptor) throws(Errno) -> AcceptResult {
        while true {
            do throws(Errno) {
                _ = try limit(.accept)
                return .connection(Descriptor(owning: try checked(cp_accept(listener.raw))))
            } catch {
                if error == .again { return .wouldBlock }
                if error != .interrupted, error != .connectionAborted { throw error }
            }
        }
    }

    public func connect(_ descriptor: borrowing Descriptor, to address: SocketAddress) throws(Errno) -> ConnectResult {
        _ = try limit(.connect)
        let raw = descriptor.raw
        let result = try address.withNative { pointer, length in
            Platform.connect(raw, pointer, length) == 0 ? Int32(0) : errno
        }
        switch Errno(result) {
        case Errno(0): return .connected
        case .inProgress, .interrupted: return .inProgress
        case let error: throw error
        }
    }

    /// How a connect in progress ended: nil if well (`SO_ERROR`).
    public func connectionError(_ descriptor: borrowing Descriptor) -> Errno? {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor.raw, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else { return Errno.last }
        return code == 0 ? nil : Errno(code)
    }

    /// Sends what fits (send(2)); never raises `SIGPIPE`.
    public func send(_ descriptor: borrowing Descriptor, _ bytes: UnsafeRawBufferPointer) throws(Errno) -> WriteResult {
        let raw = descriptor.raw
        return WriteResult(try moving(.send, bytes.count) { Platform.send(raw, bytes.baseAddress, $0) })
    }

    /// Sends what fits of a file's bytes as they lie in the system's cache (sendfile(2)).
    public func sendFile(
        _ file: borrowing Descriptor, from offset: Int, count: Int, to socket: borrowing Descriptor
    ) throws(Errno) -> WriteResult {
        let (source, sink) = (file.raw, socket.raw)
        return WriteResult(
            try moving(.send, count) { count in
                #if canImport(Glibc)
                    var start = off_t(offset)
                    return sendfile(sink, source, &start, count)
                #else
                    var length = off_t(count)
                    let result = sendfile(source, sink, off_t(offset), &length, nil, 0)
                    return result == 0 || length > 0 ? Int(length) : -1
                #endif
            })
    }

    /// Reads what a socket has (recv(2)), a little faster than `read`; the buffer must not be empty.
    public func receive(_ descriptor: borrowing Descriptor, into buffer: UnsafeMutableRawBufferPointer) throws(Errno)
        -> ReadResult
    {
        let raw = descriptor.raw
        return ReadResult(try moving(.read, buffer.count) { recv(raw, buffer.baseAddress, $0, 0) })
    }

    /// Tells the peer that nothing more comes (shutdown(2)); a peer that is gone already is no error.
    public func shutdownWrite(_ descriptor: borrowing Descriptor) { _ = shutdown(descriptor.raw, Int32(SHUT_WR)) }

    /// Makes the close that follows send a reset instead of an end.
    public func resetOnClose(_ descriptor: borrowing Descriptor) {
        var linger = CLinger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor.raw, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    }

    public func setNoDelay(_ descriptor: borrowing Descriptor) {
        setOption(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    }

    /// Has a socket within this machine send at once what it may: an algorithm that spreads its segments over time for the
    /// sake of a network, as BBR does, costs a timer for each and delays them (tcp(7), TCP_CONGESTION). Connections take
    /// it over from their listener. Nothing where the system can't.
    public func setUnpaced(_ descriptor: borrowing Descriptor) {
        #if canImport(Glibc)
            // The one that every Linux has and lets everybody use.
            let name: StaticString = "reno"
            setsockopt(
                descriptor.raw, Int32(IPPROTO_TCP), TCP_CONGESTION, name.utf8Start, socklen_t(name.utf8CodeUnitCount))
        #endif
    }

    /// Has the system ask now and then whether the other end is still there while nothing is said: one that is gone
    /// breaks the connection within a minute (tcp(7), TCP_KEEPIDLE).
    public func setProbed(_ descriptor: borrowing Descriptor) {
        setOption(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
        #if canImport(Glibc)
            setOption(descriptor, Int32(IPPROTO_TCP), TCP_KEEPIDLE, 30)
        #else
            setOption(descriptor, Int32(IPPROTO_TCP), TCP_KEEPALIVE, 30)
        #endif
        setOption(descriptor, Int32(IPPROTO_TCP), TCP_KEEPINTVL, 10)
        setOption(descriptor, Int32(IPPROTO_TCP), TCP_KEEPCNT, 3)
    }

    /// Sends the acknowledgement that is being delayed, and delays none for a while (tcp(7), TCP_QUICKACK); nothing
    /// where the system can't.
    public func acknowledge(_ descriptor: borrowing Descriptor) {
        #if canImport(Glibc)
            setOption(descriptor, Int32(IPPROTO_TCP), TCP_QUICKACK, 1)
        #endif
    }

    public func localAddress(_ descriptor: borrowing Descriptor) -> SocketAddress? {
        var storage = sockaddr_storage()
        return name(&storage) { getsockname(descriptor.raw, $0, $1) }
    }

    /// Where the other end of a connection is.
    public func peerAddress(_ descriptor: borrowing Descriptor) -> SocketAddress? {
        var storage = sockaddr_storage()
        return name(&storage) { getpeername(descriptor.raw, $0, $1) }
    }

    /// The user behind the other end of a Unix socket.
    public func peerUser(_ descriptor: borrowing Descriptor) throws(Errno) -> UInt32 {
        var user: UInt32 = 0
        var process: Int32 = 0
        _ = try checked(cp_peer_uid(descriptor.raw, &user, &process))
        return user
    }

    private func setOption(_ descriptor: borrowing Descriptor, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        setsockopt(descriptor.raw, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    private func name(
        _ storage: inout sockaddr_storage,
        _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> SocketAddress? {
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutableBytes(of: &storage) { bytes in
            // sockaddr_storage holds any address and is aligned for each (socket(7)).
            call(bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length)
        }
        return result == 0 ? SocketAddress(storage) : nil
    }
}

/// Whether the machine has the IPv6 loopback.
public func hasLoopback6(_ kernel: Kernel = .real) -> Bool {
    guard let probe = try? kernel.socket(for: .loopback6(0)) else { return false }
    do throws(Errno) {
        try kernel.bind(probe, to: .loopback6(0))
        return true
    } catch { return false }
}

private typealias CLinger = linger

// The C names are shadowed by the methods above.
private func listen(_ fd: Int32, _ backlog: Int32) -> Int32 {
    #if canImport(Glibc)
        Glibc.listen(fd, backlog)
    #else
        Darwin.listen(fd, backlog)
    #endif
}

private func bind(_ fd: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
    #if canImport(Glibc)
        Glibc.bind(fd, address, length)
    #else
        Darwin.bind(fd, address, length)
    #endif
}

private func connect(_ fd: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
    #if canImport(Glibc)
        Glibc.connect(fd, address, length)
    #else
        Darwin.connect(fd, address, length)
    #endif
}

private func send(_ fd: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    #if canImport(Glibc)
        Glibc.send(fd, bytes, count, sendFlags)
    #else
        Darwin.send(fd, bytes, count, sendFlags)
    #endif
}
