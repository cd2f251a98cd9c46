#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The functions of the system's OpenSSL that are used, found by name at run time, so that the program
/// needs neither its headers nor its presence until a TLS connection is made.
///
/// `@unchecked Sendable`: every stored property is an immutable pointer to code, and OpenSSL's functions
/// may be called from any thread on objects that belong to that thread.
final class TLSLibrary: @unchecked Sendable {
    typealias Pointer = OpaquePointer
    typealias PasswordCallback =
        @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32
    typealias SessionCallback = @convention(c) (Pointer?, Pointer?) -> Int32
    typealias VerifyCallback = @convention(c) (Int32, Pointer?) -> Int32

    private let handle: UnsafeMutableRawPointer
    private let names: [String]

    let clientMethod: @convention(c) () -> Pointer?
    let contextNew: @convention(c) (Pointer?) -> Pointer?
    let contextFree: @convention(c) (Pointer?) -> Void
    let contextControl: @convention(c) (Pointer?, Int32, Int, UnsafeMutableRawPointer?) -> Int
    let contextDefaultPaths: @convention(c) (Pointer?) -> Int32
    let contextLoadTrust: @convention(c) (Pointer?, UnsafePointer<CChar>?, UnsafePointer<CChar>?) -> Int32
    let contextVerify: @convention(c) (Pointer?, Int32, VerifyCallback?) -> Void
    let contextUseChain: @convention(c) (Pointer?, UnsafePointer<CChar>?) -> Int32
    let contextUseKey: @convention(c) (Pointer?, UnsafePointer<CChar>?, Int32) -> Int32
    let contextCheckKey: @convention(c) (Pointer?) -> Int32
    let contextPassword: @convention(c) (Pointer?, PasswordCallback?) -> Void
    let contextPasswordData: @convention(c) (Pointer?, UnsafeMutableRawPointer?) -> Void
    let contextPostHandshake: @convention(c) (Pointer?, Int32) -> Void
    let contextNewSession: @convention(c) (Pointer?, SessionCallback?) -> Void

    let sessionNew: @convention(c) (Pointer?) -> Pointer?
    let sessionFree: @convention(c) (Pointer?) -> Void
    let sessionControl: @convention(c) (Pointer?, Int32, Int, UnsafeMutableRawPointer?) -> Int
    let sessionHost: @convention(c) (Pointer?, UnsafePointer<CChar>?) -> Int32
    let sessionProtocols: @convention(c) (Pointer?, UnsafePointer<UInt8>?, UInt32) -> Int32
    let sessionSetData: @convention(c) (Pointer?, Int32, UnsafeMutableRawPointer?) -> Int32
    let sessionData: @convention(c) (Pointer?, Int32) -> UnsafeMutableRawPointer?
    let sessionResume: @convention(c) (Pointer?, Pointer?) -> Int32
    let sessionWasResumed: @convention(c) (Pointer?) -> Int32
    let sessionMarkShutdown: @convention(c) (Pointer?, Int32) -> Void
    let ticketFree: @convention(c) (Pointer?) -> Void
    let sessionParameters: @convention(c) (Pointer?) -> Pointer?
    let sessionBuffers: @convention(c) (Pointer?, Pointer?, Pointer?) -> Void
    let sessionConnect: @convention(c) (Pointer?) -> Void
    let sessionHandshake: @convention(c) (Pointer?) -> Int32
    let sessionRead: @convention(c) (Pointer?, UnsafeMutableRawPointer?, Int32) -> Int32
    let sessionWrite: @convention(c) (Pointer?, UnsafeRawPointer?, Int32) -> Int32
    let sessionShutdown: @convention(c) (Pointer?) -> Int32
    let sessionError: @convention(c) (Pointer?, Int32) -> Int32
    let sessionProtocol:
        @convention(c) (Pointer?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?, UnsafeMutablePointer<UInt32>?) -> Void

    let parametersAddress: @convention(c) (Pointer?, UnsafePointer<CChar>?) -> Int32
    let parametersFlags: @convention(c) (Pointer?, UInt) -> Int32
    let verifyText: @convention(c) (Int) -> UnsafePointer<CChar>?
    let verifySession: @convention(c) () -> Int32
    let verifyData: @convention(c) (Pointer?, Int32) -> Pointer?
    let verifyError: @convention(c) (Pointer?) -> Int32
    let verifyDepth: @convention(c) (Pointer?) -> Int32
    let verifyCertificate: @convention(c) (Pointer?) -> Pointer?
    let certificateIssuer: @convention(c) (Pointer?) -> Pointer?
    let certificateStart: @convention(c) (Pointer?) -> Pointer?
    let certificateEnd: @convention(c) (Pointer?) -> Pointer?
    let certificateFind: @convention(c) (Pointer?, Int32, Int32) -> Int32
    let certificateExtension: @convention(c) (Pointer?, Int32) -> Pointer?
    let nameText: @convention(c) (Pointer?, UnsafeMutablePointer<CChar>?, Int32) -> UnsafeMutablePointer<CChar>?
    let printExtension: @convention(c) (Pointer?, Pointer?, UInt, Int32) -> Int32
    let printTime: @convention(c) (Pointer?, Pointer?) -> Int32

