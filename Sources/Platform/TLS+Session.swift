#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a read of decrypted bytes gave.
public enum TLSRead: Sendable, Equatable {
    case bytes(Int)
    /// Nothing more until the peer's next ciphertext is fed.
    case needsInput
    /// The peer closed its side in order (`close_notify`).
    case end
}

/// One TLS connection without a socket: ciphertext goes in and comes out by hand.
///
///     socket ──▶ feed ──▶ ┌─────────┐ ──▶ read  ──▶ plaintext
///                         │ session │
///     socket ◀── take ◀── └─────────┘ ◀── write ◀── plaintext
///
/// - Important: after every call that may have made ciphertext (`handshake`, `read`, `write`, `close`), and also
///   after one that threw (an alert tells the peer why), send what `take` gives.
///
/// Belongs to the thread that made it.
public final class TLSSession {
    /// Nil on the server's side.
    private let client: TLSClient?
    /// Kept for what OpenSSL calls; nil on the client's side.
    private let server: TLSServer?
    private let library: TLSLibrary
    private let session: OpaquePointer
    /// Owned by `session`: what the peer sent, and what is to be sent to it.
    private let input: OpaquePointer
    private let output: OpaquePointer
    private let host: String
    /// The name that the certificate must be for.
    private let name: String
    /// What sessions for the same purpose are kept under.
    private let purpose: String
    /// What OpenSSL held against a certificate.
    private var fault: TLSCertificateFault?
    public private(set) var isEstablished = false

    /// Prepares a connection to a server.
    /// - Parameters:
    ///   - host: the server, a name or an IP literal; what errors call it.
    ///   - serverName: what the certificate must be for, where that is not `host`. A name is also sent to the server
    ///     (SNI, RFC 6066 §3).
    ///   - port: keeps the sessions of servers on one host apart.
    ///   - protocols: what ALPN offers (RFC 7301), the most wanted first; nothing where empty.
    public convenience init(
        _ client: TLSClient, host: String, serverName: String? = nil, port: Int = 443, protocols: [String] = []
    ) throws(TLSError) {
        let name = serverName ?? host
        try self.init(
            client.library, client.context, client: client, host: host, name: name,
            purpose: "\(name) \(host):\(port) \(protocols)")
        _ = library.sessionSetData(session, TLSLibrary.appData, Unmanaged.passUnretained(self).toOpaque())
        guard setName() else { throw .handshake(host: host, reason: "\(name) can't stand in a certificate") }
        // What the user named is trusted, be it a root or not.
        _ = library.parametersFlags(library.sessionParameters(session), TLSLibrary.partialChain)
        let wire = protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        if !wire.isEmpty { _ = library.sessionProtocols(session, wire, UInt32(wire.count)) }
        if let earlier = client.session(purpose) { _ = library.sessionResume(session, earlier) }
        library.sessionConnect(session)
    }

    /// Prepares a client's connection.
    public convenience init(_ server: TLSServer) throws(TLSError) {
        try self.init(server.library.tls, server.context, server: server, host: "the client", name: "", purpose: "")
        server.library.sessionAccept(session)
    }

    private init(
        _ library: TLSLibrary, _ context: OpaquePointer, client: TLSClient? = nil, server: TLSServer? = nil,
        host: String, name: String, purpose: String
    ) throws(TLSError) {
        library.clearErrors()
        guard let session = library.sessionNew(context) else {
            throw .handshake(host: host, reason: library.firstError()?.text ?? "OpenSSL gave no session")
        }
        guard let input = library.bufferNew(library.bufferKind()), let output = library.bufferNew(library.bufferKind())
        else {
            library.sessionFree(session)
            throw .handshake(host: host, reason: "OpenSSL gave no buffer")
        }
        library.sessionBuffers(session, input, output)
        self.client = client
        self.server = server
        self.library = library
        self.session = session
        self.input = input
        self.output = output
        self.host = host
        self.name = name
        self.purpose = purpose
    }

