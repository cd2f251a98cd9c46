import Manifest
import Platform

extension TLSSettings {
    /// What a manifest's `tls` says.
    public init(_ tls: Remote.TLS) {
        self.init(
            trust: tls.ca.map { .file($0) } ?? .system, certificate: tls.certificate,
            key: tls.certificate == nil ? nil : tls.key, verifies: !tls.isInsecure)
    }
}

extension TLSFileFault {
    /// What is wrong with the files of a manifest's `tls`; nil where nothing is. OpenSSL reads them, as it will for the
    /// remote; where the machine has none, that is told when the remote is used.
    init?(in tls: Remote.TLS) {
        guard tls.ca != nil || tls.certificate != nil else { return nil }
        do throws(TLSError) {
            _ = try TLSClient(TLSSettings(tls))
            return nil
        } catch {
            switch error {
            case .trustUnusable(let path, let reason):
                self.init(key: "ca", noCertificate: path, reason)
            case .certificateUnusable(let path, let reason):
                self.init(key: "cert", noCertificate: path, reason)
            case .keyUnusable(let path, let reason):
                self.init(
                    key: "key", expected: "a PEM file with a private key", found: TLSFileFault.found(path, reason),
                    mend: "Name the key's file, or put the key into that of \"cert\"")
            case .keyEncrypted:
                self.init(
                    key: "key", expected: "a private key without a passphrase", found: "an encrypted one",
                    mend: "Write it anew with openssl pkey -in KEY -out FILE, to a file that only you can read")
            case .keyDoesNotFit:
                self.init(
                    key: "key", expected: "the private key of the certificate in \"cert\"", found: "another's",
                    mend: "Name the two that were made together")
            case .libraryMissing, .cannotIssue, .certificate, .alert, .handshake, .broken: return nil
            }
        }
    }

    private init(key: String, noCertificate path: String, _ reason: String) {
        self.init(
            key: key, expected: "a PEM file with certificates", found: TLSFileFault.found(path, reason),
            mend: "If it is DER, convert it with openssl x509 -inform der -in FILE -out FILE.pem")
    }

    private static func found(_ path: String, _ reason: String) -> String { "\"\(Path.name(path))\": \(reason)" }
}
