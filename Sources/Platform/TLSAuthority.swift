/// A certificate authority of the user's own, for names of this machine.
///
/// Whoever trusts it trusts it for little: its certificate names what it may issue for (RFC 5280 §4.2.1.10).
/// Belongs to the thread that made it.
public final class TLSAuthority {
    /// Where it is kept, both in PEM.
    public struct Files: Sendable, Hashable {
        public var certificate: String
        public var key: String

        public init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// The top names under which it may issue, and itself for `localhost`; the others are nobody's on the internet
    /// (RFC 2606, RFC 6762, and `internal`, which ICANN has reserved).
    public static let realm = ["localhost", "test", "example", "internal", "local"]

    let library: CertificateLibrary
    private let certificate: OpaquePointer
    private let key: OpaquePointer
    /// That of all certificates which it issues.
    let leafKey: OpaquePointer

    /// Reads it from its PEM files' contents.
    public init(certificate: [UInt8], key: [UInt8], files: Files) throws(TLSError) {
        let library = try CertificateLibrary.shared.get()
        library.tls.clearErrors()
        guard let certificate = library.reading(certificate, { library.readCertificate($0, nil, nil, nil) }) else {
            throw .certificateUnusable(path: files.certificate, reason: library.reason)
        }
        // Without a callback OpenSSL would ask on the terminal.
        guard let key = library.reading(key, { library.readKey($0, nil, { _, _, _, _ in -1 }, nil) }) else {
            library.certificateFree(certificate)
            throw .keyUnusable(path: files.key, reason: library.reason)
        }
        guard library.checkKey(certificate, key) == 1, let leafKey = library.newKey() else {
            library.certificateFree(certificate)
            library.keyFree(key)
            throw .keyDoesNotFit(key: files.key, certificate: files.certificate)
        }
        self.library = library
        self.certificate = certificate
        self.key = key
        self.leafKey = leafKey
    }

    deinit {
        library.certificateFree(certificate)
        library.keyFree(key)
        library.keyFree(leafKey)
    }

    /// Makes a new one, valid for ten years: certificate and private key in PEM.
    public static func make(named name: String) throws(TLSError) -> (certificate: [UInt8], key: [UInt8]) {
        let library = try CertificateLibrary.shared.get()
        library.tls.clearErrors()
        let names = realm.map { "permitted;DNS:\($0)" }.joined(separator: ",")
        let addresses =
            "permitted;IP:127.0.0.0/255.0.0.0,permitted;IP:0:0:0:0:0:0:0:1/FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF"
        guard let key = library.newKey() else { throw .cannotIssue(name: name, reason: library.reason) }
        defer { library.keyFree(key) }
        let certificate = library.issue(
            name, days: 3652, to: key, by: nil, key,
            [
                (CertificateLibrary.basicConstraints, "critical,CA:TRUE,pathlen:0"),
                (CertificateLibrary.keyUsage, "critical,keyCertSign,cRLSign"),
                (CertificateLibrary.subjectKeyID, "hash"),
                (CertificateLibrary.nameConstraints, "critical,\(names),\(addresses)"),
            ])
        guard let certificate else { throw .cannotIssue(name: name, reason: library.reason) }
        defer { library.certificateFree(certificate) }
        let texts = (
            library.writing { library.writeCertificate($0, certificate) },
            library.writing { library.writeKey($0, key, nil, nil, 0, nil, nil) }
        )
        guard let text = texts.0, let keyText = texts.1 else {
            throw .cannotIssue(name: name, reason: library.reason)
        }
        return (text, keyText)
    }

    /// Issues a certificate for a host name, valid from yesterday for a year, which the caller frees; nil where that
    /// can't be. That of `localhost` is for this machine's addresses, too.
    func issue(for host: String) -> OpaquePointer? {
        // What goes into OpenSSL's own little language must be nothing but a name.
        let isName = host.utf8.allSatisfy {
            0x61...0x7A ~= $0 || 0x30...0x39 ~= $0 || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
                || $0 == UInt8(ascii: "_")
        }
        guard isName, !host.isEmpty else { return nil }
        library.tls.clearErrors()
        let addresses = host == "localhost" ? ",IP:127.0.0.1,IP:0:0:0:0:0:0:0:1" : ""
        return library.issue(
            "devmesh: a service on this machine", days: 366, to: leafKey, by: certificate, key,
            [
                (CertificateLibrary.basicConstraints, "critical,CA:FALSE"),
                (CertificateLibrary.keyUsage, "critical,digitalSignature"),
                (CertificateLibrary.extendedKeyUsage, "serverAuth"),
                (CertificateLibrary.subjectKeyID, "hash"),
                (CertificateLibrary.authorityKeyID, "keyid:always"),
                (CertificateLibrary.alternativeNames, "DNS:\(host)\(addresses)"),
            ])
    }
}

extension CertificateLibrary {
    fileprivate var reason: String { tls.firstError()?.text ?? "OpenSSL does not say why" }

