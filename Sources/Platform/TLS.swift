/// Whose certificates are believed.
public enum TLSTrust: Sendable, Hashable {
    /// The system's authorities, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`.
    case system
    /// Only what is in this PEM file: authorities, or servers' own certificates.
    case file(String)
}

/// What the connections to some servers have in common. All files are PEM.
public struct TLSSettings: Sendable, Hashable {
    public var trust: TLSTrust
    /// What we show to servers that ask: our certificate, and behind it those of its issuers.
    public var certificate: String?
    /// The certificate's private key; nil: it is in the certificate's file.
    public var key: String?
    /// Whether servers must prove who they are.
    public var verifies: Bool

    public init(
        trust: TLSTrust = .system, certificate: String? = nil, key: String? = nil, verifies: Bool = true
    ) {
        self.trust = trust
        self.certificate = certificate
        self.key = key
        self.verifies = verifies
    }

    /// Every file that is read.
    public var files: [String] {
        var files = [certificate, key].compactMap(\.self)
        if case .file(let path) = trust { files.append(path) }
        return files
    }
}

/// What the client side of many TLS connections shares: the library, the certificates, and what servers gave to
/// shorten the next handshake.
///
/// The first one made in a process loads the system's OpenSSL; nothing is loaded before that.
/// TLS 1.2 is the least that is spoken. Belongs to the thread that made it.
public final class TLSClient {
    let library: TLSLibrary
    let context: OpaquePointer
    let settings: TLSSettings
    /// The latest session of each kind of connection (RFC 8446 §2.2, RFC 5077), each with a reference of ours.
    private var sessions: [String: OpaquePointer] = [:]

    /// Loads OpenSSL if need be, and reads the files.
    public init(_ settings: TLSSettings = TLSSettings()) throws(TLSError) {
        library = try TLSLibrary.shared.get()
        library.clearErrors()
        guard let context = library.contextNew(library.clientMethod()) else {
            throw .handshake(host: "any server", reason: library.firstError()?.text ?? "OpenSSL gave no context")
        }
        self.context = context
        self.settings = settings
        _ = library.contextControl(context, TLSLibrary.setMinimumVersion, TLSLibrary.version12, nil)
        _ = library.contextControl(context, TLSLibrary.setMode, TLSLibrary.mode, nil)
        _ = library.contextControl(context, TLSLibrary.setSessionCache, TLSLibrary.clientSessionsByCallback, nil)
        library.contextNewSession(context, TLSSession.keepSession)
        // From here on a throw runs `deinit`, which frees the context.
        try loadTrust()
        try loadCertificate()
    }

    deinit {
        for session in sessions.values { library.ticketFree(session) }
        library.contextFree(context)
    }

    private func loadTrust() throws(TLSError) {
        guard settings.verifies else { return library.contextVerify(context, TLSLibrary.verifyNone, nil) }
        library.contextVerify(context, TLSLibrary.verifyPeer, TLSSession.noteFault)
        switch settings.trust {
        case .system:
            guard library.contextDefaultPaths(context) == 1 else {
                throw .trustUnusable(path: "the system's certificate store", reason: reason())
            }
        case .file(let path):
            guard library.contextLoadTrust(context, path, nil) == 1 else {
                throw .trustUnusable(path: path, reason: reason())
            }
        }
    }

    private func loadCertificate() throws(TLSError) {
        guard let certificate = settings.certificate else { return }
        guard library.contextUseChain(context, certificate) == 1 else {
            throw .certificateUnusable(path: certificate, reason: reason())
        }
        let key = settings.key ?? certificate
        // Without a callback OpenSSL would ask on the terminal.
        var isEncrypted = false
        let isRead = withUnsafeMutablePointer(to: &isEncrypted) { flag in
            library.contextPassword(context) { _, _, _, flag in
                flag?.assumingMemoryBound(to: Bool.self).pointee = true
                return -1
            }
            library.contextPasswordData(context, flag)
            defer { library.contextPasswordData(context, nil) }
            return library.contextUseKey(context, key, TLSLibrary.formatPEM) == 1
        }
        if isEncrypted { throw .keyEncrypted(path: key) }
        guard isRead else {
            let reason = reason()
            if reason.contains("mismatch") { throw .keyDoesNotFit(key: key, certificate: certificate) }
            throw .keyUnusable(path: key, reason: reason)
        }
        guard library.contextCheckKey(context) == 1 else {
            throw .keyDoesNotFit(key: key, certificate: certificate)
        }
        // Servers may ask only once they know what is requested (RFC 8446 §4.6.2).
        library.contextPostHandshake(context, 1)
    }

    private func reason() -> String { library.firstError()?.text ?? "OpenSSL does not say why" }

    // MARK: Sessions

    /// Keeps a session, and the reference to it that was given.
    func keep(_ session: OpaquePointer, as name: String) {
        if let old = sessions.updateValue(session, forKey: name) { library.ticketFree(old) }
    }

    func session(_ name: String) -> OpaquePointer? { sessions[name] }

    func forgetSession(_ name: String) {
        if let old = sessions.removeValue(forKey: name) { library.ticketFree(old) }
    }
}