    deinit {
        // Else OpenSSL takes the connection for broken off, and its session for unfit to be resumed.
        library.sessionMarkShutdown(session, TLSLibrary.shutBoth)
        library.sessionFree(session)
    }

    private func setName() -> Bool {
        if TLSSession.isAddress(name) {
            return library.parametersAddress(library.sessionParameters(session), name) == 1
        }
        return name.withCString { name in
            let text = UnsafeMutableRawPointer(mutating: name)
            return library.sessionControl(session, TLSLibrary.setServerName, 0, text) == 1
                && library.sessionHost(session, name) == 1
        }
    }

    /// Whether the handshake was shortened by what an earlier connection had left.
    public var wasResumed: Bool { library.sessionWasResumed(session) == 1 }

    /// The protocol that both sides chose by ALPN, if any.
    public var negotiatedProtocol: String? {
        var bytes: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        library.sessionProtocol(session, &bytes, &count)
        guard let bytes, count > 0 else { return nil }
        return String(decoding: UnsafeBufferPointer(start: bytes, count: Int(count)), as: UTF8.self)
    }

    /// How many bytes of ciphertext wait to be sent.
    public var pendingCiphertext: Int { library.bufferControl(output, TLSLibrary.pending, 0, nil) }

    /// Takes in what came from the socket. The bytes are copied.
    public func feed(_ ciphertext: UnsafeRawBufferPointer) {
        guard let base = ciphertext.baseAddress, !ciphertext.isEmpty else { return }
        _ = library.bufferWrite(input, base, Int32(ciphertext.count))
    }

    /// Moves waiting ciphertext into `buffer` and returns how many bytes those were.
    public func take(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let base = buffer.baseAddress, !buffer.isEmpty, pendingCiphertext > 0 else { return 0 }
        return max(0, Int(library.bufferRead(output, base, Int32(clamping: buffer.count))))
    }

    /// Goes on with the handshake; true once it is done, false while the peer's next bytes are needed.
    public func handshake() throws(TLSError) -> Bool {
        guard !isEstablished else { return true }
        library.clearErrors()
        let result = library.sessionHandshake(session)
        if result == 1 {
            isEstablished = true
            return true
        }
        switch library.sessionError(session, result) {
        case TLSLibrary.wantRead, TLSLibrary.wantWrite:
            return false
        default:
            client?.forgetSession(purpose)
            if client?.settings.verifies == true, let fault { throw .certificate(host: host, fault) }
            throw failure { .handshake(host: host, reason: $0) }
        }
    }

    /// Decrypts into `buffer`, which must not be empty.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(TLSError) -> TLSRead {
        library.clearErrors()
        let result = library.sessionRead(session, buffer.baseAddress, Int32(clamping: buffer.count))
        if result > 0 { return .bytes(Int(result)) }
        switch library.sessionError(session, result) {
        case TLSLibrary.wantRead, TLSLibrary.wantWrite: return .needsInput
        case TLSLibrary.zeroReturn: return .end
        default: throw failure { .broken(host: host, reason: $0) }
        }
    }

    /// Encrypts bytes and returns how many it took. Those that it did not take are for later, when more of the peer's
    /// bytes have been fed: it has asked for another handshake, or the first is not done.
    public func write(_ plaintext: UnsafeRawBufferPointer) throws(TLSError) -> Int {
        guard isEstablished else { return 0 }
        var taken = 0
        while taken < plaintext.count {
            library.clearErrors()
            let rest = UnsafeRawBufferPointer(rebasing: plaintext[taken...])
            let result = library.sessionWrite(session, rest.baseAddress, Int32(clamping: rest.count))
            guard result <= 0 else {
                taken += Int(result)
                continue
            }
            switch library.sessionError(session, result) {
            case TLSLibrary.wantRead, TLSLibrary.wantWrite: return taken
            default: throw failure { .broken(host: host, reason: $0) }
            }
        }
        return taken
    }

    /// Says to the peer that nothing more will be sent (`close_notify`); reading goes on.
    public func close() {
        guard isEstablished else { return }
        library.clearErrors()
        _ = library.sessionShutdown(session)
        library.clearErrors()
    }

    /// What the library says, where it isn't what the server said.
    private func failure(_ other: (_ reason: String) -> TLSError) -> TLSError {
        guard let failure = library.firstError() else { return other("the other side closed the connection") }
        guard let alert = failure.alert else { return other(failure.text) }
        return .alert(
            host: host, alert, reason: failure.text, showsCertificate: client?.settings.certificate != nil)
    }

    private static func isAddress(_ host: String) -> Bool {
        var storage = in6_addr()
        return withUnsafeMutablePointer(to: &storage) {
            inet_pton(AF_INET, host, $0) == 1 || inet_pton(AF_INET6, host, $0) == 1
        }
    }
}

