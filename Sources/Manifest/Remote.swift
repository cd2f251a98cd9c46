/// `remote`: where a service runs elsewhere, and how to speak with it.
public struct Remote: Sendable, Equatable {
    public var scheme: Scheme
    /// A name or an IP literal, without brackets.
    public var host: String
    public var port: Int
    /// The path of the URL without a trailing slash; empty where it has none. Prefixed to each request's path.
    public var path: String
    /// What to put into `Host` (`host` in the object form, else the URL's own authority).
    public var hostHeader: String
    /// As the user wrote it, expanded; may hold a password.
    public var url: String
    /// In the manifest's order.
    public var headers: [Header] = []
    /// Nil where the manifest says nothing of it.
    public var tls: TLS?

    public enum Scheme: String, Sendable, CaseIterable {
        case http, https, tcp
    }

    /// A line that each request carries.
    public struct Header: Sendable, Equatable {
        public var name: String
        public var value: String
        /// Whether the value is masked.
        public var isSecret: Bool
    }

    /// `tls`; paths are absolute, and of PEM files.
    public struct TLS: Sendable, Equatable {
        public var ca: String?
        public var certificate: String?
        /// Nil: in the file of `certificate`.
        public var key: String?
        public var serverName: String?
        /// Whether any certificate is taken.
        public var isInsecure = false
    }

    public init(scheme: Scheme, host: String, port: Int, path: String = "", hostHeader: String, url: String) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.path = path
        self.hostHeader = hostHeader
        self.url = url
    }
}

/// What is wrong with a file of `tls`, for people.
public struct TLSFileFault: Error, Equatable {
    /// The key under `tls` that names it: `ca`, `cert` or `key`.
    public var key: String
    /// What the file must hold, and what was found instead.
    public var expected: String
    public var found: String
    public var mend: String

    public init(key: String, expected: String, found: String, mend: String) {
        self.key = key
        self.expected = expected
        self.found = found
        self.mend = mend
    }
}
