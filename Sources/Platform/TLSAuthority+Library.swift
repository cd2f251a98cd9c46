/// The functions of the system's OpenSSL that make keys and certificates, found when an authority is first needed.
///
/// `@unchecked Sendable`: as `TLSLibrary`.
final class CertificateLibrary: @unchecked Sendable {
    typealias Pointer = OpaquePointer
    typealias CertificateCallback = @convention(c) (Pointer?, UnsafeMutableRawPointer?) -> Int32
    typealias PasswordCallback = TLSLibrary.PasswordCallback

    let tls: TLSLibrary

    let keyPlanNew: @convention(c) (Int32, Pointer?) -> Pointer?
    let keyPlanFree: @convention(c) (Pointer?) -> Void
    let keyPlanBegin: @convention(c) (Pointer?) -> Int32
    let keyPlanSet: @convention(c) (Pointer?, UnsafePointer<CChar>?, UnsafePointer<CChar>?) -> Int32
    let keyMake: @convention(c) (Pointer?, UnsafeMutablePointer<Pointer?>?) -> Int32
    let keyFree: @convention(c) (Pointer?) -> Void

    let certificateNew: @convention(c) () -> Pointer?
    let certificateFree: @convention(c) (Pointer?) -> Void
    let setVersion: @convention(c) (Pointer?, Int) -> Int32
    let serial: @convention(c) (Pointer?) -> Pointer?
    let setInteger: @convention(c) (Pointer?, UInt64) -> Int32
    let start: @convention(c) (Pointer?) -> Pointer?
    let end: @convention(c) (Pointer?) -> Pointer?
    let setTime: @convention(c) (Pointer?, Int) -> Pointer?
    let subject: @convention(c) (Pointer?) -> Pointer?
    let setIssuer: @convention(c) (Pointer?, Pointer?) -> Int32
    let nameAdd:
        @convention(c) (Pointer?, UnsafePointer<CChar>?, Int32, UnsafePointer<UInt8>?, Int32, Int32, Int32) -> Int32
    let setKey: @convention(c) (Pointer?, Pointer?) -> Int32
    let checkKey: @convention(c) (Pointer?, Pointer?) -> Int32
    let sign: @convention(c) (Pointer?, Pointer?, Pointer?) -> Int32
    let sha256: @convention(c) () -> Pointer?

    let setUpExtensions:
        @convention(c) (UnsafeMutableRawPointer?, Pointer?, Pointer?, Pointer?, Pointer?, Int32) -> Void
    let extensionMake: @convention(c) (Pointer?, UnsafeMutableRawPointer?, Int32, UnsafePointer<CChar>?) -> Pointer?
    let extensionAdd: @convention(c) (Pointer?, Pointer?, Int32) -> Int32
    let extensionFree: @convention(c) (Pointer?) -> Void

    let writeCertificate: @convention(c) (Pointer?, Pointer?) -> Int32
    let writeKey:
        @convention(c) (
            Pointer?, Pointer?, Pointer?, UnsafePointer<UInt8>?, Int32, PasswordCallback?, UnsafeMutableRawPointer?
        ) -> Int32
    let readCertificate:
        @convention(c) (Pointer?, UnsafeMutablePointer<Pointer?>?, PasswordCallback?, UnsafeMutableRawPointer?) ->
            Pointer?
    let readKey:
        @convention(c) (Pointer?, UnsafeMutablePointer<Pointer?>?, PasswordCallback?, UnsafeMutableRawPointer?) ->
            Pointer?

    let serverMethod: @convention(c) () -> Pointer?
    let contextCertificateCallback: @convention(c) (Pointer?, CertificateCallback?, UnsafeMutableRawPointer?) -> Void
    let sessionServerName: @convention(c) (Pointer?, Int32) -> UnsafePointer<CChar>?
    let sessionUseCertificate: @convention(c) (Pointer?, Pointer?) -> Int32
    let sessionUseKey: @convention(c) (Pointer?, Pointer?) -> Int32
    let sessionAccept: @convention(c) (Pointer?) -> Void

    static let shared = Result { () throws(TLSError) in try CertificateLibrary(TLSLibrary.shared.get()) }

    init(_ tls: TLSLibrary) throws(TLSError) {
        self.tls = tls
        keyPlanNew = try tls.find("EVP_PKEY_CTX_new_id")
        keyPlanFree = try tls.find("EVP_PKEY_CTX_free")
        keyPlanBegin = try tls.find("EVP_PKEY_keygen_init")
        keyPlanSet = try tls.find("EVP_PKEY_CTX_ctrl_str")
        keyMake = try tls.find("EVP_PKEY_keygen")
        keyFree = try tls.find("EVP_PKEY_free")
        certificateNew = try tls.find("X509_new")
        certificateFree = try tls.find("X509_free")
        setVersion = try tls.find("X509_set_version")
        serial = try tls.find("X509_get_serialNumber")
        setInteger = try tls.find("ASN1_INTEGER_set_uint64")
        start = try tls.find("X509_getm_notBefore")
        end = try tls.find("X509_getm_notAfter")
        setTime = try tls.find("X509_gmtime_adj")
        subject = try tls.find("X509_get_subject_name")
        setIssuer = try tls.find("X509_set_issuer_name")
        nameAdd = try tls.find("X509_NAME_add_entry_by_txt")
        setKey = try tls.find("X509_set_pubkey")
        checkKey = try tls.find("X509_check_private_key")
        sign = try tls.find("X509_sign")
        sha256 = try tls.find("EVP_sha256")
        setUpExtensions = try tls.find("X509V3_set_ctx")
        extensionMake = try tls.find("X509V3_EXT_conf_nid")
        extensionAdd = try tls.find("X509_add_ext")
        extensionFree = try tls.find("X509_EXTENSION_free")
        writeCertificate = try tls.find("PEM_write_bio_X509")
        writeKey = try tls.find("PEM_write_bio_PrivateKey")
        readCertificate = try tls.find("PEM_read_bio_X509")
        readKey = try tls.find("PEM_read_bio_PrivateKey")
        serverMethod = try tls.find("TLS_server_method")
        contextCertificateCallback = try tls.find("SSL_CTX_set_cert_cb")
        sessionServerName = try tls.find("SSL_get_servername")
        sessionUseCertificate = try tls.find("SSL_use_certificate")
        sessionUseKey = try tls.find("SSL_use_PrivateKey")
        sessionAccept = try tls.find("SSL_set_accept_state")
    }
}

/// Values of OpenSSL's macros (`obj_mac.h`, `asn1.h`, `x509.h`).
extension CertificateLibrary {
    static let ellipticCurve: Int32 = 408  // EVP_PKEY_EC
    static let version3 = 2  // X509_VERSION_3
    static let utf8: Int32 = 0x1000  // MBSTRING_UTF8
    static let hostName: Int32 = 0  // TLSEXT_NAMETYPE_host_name
    static let subjectKeyID: Int32 = 82  // NID_subject_key_identifier
    static let keyUsage: Int32 = 83  // NID_key_usage
    static let alternativeNames: Int32 = 85  // NID_subject_alt_name
    static let basicConstraints: Int32 = 87  // NID_basic_constraints
    static let authorityKeyID: Int32 = 90  // NID_authority_key_identifier
    static let extendedKeyUsage: Int32 = 126  // NID_ext_key_usage
    static let nameConstraints: Int32 = 666  // NID_name_constraints
}
