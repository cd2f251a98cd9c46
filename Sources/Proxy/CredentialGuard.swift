import HTTP
import Platform

/// Judges who may call a service whose remote adds credentials to requests: else any web page that the user looks at,
/// and any other user of the machine, could use them (contract §7, rule 6).
///
///     another user's program      → the user of its socket
///     a page of another site      → Sec-Fetch-Site, and Origin where it says one
///     a page whose host name was
///     rebound to this machine     → Host
///
/// Pure; `Connection+Credentials.swift` asks it.
struct CredentialGuard {
    private let service: String
    private let origins: Set<WebOrigin>
    private let hosts: Set<String>
    let isOpenToAll: Bool

    /// - Parameters:
    ///   - origins: those declared in the manifest; what is no origin opens nothing.
    ///   - hosts: its host names at the gateway, in lower case.
    init(service: String, origins: [String] = [], hosts: [String] = []) {
        self.service = service
        self.origins = Set(origins.compactMap(WebOrigin.init))
        self.hosts = Set(hosts)
        isOpenToAll = origins.contains("*")
    }

    /// Why a user's connection is refused; nil where it is not.
    /// - Parameters:
    ///   - user: nil where it can't be told any more.
    ///   - owner: who runs devmesh.
    func refusal(of user: UInt32?, owner: UInt32) -> HTTPProblem? {
        guard let user else { return HTTPProblem(403, "\(lends) and whose connection this is can't be told.") }
        if user == owner || user == 0 { return nil }
        return HTTPProblem(
            403, "\(lends) of user \(owner), and the caller is user \(user): only that user may call it.")
    }

    /// Why a request is refused; nil where it is not.
    func refusal(of head: RequestHead, in buffer: UnsafeRawBufferPointer) -> HTTPProblem? {
        if isOpenToAll { return nil }
        let headers = HTTPHeaders(head.fields, in: buffer)
        var hosts = headers.values("Host")
        if case .absolute(let authority, _) = head.form {
            hosts.append(String(decoding: buffer[authority], as: UTF8.self))
        }
        for host in hosts where !isOurs(host) {
            return HTTPProblem(
                403,
                "\(lends) so that it is not served under the host name \(host): call it by its address or as "
                    + "\(service).localhost, or declare http://\(host) in its \"origins\".")
        }
        var isDeclared = false
        for text in headers.values("Origin") {
            let origin = WebOrigin(text)
            if let origin, declares(origin) {
                isDeclared = true
            } else if origin == nil || !hosts.contains(where: { origin!.isAt($0) }) {
                return HTTPProblem(403, "\(lends) so that pages of \(text) may not call it: \(declare).")
            }
        }
        // A browser says it of each request; others say nothing.
        let sites = headers.values("Sec-Fetch-Site")
        if isDeclared || sites.allSatisfy({ $0 == "same-origin" || $0 == "none" }) { return nil }
        return HTTPProblem(403, "\(lends) so that pages of other sites may not call it: \(declare).")
    }

    func declares(_ origin: WebOrigin) -> Bool { origins.contains(origin) }

    private var lends: String { "\(service) adds credentials," }
    private var declare: String { "declare the page's origin in its \"origins\" in the manifest" }

    /// Whether a `Host` can't be an outsider's name for this machine.
    private func isOurs(_ host: String) -> Bool {
        guard let name = WebOrigin.Authority(host)?.host else { return false }
        if SocketAddress(literal: name, port: 0) != nil { return true }
        return name == "localhost" || name.hasSuffix(".localhost") || name == service.lowercased()
            || name == hostLabel(service) || hosts.contains(name) || origins.contains { $0.authority.host == name }
    }

    /// A service's name as a label of host names.
    private func hostLabel(_ name: String) -> String {
        String(name.lowercased().map { $0 == "." || $0 == "_" ? "-" : $0 })
    }
}

/// The origin of a web page (RFC 6454 §6.1): `https://app.example:8443`.
struct WebOrigin: Hashable {
    /// Host and port, in lower case.
    struct Authority: Hashable {
        /// Without brackets and final dot.
        var host: String
        var port: Int?

        init?(_ text: String) {
            var name = Substring(text.lowercased())
            let digits: Substring?
            if name.first == "[" {
                guard let end = name.firstIndex(of: "]") else { return nil }
                let rest = name[name.index(after: end)...]
                guard rest.isEmpty || rest.first == ":" else { return nil }
                digits = rest.isEmpty ? nil : rest.dropFirst()
                name = name[name.index(after: name.startIndex)..<end]
                guard name.contains(":") else { return nil }
            } else {
                let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                name = parts[0]
                digits = parts.count > 1 ? parts[1] : nil
                if name.last == "." { name.removeLast() }
            }
            guard !name.isEmpty, !name.utf8.contains(where: { "/?#@\\ ".utf8.contains($0) }) else { return nil }
            if let digits {
                guard let number = UInt16(digits), digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
                port = Int(number)
            }
            host = String(name)
        }
    }

    var scheme: String
    /// Its port is the scheme's own where none was said.
    var authority: Authority

    /// Nil for `null` and what else is no origin.
    init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { return nil }
        scheme = text[..<colon].lowercased()
        guard !scheme.isEmpty, var authority = Authority(String(text[colon...].dropFirst(3))) else { return nil }
        authority.port = authority.port ?? WebOrigin.standardPort(scheme)
        self.authority = authority
    }

    /// The origin of the page at a URL, in words.
    static func ofPage(_ url: String) -> String {
        url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false).prefix(3).joined(separator: "/")
    }

    /// Whether it is where a request with this `Host` went to.
    func isAt(_ host: String) -> Bool { there(host) == authority }

    /// Whether it is at the same port as that, if perhaps under another name.
    func isAtPort(of host: String) -> Bool { there(host).map { $0.port == authority.port } ?? false }

    private func there(_ host: String) -> Authority? {
        guard scheme == "http" || scheme == "https", var there = Authority(host) else { return nil }
        there.port = there.port ?? WebOrigin.standardPort(scheme)
        return there
    }

    private static func standardPort(_ scheme: String) -> Int? {
        switch scheme {
        case "http", "ws": 80
        case "https", "wss": 443
        default: nil
        }
    }
}