    let bufferKind: @convention(c) () -> Pointer?
    let bufferNew: @convention(c) (Pointer?) -> Pointer?
    let bufferFree: @convention(c) (Pointer?) -> Int32
    let bufferWrite: @convention(c) (Pointer?, UnsafeRawPointer?, Int32) -> Int32
    let bufferRead: @convention(c) (Pointer?, UnsafeMutableRawPointer?, Int32) -> Int32
    let bufferControl: @convention(c) (Pointer?, Int32, Int, UnsafeMutableRawPointer?) -> Int

    let clearErrors: @convention(c) () -> Void
    let nextError: @convention(c) () -> UInt
    let errorText: @convention(c) (UInt) -> UnsafePointer<CChar>?

    /// Loaded at the first use, once for the process; a failure stays too.
    static let shared = Result { () throws(TLSError) in try TLSLibrary(names: TLSLibrary.names) }

    #if os(macOS)
        // Full names: the unversioned ones in /usr/lib end the program that loads them.
        static let names = [
            "/opt/homebrew/opt/openssl@3/lib/libssl.3.dylib", "/usr/local/opt/openssl@3/lib/libssl.3.dylib",
            "/opt/local/lib/libssl.3.dylib",
        ]
    #else
        static let names = ["libssl.so.3", "libssl.so.1.1", "libssl.so"]
    #endif

    init(names: [String]) throws(TLSError) {
        // The library is never unloaded: its exit handlers and ours would race.
        guard let handle = names.lazy.compactMap({ dlopen($0, RTLD_NOW | RTLD_LOCAL) }).first else {
            throw .libraryMissing(tried: names)
        }
        func find<Function>(_ name: String) throws(TLSError) -> Function {
            try Self.find(name, in: handle, names)
        }
        self.handle = handle
        self.names = names
        clientMethod = try find("TLS_client_method")
        contextNew = try find("SSL_CTX_new")
        contextFree = try find("SSL_CTX_free")
        contextControl = try find("SSL_CTX_ctrl")
        contextDefaultPaths = try find("SSL_CTX_set_default_verify_paths")
        contextLoadTrust = try find("SSL_CTX_load_verify_locations")
        contextVerify = try find("SSL_CTX_set_verify")
        contextUseChain = try find("SSL_CTX_use_certificate_chain_file")
        contextUseKey = try find("SSL_CTX_use_PrivateKey_file")
        contextCheckKey = try find("SSL_CTX_check_private_key")
        contextPassword = try find("SSL_CTX_set_default_passwd_cb")
        contextPasswordData = try find("SSL_CTX_set_default_passwd_cb_userdata")
        contextPostHandshake = try find("SSL_CTX_set_post_handshake_auth")
        contextNewSession = try find("SSL_CTX_sess_set_new_cb")
        sessionNew = try find("SSL_new")
        sessionFree = try find("SSL_free")
        sessionControl = try find("SSL_ctrl")
        sessionHost = try find("SSL_set1_host")
        sessionProtocols = try find("SSL_set_alpn_protos")
        sessionSetData = try find("SSL_set_ex_data")
        sessionData = try find("SSL_get_ex_data")
        sessionResume = try find("SSL_set_session")
        sessionWasResumed = try find("SSL_session_reused")
        sessionMarkShutdown = try find("SSL_set_shutdown")
        ticketFree = try find("SSL_SESSION_free")
        sessionParameters = try find("SSL_get0_param")
        sessionBuffers = try find("SSL_set_bio")
        sessionConnect = try find("SSL_set_connect_state")
        sessionHandshake = try find("SSL_do_handshake")
        sessionRead = try find("SSL_read")
        sessionWrite = try find("SSL_write")
        sessionShutdown = try find("SSL_shutdown")
        sessionError = try find("SSL_get_error")
        sessionProtocol = try find("SSL_get0_alpn_selected")
        parametersAddress = try find("X509_VERIFY_PARAM_set1_ip_asc")
        parametersFlags = try find("X509_VERIFY_PARAM_set_flags")
        verifyText = try find("X509_verify_cert_error_string")
        verifySession = try find("SSL_get_ex_data_X509_STORE_CTX_idx")
        verifyData = try find("X509_STORE_CTX_get_ex_data")
        verifyError = try find("X509_STORE_CTX_get_error")
        verifyDepth = try find("X509_STORE_CTX_get_error_depth")
        verifyCertificate = try find("X509_STORE_CTX_get_current_cert")
        certificateIssuer = try find("X509_get_issuer_name")
        certificateStart = try find("X509_get0_notBefore")
        certificateEnd = try find("X509_get0_notAfter")
        certificateFind = try find("X509_get_ext_by_NID")
        certificateExtension = try find("X509_get_ext")
        nameText = try find("X509_NAME_oneline")
        printExtension = try find("X509V3_EXT_print")
        printTime = try find("ASN1_TIME_print")
        bufferKind = try find("BIO_s_mem")
        bufferNew = try find("BIO_new")
        bufferFree = try find("BIO_free")
        bufferWrite = try find("BIO_write")
        bufferRead = try find("BIO_read")
        bufferControl = try find("BIO_ctrl")
        clearErrors = try find("ERR_clear_error")
        nextError = try find("ERR_get_error")
        errorText = try find("ERR_reason_error_string")
    }

