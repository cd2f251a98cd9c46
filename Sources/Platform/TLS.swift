/// What can go wrong with TLS; `message` is the sentence for people.
public enum TLSError: Error, Sendable, Equatable {
    /// No OpenSSL on this machine, or one without a function that is needed.
    case libraryMissing(tried: [String])
    /// The file that should hold trusted certificates can't be used.
    case trustUnusable(path: String)
    /// The server's certificate was refused; `code` is OpenSSL's `X509_V_ERR_…`.
    case certificate(host: String, code: Int, reason: String)
    /// The handshake failed for another reason.
    case handshake(host: String, reason: String)
    /// The connection broke after the handshake.
    case broken(host: String, reason: String)
}

extension TLSError {
    /// Says what failed, why, and what to do next.
    public var message: String {
        switch self {
        case .libraryMissing(let tried):
            return "TLS needs the system's OpenSSL, and none of \(tried.joined(separator: ", ")) could be loaded: "
                + "install it (Debian and Ubuntu: apt install libssl3; Fedora: dnf install openssl-libs; "
                + "Alpine: apk add libssl3; macOS: brew install openssl@3)."
        case .trustUnusable(let path):
            return "The trusted certificates in \(path) can't be read: the file must hold certificates in PEM form."
        case .certificate(let host, let code, let reason):
            return TLSError.certificateMessage(host: host, code: code, reason: reason)
        case .handshake(let host, let reason) where reason.contains("wrong version number"):
            return "\(host) does not speak TLS on that port: if it is plain HTTP, write http:// instead of https://."
        case .handshake(let host, let reason):
            return "The TLS handshake with \(host) failed: \(reason). "
                + "Check with: openssl s_client -connect \(host):PORT."
        case .broken(let host, let reason):
            return "The TLS connection to \(host) broke: \(reason)."
        }
    }

    /// The codes are those of OpenSSL's `x509_vfy.h`; they have not changed since 1.0.
    private static func certificateMessage(host: String, code: Int, reason: String) -> String {
        switch code {
        case 9:
            return "The certificate of \(host) is not valid yet: check this machine's clock."
        case 10:
            return "The certificate of \(host) has expired: have it renewed, or check this machine's clock."
        case 62, 64:
            return "The certificate of \(host) was issued for another name: use the name it was issued for."
        case 18, 19, 20, 21:
            return "The certificate of \(host) comes from an issuer that this machine does not trust (\(reason)): "
                + "add the issuer to the system's certificates, or name its PEM file in SSL_CERT_FILE."
        default:
            return "The certificate of \(host) was refused: \(reason)."
        }
    }
}

/// Whose certificates are believed.
public enum TLSTrust: Sendable, Equatable {
    /// The system's authorities, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`.
    case system
    /// Only the authorities in this PEM file.
    case file(String)
}

/// What the client side of many TLS connections shares: the library, the trusted certificates, the protocols offered.
///
/// The first one made in a process loads the system's OpenSSL; nothing is loaded before that.
/// Servers are verified, and TLS 1.2 is the least that is spoken. Belongs to the thread that made it.
public final class TLSClient {
    let library: TLSLibrary
    let context: OpaquePointer

    /// Loads OpenSSL if need be and reads the trusted certificates.
    /// - Parameter protocols: what ALPN offers (RFC 7301), the most wanted first.
    public init(trust: TLSTrust = .system, protocols: [String] = ["http/1.1"]) throws(TLSError) {
        library = try TLSLibrary.shared.get()
        library.clearErrors()
        guard let context = library.contextNew(library.clientMethod()) else {
            throw .handshake(host: "any server", reason: library.firstError() ?? "OpenSSL gave no context")
        }
        self.context = context
        let trusted =
            switch trust {
            case .system: library.contextDefaultPaths(context)
            case .file(let path): library.contextLoadTrust(context, path, nil)
            }
        guard trusted == 1 else {
            // `deinit` runs also now, and frees the context.
            if case .file(let path) = trust { throw .trustUnusable(path: path) }
            throw .trustUnusable(path: "the system's certificate store")
        }
        _ = library.contextControl(context, TLSLibrary.setMinimumVersion, TLSLibrary.version12, nil)
        _ = library.contextControl(context, TLSLibrary.setMode, TLSLibrary.mode, nil)
        library.contextVerify(context, TLSLibrary.verifyPeer, nil)
        let wire = protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        if !wire.isEmpty { _ = library.contextProtocols(context, wire, UInt32(wire.count)) }
    }

    deinit {
        library.contextFree(context)
    }
}
