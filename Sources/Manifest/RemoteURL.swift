extension Remote {
    /// Reads a URL (RFC 3986, as far as a remote can have it: no user, query or fragment).
    /// - Parameters:
    ///   - shown: what to show of it where it is wrong.
    ///   - host: what to say in `Host` instead of the URL's authority.
    static func parse(_ text: String, shown: String, host: String? = nil) -> Result<Remote, SentenceError> {
        func wrong(_ mend: String) -> Result<Remote, SentenceError> {
            .failure(SentenceError(sentence: .wrongURL(shown, mend)))
        }
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), text[colon...].hasPrefix("://") else {
            return wrong("Begin it with http://, https:// or tcp://")
        }
        let schemeText = text[..<colon].lowercased()
        guard let scheme = Scheme(rawValue: schemeText) else {
            let nearest = Manifest.nearest(to: schemeText, among: Scheme.allCases.map(\.rawValue))
            return wrong(nearest.map { "Did you mean \($0)://?" } ?? "Begin it with http://, https:// or tcp://")
        }
        let rest = text[text.utf8.index(colon, offsetBy: 3)...]
        let authorityEnd = rest.utf8.firstIndex { "/?#".utf8.contains($0) } ?? rest.endIndex
        let authority = rest[..<authorityEnd]
        var path = rest[authorityEnd...]
        if authority.utf8.contains(UInt8(ascii: "@")) {
            return .failure(SentenceError(sentence: .credentialsNotYet(shown)))
        }
        if path.utf8.contains(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }) {
            return wrong("Remove what begins with ? or #: the path is put before each request's own")
        }
        guard path.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else { return wrong("Percent-encode its path") }
        while path.last == "/" { path.removeLast() }
        if scheme == .tcp, !path.isEmpty { return wrong("Remove the path: tcp has none") }
        guard let (name, portText) = split(authority), isHost(name) else {
            return wrong(
                authority.utf8.allSatisfy { $0 < 0x80 }
                    ? "Write a host name, an IPv4 address or an IPv6 address in brackets"
                    : "Write the host name in ASCII (xn--…)")
        }
        guard let port = portText.map({ Int($0) ?? 0 }) ?? scheme.defaultPort else {
            return wrong("Add a port, such as tcp://\(authority):5432")
        }
        guard 1...65535 ~= port else { return wrong("Write a port from 1 to 65535") }
        let isLiteral = name.utf8.contains(UInt8(ascii: ":"))
        let bracketed = isLiteral ? "[\(name)]" : String(name)
        return .success(
            Remote(
                scheme: scheme, host: String(name), port: port, path: String(path),
                hostHeader: host ?? (port == scheme.defaultPort ? bracketed : "\(bracketed):\(port)"), url: text))
    }

    /// Splits `host:port`; the host without brackets.
    private static func split(_ authority: Substring) -> (host: Substring, port: Substring?)? {
        if authority.first == "[" {
            guard let end = authority.utf8.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            let host = authority[authority.utf8.index(after: authority.startIndex)..<end]
            let rest = authority[authority.utf8.index(after: end)...]
            guard host.utf8.contains(UInt8(ascii: ":")) else { return nil }
            return rest.isEmpty ? (host, nil) : rest.first == ":" ? (host, rest.dropFirst()) : nil
        }
        guard let colon = authority.utf8.lastIndex(of: UInt8(ascii: ":")) else { return (authority, nil) }
        let host = authority[..<colon]
        return host.utf8.contains(UInt8(ascii: ":")) ? nil : (host, authority[authority.utf8.index(after: colon)...])
    }

    static func isHost(_ host: Substring) -> Bool {
        if host.utf8.contains(UInt8(ascii: ":")) {
            return host.utf8.allSatisfy { $0.isWordByte || ":.%-".utf8.contains($0) }
        }
        return !host.isEmpty && host.utf8.count <= 253
            && host.utf8.allSatisfy { $0.isWordByte || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
    }

    /// Whether a text can stand in a `Host` header.
    static func isHostHeader(_ text: String) -> Bool {
        guard let (host, port) = split(Substring(text)), isHost(host) else { return false }
        return port.map { 1...65535 ~= (Int($0) ?? 0) } ?? true
    }
}

extension Remote.Scheme {
    var defaultPort: Int? {
        switch self {
        case .http: 80
        case .https: 443
        case .tcp: nil
        }
    }
}

/// A sentence as the failure of a reading.
struct SentenceError: Error {
    var sentence: Sentence
}