/// What OpenSSL calls, on the thread that is in one of its functions.
extension TLSSession {
    /// The connection that a structure of OpenSSL belongs to: alive, since it is in a call of ours.
    private static func owner(of session: OpaquePointer?, _ library: TLSLibrary) -> TLSSession? {
        library.sessionData(session, TLSLibrary.appData).map { Unmanaged.fromOpaque($0).takeUnretainedValue() }
    }

    /// The server has given a session for later: 1 says that its reference is ours now.
    static let keepSession: TLSLibrary.SessionCallback = { session, ticket in
        guard let library = try? TLSLibrary.shared.get(), let owner = owner(of: session, library), let ticket else {
            return 0
        }
        guard let client = owner.client else { return 0 }
        client.keep(ticket, as: owner.purpose)
        return 1
    }

    /// Notes why a certificate is refused, which only now can be told in full, and leaves the verdict as it is.
    static let noteFault: TLSLibrary.VerifyCallback = { verdict, verification in
        guard verdict != 1, let library = try? TLSLibrary.shared.get(),
            let owner = owner(of: library.verifyData(verification, library.verifySession()), library)
        else { return verdict }
        var fault = TLSCertificateFault(verification, library)
        fault.expectedName = owner.name
        if case .file(let path) = owner.client?.settings.trust { fault.trustFile = path }
        owner.fault = fault
        return verdict
    }
}

extension TLSCertificateFault {
    fileprivate init(_ verification: OpaquePointer?, _ library: TLSLibrary) {
        let code = Int(library.verifyError(verification))
        self.init(
            code: code, reason: library.verifyText(code).map { String(cString: $0) } ?? "code \(code)",
            depth: Int(library.verifyDepth(verification)))
        guard let certificate = library.verifyCertificate(verification) else { return }
        validFrom = library.printed { library.printTime($0, library.certificateStart(certificate)) }
        validUntil = library.printed { library.printTime($0, library.certificateEnd(certificate)) }
        issuer = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
            library.nameText(library.certificateIssuer(certificate), buffer.baseAddress, Int32(buffer.count))
                .map { String(cString: $0) } ?? ""
        }
        let found = library.certificateFind(certificate, TLSLibrary.alternativeNames, -1)
        if found >= 0 {
            names = library.printed {
                library.printExtension($0, library.certificateExtension(certificate, found), 0, 0)
            }
        }
    }
}

extension TLSLibrary {
    /// What a function of OpenSSL prints.
    fileprivate func printed(_ print: (OpaquePointer?) -> Int32) -> String {
        guard let buffer = bufferNew(bufferKind()) else { return "" }
        defer { _ = bufferFree(buffer) }
        guard print(buffer) > 0 else { return "" }
        return withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { bytes in
            let count = max(0, Int(bufferRead(buffer, bytes.baseAddress, Int32(bytes.count))))
            return String(decoding: bytes[..<count], as: UTF8.self)
        }
    }
}
