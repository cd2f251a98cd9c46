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

    let clientMethod: @convention(c) () -> Pointer?
    let contextNew: @convention(c) (Pointer?) -> Pointer?
    let contextFree: @convention(c) (Pointer?) -> Void
    let contextControl: @convention(c) (Pointer?, Int32, Int, UnsafeMutableRawPointer?) -> Int
    let contextDefaultPaths: @convention(c) (Pointer?) -> Int32
    let contextLoadTrust: @convention(c) (Pointer?, UnsafePointer<CChar>?, UnsafePointer<CChar>?) -> Int32
    let contextVerify: @convention(c) (Pointer?, Int32, UnsafeMutableRawPointer?) -> Void
    let contextProtocols: @convention(c) (Pointer?, UnsafePointer<UInt8>?, UInt32) -> Int32

    let sessionNew: @convention(c) (Pointer?) -> Pointer?
    let sessionFree: @convention(c) (Pointer?) -> Void
    let sessionControl: @convention(c) (Pointer?, Int32, Int, UnsafeMutableRawPointer?) -> Int
    let sessionHost: @convention(c) (Pointer?, UnsafePointer<CChar>?) -> Int32
    let sessionParameters: @convention(c) (Pointer?) -> Pointer?
    let sessionBuffers: @convention(c) (Pointer?, Pointer?, Pointer?) -> Void
    let sessionConnect: @convention(c) (Pointer?) -> Void
    let sessionHandshake: @convention(c) (Pointer?) -> Int32
    let sessionRead: @convention(c) (Pointer?, UnsafeMutableRawPointer?, Int32) -> Int32
    let sessionWrite: @convention(c) (Pointer?, UnsafeRawPointer?, Int32) -> Int32
    let sessionShutdown: @convention(c) (Pointer?) -> Int32
    let sessionError: @convention(c) (Pointer?, Int32) -> Int32
    let sessionVerifyResult: @convention(c) (Pointer?) -> Int
    let sessionProtocol:
        @convention(c) (Pointer?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?, UnsafeMutablePointer<UInt32>?) -> Void

    let parametersAddress: @convention(c) (Pointer?, UnsafePointer<CChar>?) -> Int32
    let verifyText: @convention(c) (Int) -> UnsafePointer<CChar>?

    let bufferKind: @convention(c) () -> Pointer?
    let bufferNew: @convention(c) (Pointer?) -> Pointer?
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
        /// A symbol of libssl or of the libcrypto that it brought along.
        func find<Function>(_ name: String) throws(TLSError) -> Function {
            guard let symbol = dlsym(handle, name) else { throw .libraryMissing(tried: names + [name]) }
            return unsafeBitCast(symbol, to: Function.self)
        }
        clientMethod = try find("TLS_client_method")
        contextNew = try find("SSL_CTX_new")
        contextFree = try find("SSL_CTX_free")
        contextControl = try find("SSL_CTX_ctrl")
        contextDefaultPaths = try find("SSL_CTX_set_default_verify_paths")
        contextLoadTrust = try find("SSL_CTX_load_verify_locations")
        contextVerify = try find("SSL_CTX_set_verify")
        contextProtocols = try find("SSL_CTX_set_alpn_protos")
        sessionNew = try find("SSL_new")
        sessionFree = try find("SSL_free")
        sessionControl = try find("SSL_ctrl")
        sessionHost = try find("SSL_set1_host")
        sessionParameters = try find("SSL_get0_param")
        sessionBuffers = try find("SSL_set_bio")
        sessionConnect = try find("SSL_set_connect_state")
        sessionHandshake = try find("SSL_do_handshake")
        sessionRead = try find("SSL_read")
        sessionWrite = try find("SSL_write")
        sessionShutdown = try find("SSL_shutdown")
        sessionError = try find("SSL_get_error")
        sessionVerifyResult = try find("SSL_get_verify_result")
        sessionProtocol = try find("SSL_get0_alpn_selected")
        parametersAddress = try find("X509_VERIFY_PARAM_set1_ip_asc")
        verifyText = try find("X509_verify_cert_error_string")
        bufferKind = try find("BIO_s_mem")
        bufferNew = try find("BIO_new")
        bufferWrite = try find("BIO_write")
        bufferRead = try find("BIO_read")
        bufferControl = try find("BIO_ctrl")
        clearErrors = try find("ERR_clear_error")
        nextError = try find("ERR_get_error")
        errorText = try find("ERR_reason_error_string")
    }

    /// The oldest error of this thread in words, which is the cause of the others.
    func firstError() -> String? {
        let code = nextError()
        clearErrors()
        guard code != 0 else { return nil }
        return errorText(code).map { String(cString: $0) } ?? "OpenSSL error \(code)"
    }
}

/// Values of OpenSSL's macros (`ssl.h`, `bio.h`, `tls1.h`).
extension TLSLibrary {
    static let setMinimumVersion: Int32 = 123  // SSL_CTRL_SET_MIN_PROTO_VERSION
    static let version12 = 0x0303  // TLS1_2_VERSION
    static let setMode: Int32 = 33  // SSL_CTRL_MODE
    static let mode = 0x1 | 0x2 | 0x10  // ENABLE_PARTIAL_WRITE, ACCEPT_MOVING_WRITE_BUFFER, RELEASE_BUFFERS
    static let verifyPeer: Int32 = 1  // SSL_VERIFY_PEER
    static let setServerName: Int32 = 55  // SSL_CTRL_SET_TLSEXT_HOSTNAME
    static let pending: Int32 = 10  // BIO_CTRL_PENDING
    static let wantRead: Int32 = 2  // SSL_ERROR_WANT_READ
    static let wantWrite: Int32 = 3  // SSL_ERROR_WANT_WRITE
    static let zeroReturn: Int32 = 6  // SSL_ERROR_ZERO_RETURN
}
