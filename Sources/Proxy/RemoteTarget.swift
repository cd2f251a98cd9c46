import Platform

/// Where a remote service is, and how to speak with it.
public struct RemoteTarget: Sendable, Hashable {
    public enum Scheme: String, Sendable {
        case http, https, tcp
    }

    public struct Header: Sendable, Hashable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public var scheme: Scheme
    /// A name or an IP literal, without brackets.
    public var host: String
    public var port: Int
    /// Stands before each request's path; "" or "/" adds nothing.
    public var path: String
    /// The `Host` that requests carry, as `members.staging.example.com` or `h:8080`.
    public var hostHeader: String
    /// What each request carries in place of the client's lines of these names.
    public var headers: [Header]
    /// Whether TLS is spoken, which it always is with `https`.
    public var isSecured: Bool
    public var tls: TLSSettings
    /// The name that the server's certificate must be for, where that is not `host`.
    public var serverName: String?

    /// - Parameters:
    ///   - hostHeader: nil: host and port.
    ///   - tls: nil: the system's authorities and no certificate of ours for `https`, no TLS for other schemes.
    public init(
        scheme: Scheme, host: String, port: Int, path: String = "", hostHeader: String? = nil, headers: [Header] = [],
        tls: TLSSettings? = nil, serverName: String? = nil
    ) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.path = path
        self.hostHeader = hostHeader ?? RemoteTarget.defaultHostHeader(scheme, host, port)
        self.headers = headers
        isSecured = scheme == .https || tls != nil
        self.tls = tls ?? TLSSettings()
        self.serverName = serverName
    }

    /// Whether it lets those who call do what they could not do by themselves: its fronts must be guarded.
    var addsCredentials: Bool { !headers.isEmpty || tls.certificate != nil }

    /// The port is left out where it is the scheme's own (RFC 9110 §7.2).
    private static func defaultHostHeader(_ scheme: Scheme, _ host: String, _ port: Int) -> String {
        let name = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
        switch (scheme, port) {
        case (.http, 80), (.https, 443): return name
        default: return "\(name):\(port)"
        }
    }
}

extension [RemoteTarget.Header] {
    /// Whether one of them has that name.
    func hasName(_ name: some Collection<UInt8>) -> Bool {
        contains { header in
            header.name.utf8.count == name.count
                && header.name.utf8.elementsEqual(name) { lowercased($0) == lowercased($1) }
        }
    }
}

private func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
