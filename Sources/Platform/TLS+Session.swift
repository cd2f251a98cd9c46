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
    private let library: TLSLibrary
    private let session: OpaquePointer
    /// Owned by `session`: what the peer sent, and what is to be sent to it.
    private let input: OpaquePointer
    private let output: OpaquePointer
    private let host: String
    public private(set) var isEstablished = false

    /// Prepares a connection to `host`, a name or an IP literal, whose certificate must be issued for it.
    /// A name is also sent to the server (SNI, RFC 6066 §3).
    public init(client: TLSClient, host: String) throws(TLSError) {
        let library = client.library
        library.clearErrors()
        guard let session = library.sessionNew(client.context) else {
            throw .handshake(host: host, reason: library.firstError() ?? "OpenSSL gave no session")
        }
        guard let input = library.bufferNew(library.bufferKind()), let output = library.bufferNew(library.bufferKind())
        else {
            library.sessionFree(session)
            throw .handshake(host: host, reason: "OpenSSL gave no buffer")
        }
        library.sessionBuffers(session, input, output)
        let named =
            if TLSSession.isAddress(host) {
                library.parametersAddress(library.sessionParameters(session), host)
            } else {
                host.withCString { name in
                    let text = UnsafeMutableRawPointer(mutating: name)
                    let sent = library.sessionControl(session, TLSLibrary.setServerName, 0, text)
                    return sent == 1 ? library.sessionHost(session, name) : 0
                }
            }
        guard named == 1 else {
            library.sessionFree(session)
            throw .handshake(host: host, reason: "the name can't stand in a certificate")
        }
        library.sessionConnect(session)
        self.library = library
        self.session = session
        self.input = input
        self.output = output
        self.host = host
    }

    deinit {
        library.sessionFree(session)
    }

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
            let verified = library.sessionVerifyResult(session)
            if verified != 0 {
                let reason = library.verifyText(verified).map { String(cString: $0) } ?? "code \(verified)"
                throw .certificate(host: host, code: verified, reason: reason)
            }
            throw .handshake(host: host, reason: library.firstError() ?? "the server closed the connection")
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
        default: throw .broken(host: host, reason: library.firstError() ?? "the server closed the connection")
        }
    }

    /// Encrypts bytes and returns how many it took: all of them, or 0 before the handshake is done.
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
            default: throw .broken(host: host, reason: library.firstError() ?? "the server closed the connection")
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

    private static func isAddress(_ host: String) -> Bool {
        var storage = in6_addr()
        return withUnsafeMutablePointer(to: &storage) {
            inet_pton(AF_INET, host, $0) == 1 || inet_pton(AF_INET6, host, $0) == 1
        }
    }
}
