#if canImport(Glibc)
    import Glibc
    private let streamType = Int32(SOCK_STREAM.rawValue)
#elseif canImport(Darwin)
    import Darwin
    private let streamType = SOCK_STREAM
#endif

/// Why a host name has no address; `reason` is the system's sentence (gai_strerror(3)).
public struct NameFailure: Error, Sendable, Equatable {
    public var name: String
    public var reason: String

    public init(name: String, reason: String) {
        self.name = name
        self.reason = reason
    }
}

/// Asks the system for the addresses of `host`, a name or an IP literal, in the order of preference (RFC 6724).
///
/// - Important: it blocks, possibly for many seconds: never to be called on a loop's thread.
public func resolveName(_ host: String, port: Int) throws(NameFailure) -> [SocketAddress] {
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    hints.ai_socktype = streamType
    var list: UnsafeMutablePointer<addrinfo>?
    let result = getaddrinfo(host, nil, &hints, &list)
    defer { if let list { freeaddrinfo(list) } }
    guard result == 0 else {
        throw NameFailure(name: host, reason: gai_strerror(result).map { String(cString: $0) } ?? "error \(result)")
    }
    var addresses: [SocketAddress] = []
    var entry = list
    while let current = entry?.pointee {
        if let native = current.ai_addr {
            var storage = sockaddr_storage()
            withUnsafeMutableBytes(of: &storage) {
                $0.copyMemory(
                    from: UnsafeRawBufferPointer(start: native, count: min(Int(current.ai_addrlen), $0.count)))
            }
            if let address = SocketAddress(storage)?.with(port: port), !addresses.contains(address) {
                addresses.append(address)
            }
        }
        entry = current.ai_next
    }
    guard !addresses.isEmpty else { throw NameFailure(name: host, reason: "it has no address") }
    return addresses
}
