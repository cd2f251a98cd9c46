import EventLoop
import Platform

/// What the TLS links of a loop share.
final class TLSRuntime {
    private let trust: TLSTrust
    private let kernel: Kernel
    private let authority: TLSAuthority.Files?
    private var server: (server: TLSServer, files: [FileStatus?])?
    private var clients: [TLSSettings: (client: TLSClient, files: [FileStatus?])] = [:]
    /// For ciphertext on its way, one piece at a time: plaintext may lie in the loop's scratch buffer meanwhile.
    let scratch: UnsafeMutableRawBufferPointer

    /// - Parameters:
    ///   - trust: stands in for the system's authorities.
    ///   - authority: issues what the gateway shows; its files may come later.
    init(trust: TLSTrust, authority: TLSAuthority.Files?, kernel: Kernel) {
        self.trust = trust
        self.authority = authority
        self.kernel = kernel
        scratch = .allocate(byteCount: 32768, alignment: 16)
    }

    deinit { scratch.deallocate() }

    /// What connections of these settings share. OpenSSL is loaded by the first call, and files are read again once
    /// they have changed: certificates are renewed while a mesh is up.
    func client(_ settings: TLSSettings) throws(TLSError) -> TLSClient {
        var settings = settings
        if settings.trust == .system { settings.trust = trust }
        let files = settings.files.map { kernel.status($0) }
        let known = clients[settings]
        if let known, known.files == files { return known.client }
        do throws(TLSError) {
            let client = try TLSClient(settings)
            clients[settings] = (client, files)
            return client
        } catch {
            // A certificate may have been renewed before its key: what served so far serves on.
            guard let known else { throw error }
            return known.client
        }
    }
}

extension TLSRuntime {
    /// What clients' connections share; nil where the user has made no authority, or none that can be used.
    func server(serving serves: @escaping (String) -> Bool) -> TLSServer? {
        guard let authority else { return nil }
        let files = [authority.certificate, authority.key].map { kernel.status($0) }
        if let server, server.files == files { return server.server }
        guard let certificate = try? kernel.readFile(authority.certificate),
            let key = try? kernel.readFile(authority.key),
            let issuer = try? TLSAuthority(certificate: certificate, key: key, files: authority),
            let made = try? TLSServer(issuer, serves: serves)
        else { return nil }
        server = (made, files)
        return made
    }
}

/// The TLS between a link's owner and its socket.
final class SecuredLink {
    private let session: TLSSession
    private let runtime: TLSRuntime
    private let host: String
    /// Whether the session may give plaintext without more ciphertext.
    private(set) var mayHoldPlaintext = false
    /// Plaintext that the session does not take before it has heard from the server, as in another handshake.
    private var waiting = ByteQueue()
    private var endsWhenWritten = false

    /// - Parameter protocols: what ALPN offers.
    init(_ runtime: TLSRuntime, _ target: RemoteTarget, protocols: [String]) throws(TLSError) {
        self.runtime = runtime
        host = target.host
        session = try TLSSession(
            runtime.client(target.tls), host: target.host, serverName: target.serverName, port: target.port,
            protocols: protocols)
    }

    /// A client's side, whose first bytes were read already.
    init(_ runtime: TLSRuntime, _ server: TLSServer, begunWith bytes: UnsafeRawBufferPointer) throws(TLSError) {
        self.runtime = runtime
        host = "the client"
        session = try TLSSession(server)
        session.feed(bytes)
    }

    /// What both sides chose by ALPN, if anything.
    var negotiatedProtocol: String? { session.negotiatedProtocol }

    /// Whether bytes wait that the session does not take yet.
    var isHeldUp: Bool { !waiting.isEmpty }

    /// Goes on with the handshake; true once it is done.
    func handshake(_ link: Link) throws(ProxyError) -> Bool {
        while true {
            do throws(TLSError) {
                let done = try session.handshake()
                flush(to: link)
                if done {
                    // What came behind the handshake's last message.
                    mayHoldPlaintext = true
                    return true
                }
            } catch {
                flush(to: link)
                throw .tls(error)
            }
            switch link.readSocket(into: runtime.scratch) {
            case .bytes(let count): feed(count)
            case .wouldBlock: return false
            case .end: throw .tls(.handshake(host: host, reason: "the other side closed the connection"))
            case .broken(let error): throw error
            }
        }
    }

    func read(from link: Link, into buffer: UnsafeMutableRawBufferPointer) -> Link.Read {
        while true {
            do throws(TLSError) {
                let result = try session.read(into: buffer)
                writeWaiting(to: link)
                switch result {
                case .bytes(let count):
                    mayHoldPlaintext = true
                    return .bytes(count)
                case .end: return .end
                case .needsInput:
                    mayHoldPlaintext = false
                    flush(to: link)
                }
            } catch {
                flush(to: link)
                return .broken(.tls(error))
            }
            switch link.readSocket(into: runtime.scratch) {
            case .bytes(let count): feed(count)
            case .wouldBlock: return .wouldBlock
            // An end without `close_notify` may be an attacker's (RFC 8446 §6.1).
            case .end: return .broken(.tls(.broken(host: host, reason: "it ended without saying so")))
            case .broken(let error): return .broken(error)
            }
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, to link: Link) {
        let taken = isHeldUp ? 0 : encrypt(bytes, to: link)
        if taken < bytes.count { waiting.append(UnsafeRawBufferPointer(rebasing: bytes[taken...])) }
    }

    func end(_ link: Link) {
        guard !isHeldUp else { return endsWhenWritten = true }
        session.close()
        flush(to: link)
    }

    /// Goes on with what waits, now that the server has spoken; the owner learns of it later, since it may be in the
    /// middle of a read.
    private func writeWaiting(to link: Link) {
        guard isHeldUp else { return }
        waiting.removeFirst(waiting.withBytes { encrypt($0, to: link) })
        guard !isHeldUp else { return }
        if endsWhenWritten { end(link) }
        link.loop.later { link.secureWritesGoOn() }
    }

    /// Returns how many bytes it took; where the connection is broken, all of them, which a read will tell.
    private func encrypt(_ bytes: UnsafeRawBufferPointer, to link: Link) -> Int {
        // In pieces, so that little ciphertext waits inside of the session.
        var at = 0
        while at < bytes.count {
            let piece = UnsafeRawBufferPointer(rebasing: bytes[at..<min(at + 16384, bytes.count)])
            guard let taken = try? session.write(piece) else { return bytes.count }
            flush(to: link)
            if taken == 0 { return at }
            at += taken
        }
        return at
    }

    private func feed(_ count: Int) {
        session.feed(UnsafeRawBufferPointer(rebasing: runtime.scratch[..<count]))
    }

    private func flush(to link: Link) {
        while session.pendingCiphertext > 0 {
            let count = session.take(into: runtime.scratch)
            guard count > 0 else { return }
            link.writeSocket(UnsafeRawBufferPointer(rebasing: runtime.scratch[..<count]))
        }
    }
}