    /// A key of the curve P-256, which everybody takes.
    fileprivate func newKey() -> OpaquePointer? {
        guard let plan = keyPlanNew(Self.ellipticCurve, nil) else { return nil }
        defer { keyPlanFree(plan) }
        var key: OpaquePointer?
        guard keyPlanBegin(plan) == 1, keyPlanSet(plan, "ec_paramgen_curve", "P-256") == 1, keyMake(plan, &key) == 1
        else { return nil }
        return key
    }

    /// Makes and signs a certificate; nil where OpenSSL fails.
    /// - Parameter issuer: nil: it is its own.
    fileprivate func issue(
        _ name: String, days: Int, to key: OpaquePointer, by issuer: OpaquePointer?, _ issuerKey: OpaquePointer,
        _ extensions: [(id: Int32, value: String)]
    ) -> OpaquePointer? {
        guard let certificate = certificateNew() else { return nil }
        let issuer = issuer ?? certificate
        // Positive, and so random that no two are the same (RFC 5280 §4.1.2.2).
        let number = UInt64.random(in: 1...UInt64(Int64.max))
        let day = 86400
        let isMade =
            setVersion(certificate, Self.version3) == 1 && setInteger(serial(certificate), number) == 1
            && setTime(start(certificate), -day) != nil && setTime(end(certificate), days * day) != nil
            && nameAdd(subject(certificate), "CN", Self.utf8, Array(name.utf8), Int32(name.utf8.count), -1, 0) == 1
            && setIssuer(certificate, subject(issuer)) == 1 && setKey(certificate, key) == 1
            && extensions.allSatisfy { add($0.id, $0.value, to: certificate, by: issuer) }
            && sign(certificate, issuerKey, sha256()) > 0
        if isMade { return certificate }
        certificateFree(certificate)
        return nil
    }

    private func add(_ id: Int32, _ value: String, to certificate: OpaquePointer, by issuer: OpaquePointer) -> Bool {
        // An X509V3_CTX, which is smaller, and zero where it says nothing.
        withUnsafeTemporaryAllocation(byteCount: 256, alignment: 16) { context in
            context.initializeMemory(as: UInt8.self, repeating: 0)
            setUpExtensions(context.baseAddress, issuer, certificate, nil, nil, 0)
            guard let made = extensionMake(nil, context.baseAddress, id, value) else { return false }
            defer { extensionFree(made) }
            return extensionAdd(certificate, made, -1) == 1
        }
    }

    /// Hands bytes to a function of OpenSSL that reads.
    fileprivate func reading(_ bytes: [UInt8], _ read: (OpaquePointer) -> OpaquePointer?) -> OpaquePointer? {
        guard let buffer = tls.bufferNew(tls.bufferKind()) else { return nil }
        defer { _ = tls.bufferFree(buffer) }
        guard tls.bufferWrite(buffer, bytes, Int32(bytes.count)) == bytes.count else { return nil }
        return read(buffer)
    }

    /// What a function of OpenSSL writes.
    fileprivate func writing(_ write: (OpaquePointer) -> Int32) -> [UInt8]? {
        guard let buffer = tls.bufferNew(tls.bufferKind()) else { return nil }
        defer { _ = tls.bufferFree(buffer) }
        guard write(buffer) == 1 else { return nil }
        var bytes = [UInt8](repeating: 0, count: tls.bufferControl(buffer, TLSLibrary.pending, 0, nil))
        let count = bytes.withUnsafeMutableBytes { tls.bufferRead(buffer, $0.baseAddress, Int32($0.count)) }
        return count == bytes.count ? bytes : nil
    }
}
