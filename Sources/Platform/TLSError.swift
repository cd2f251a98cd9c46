/// What can go wrong with TLS; `message` is the sentence for people.
public enum TLSError: Error, Sendable, Equatable {
    /// No OpenSSL on this machine, or one without a function that is needed.
    case libraryMissing(tried: [String])
    /// The file that should hold trusted certificates can't be used.
    case trustUnusable(path: String, reason: String)
    /// The file of our own certificate can't be used.
    case certificateUnusable(path: String, reason: String)
    case keyUnusable(path: String, reason: String)
    case keyEncrypted(path: String)
    /// The key belongs to another certificate.
    case keyDoesNotFit(key: String, certificate: String)
    /// OpenSSL does not make a certificate, for that name or of that authority.
    case cannotIssue(name: String, reason: String)
    /// The server's certificate was refused.
    case certificate(host: String, TLSCertificateFault)
    /// The server ended the connection with an alert (RFC 8446 §6.2).
    /// - Parameter showsCertificate: whether we have one to show.
    case alert(host: String, UInt8, reason: String, showsCertificate: Bool)
    /// The handshake failed for another reason.
    case handshake(host: String, reason: String)
    /// The connection broke after the handshake.
    case broken(host: String, reason: String)
}

/// Why a server's certificate, or that of one of its issuers, was refused.
public struct TLSCertificateFault: Sendable, Equatable {
    /// OpenSSL's `X509_V_ERR_…`, and its words for it.
    public var code: Int
    public var reason: String
    /// 0 for the server's own, 1 for its issuer's, and so on.
    public var depth: Int = 0
    /// The name that the certificate should be for.
    public var expectedName = ""
    /// Those that it is for, as `DNS:a.example, IP Address:10.0.0.1`.
    public var names = ""
    /// As `/O=Example/CN=Example CA`.
    public var issuer = ""
    public var validFrom = ""
    public var validUntil = ""
    /// The file of trusted certificates; nil: the system's.
    public var trustFile: String?
}

extension TLSError {
    /// Says what failed, why, and what to do next.
    public var message: String {
        switch self {
        case .libraryMissing(let tried):
            return "TLS needs the system's OpenSSL, and none of \(tried.joined(separator: ", ")) could be loaded: "
                + "install it (Debian and Ubuntu: apt install libssl3; Fedora: dnf install openssl-libs; "
                + "Alpine: apk add libssl3; macOS: brew install openssl@3)."
        case .trustUnusable(let path, let reason), .certificateUnusable(let path, let reason):
            return "\(path) can't be used (\(reason)): the file must hold certificates in PEM form."
        case .keyUnusable(let path, let reason):
            return "\(path) can't be used (\(reason)): the file must hold a private key in PEM form."
        case .keyEncrypted(let path):
            return "The private key in \(path) is encrypted: write it without a passphrase, to a file of mode 600, "
                + "with: openssl pkey -in KEY -out FILE."
        case .keyDoesNotFit(let key, let certificate):
            return "The private key in \(key) is not that of the certificate in \(certificate): name the two that "
                + "were made together."
        case .cannotIssue(let name, let reason):
            return "OpenSSL makes no certificate for \(name) (\(reason)): try another version of it."
        case .certificate(let host, let fault): return fault.message(host: host)
        case .alert(let host, let alert, let reason, let showsCertificate):
            return TLSError.message(host: host, alert: alert, reason: reason, showsCertificate: showsCertificate)
        case .handshake(let host, let reason) where reason.contains("wrong version number"):
            return "\(host) does not speak TLS on that port: if it is plain HTTP, write http:// instead of https://."
        case .handshake(let host, let reason):
            return "The TLS handshake with \(host) failed: \(reason). "
                + "Check with: openssl s_client -connect \(host):PORT."
        case .broken(let host, let reason):
            return "The TLS connection to \(host) broke: \(reason)."
        }
    }

    private static func message(host: String, alert: UInt8, reason: String, showsCertificate: Bool) -> String {
        let certificate =
            "name one in \"tls\": {\"cert\": …, \"key\": …} of the remote, or another if that is not the right one"
        switch alert {
        case 40:
            return "\(host) refused the TLS handshake (\(reason)): it may want a client certificate; \(certificate)."
        case 42...46, 48, 49, 51:
            return showsCertificate
                ? "\(host) refused the client certificate (\(reason)): ask those who run it whom it accepts."
                : "\(host) refused the connection (\(reason)): it wants a client certificate; \(certificate)."
        case 70: return "\(host) speaks no TLS that is safe (\(reason)): it must speak at least 1.2."
        case 112:
            return
                "\(host) does not serve that name (\(reason)): set \"tls\": {\"serverName\": …} of the remote to one "
                + "that it serves."
        case 116: return "\(host) wants a client certificate: \(certificate)."
        case 120: return "\(host) does not speak the HTTP version that is needed (\(reason)): check the remote's URL."
        default:
            return "\(host) ended the TLS connection: \(reason). Check with: openssl s_client -connect \(host):PORT."
        }
    }
}

extension TLSCertificateFault {
    /// The codes are those of OpenSSL's `x509_vfy.h`; they have not changed since 1.0.
    func message(host: String) -> String {
        let whose = depth == 0 ? "The certificate of \(host)" : "The certificate of an issuer behind \(host)"
        switch code {
        case 9:
            return "\(whose) is not valid before \(validFrom): check this machine's clock."
        case 10:
            return "\(whose) expired on \(validUntil): have it renewed, or check this machine's clock."
        case 62, 64:
            return
                "The certificate of \(host) is for \(names.isEmpty ? "other names" : names), not for \(expectedName): "
                + "call the remote by a name that it is for, or set \"tls\": {\"serverName\": …} of the remote to it."
        case 18:
            return "The certificate of \(host) is self-signed: if you trust it, name its PEM file in "
                + "\"tls\": {\"ca\": …} of the remote."
        case 2, 19, 20, 21:
            let trusted = trustFile.map { "that is not in \($0)" } ?? "that this machine does not trust"
            return "The certificate of \(host) comes from an issuer \(trusted), \(issuer): name the issuer's PEM file "
                + "in \"tls\": {\"ca\": …} of the remote"
                + (trustFile == nil ? ", or add it to the system's certificates." : ".")
        default:
            return "\(whose) was refused: \(reason)."
        }
    }
}
