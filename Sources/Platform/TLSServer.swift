/// What the server side of many TLS connections shares: each client gets a certificate for the name that it asks for
/// (SNI), made by an authority of the user's own at the first time.
///
/// TLS 1.2 is the least that is spoken. Belongs to the thread that made it.
public final class TLSServer {
    let library: CertificateLibrary
    let context: OpaquePointer
    private let authority: TLSAuthority
    private let serves: (String) -> Bool
    private var certificates: [String: OpaquePointer] = [:]

    /// More names than these are not remembered: clients choose them.
    private static let mostNames = 1000

    /// - Parameter serves: whether a host name, in lower case, may be had.
    public init(_ authority: TLSAuthority, serves: @escaping (String) -> Bool) throws(TLSError) {
        library = authority.library
        guard let context = library.tls.contextNew(library.serverMethod()) else {
            throw .handshake(host: "any client", reason: library.tls.firstError()?.text ?? "OpenSSL gave no context")
        }
        self.context = context
        self.authority = authority
        self.serves = serves
        _ = library.tls.contextControl(context, TLSLibrary.setMinimumVersion, TLSLibrary.version12, nil)
        _ = library.tls.contextControl(context, TLSLibrary.setMode, TLSLibrary.mode, nil)
        library.contextCertificateCallback(
            context,
            { session, server in
                // Alive, since its session is in a call of ours and holds it.
                server.map { Unmanaged<TLSServer>.fromOpaque($0).takeUnretainedValue().certify(session) } ?? 0
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit {
        library.tls.contextFree(context)
        forgetCertificates()
    }

    /// Gives a connection its certificate: 1, or 0 where there is none for the name, which ends the handshake.
    private func certify(_ session: OpaquePointer?) -> Int32 {
        let asked = library.sessionServerName(session, CertificateLibrary.hostName).map { String(cString: $0) }
        // Whoever calls by an address says no name.
        let name = (asked ?? "localhost").lowercased()
        guard serves(name), let certificate = certificate(for: name) else { return 0 }
        let isUsed =
            library.sessionUseCertificate(session, certificate) == 1
            && library.sessionUseKey(session, authority.leafKey) == 1
        return isUsed ? 1 : 0
    }

    private func certificate(for name: String) -> OpaquePointer? {
        if let known = certificates[name] { return known }
        if certificates.count == Self.mostNames { forgetCertificates() }
        guard let made = authority.issue(for: name) else { return nil }
        certificates[name] = made
        return made
    }

    private func forgetCertificates() {
        for certificate in certificates.values { library.certificateFree(certificate) }
        certificates = [:]
    }
}