    /// A symbol of libssl or of the libcrypto that it brought along.
    func find<Function>(_ name: String) throws(TLSError) -> Function { try Self.find(name, in: handle, names) }

    private static func find<Function>(
        _ name: String, in handle: UnsafeMutableRawPointer, _ names: [String]
    ) throws(TLSError) -> Function {
        guard let symbol = dlsym(handle, name) else { throw .libraryMissing(tried: names + [name]) }
        return unsafeBitCast(symbol, to: Function.self)
    }

    /// An error in words; `alert` is the peer's, where it was one.
    struct Failure {
        var text: String
        var alert: UInt8?
    }

    /// The oldest error of this thread, which is the cause of the others.
    func firstError() -> Failure? {
        let code = nextError()
        clearErrors()
        guard code != 0 else { return nil }
        // With the highest bit of 32 it is the system's (`err.h`, ERR_SYSTEM_FLAG).
        if code & 0x8000_0000 != 0 { return Failure(text: Errno(Int32(code & 0x7fff_ffff)).description) }
        // Reasons from 1000 on are alerts that came from the peer (`ssl.h`, SSL_AD_REASON_OFFSET).
        return Failure(
            text: errorText(code).map { String(cString: $0) } ?? "OpenSSL error \(code)",
            alert: UInt8(exactly: Int(code & 0xfff) - 1000))
    }
}

/// Values of OpenSSL's macros (`ssl.h`, `bio.h`, `tls1.h`).
extension TLSLibrary {
    static let setMinimumVersion: Int32 = 123  // SSL_CTRL_SET_MIN_PROTO_VERSION
    static let version12 = 0x0303  // TLS1_2_VERSION
    static let setMode: Int32 = 33  // SSL_CTRL_MODE
    static let mode = 0x1 | 0x2 | 0x10  // ENABLE_PARTIAL_WRITE, ACCEPT_MOVING_WRITE_BUFFER, RELEASE_BUFFERS
    static let setSessionCache: Int32 = 44  // SSL_CTRL_SET_SESS_CACHE_MODE
    static let clientSessionsByCallback = 0x1 | 0x300  // SSL_SESS_CACHE_CLIENT, SSL_SESS_CACHE_NO_INTERNAL
    static let formatPEM: Int32 = 1  // SSL_FILETYPE_PEM
    static let verifyNone: Int32 = 0  // SSL_VERIFY_NONE
    static let verifyPeer: Int32 = 1  // SSL_VERIFY_PEER
    static let partialChain: UInt = 0x80000  // X509_V_FLAG_PARTIAL_CHAIN
    static let alternativeNames: Int32 = 85  // NID_subject_alt_name
    static let shutBoth: Int32 = 1 | 2  // SSL_SENT_SHUTDOWN, SSL_RECEIVED_SHUTDOWN
    static let appData: Int32 = 0  // SSL_set_app_data's index
    static let setServerName: Int32 = 55  // SSL_CTRL_SET_TLSEXT_HOSTNAME
    static let pending: Int32 = 10  // BIO_CTRL_PENDING
    static let wantRead: Int32 = 2  // SSL_ERROR_WANT_READ
    static let wantWrite: Int32 = 3  // SSL_ERROR_WANT_WRITE
    static let zeroReturn: Int32 = 6  // SSL_ERROR_ZERO_RETURN
}
