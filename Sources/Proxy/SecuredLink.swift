import EventLoop
import Platform

/// What the TLS links of a loop share.
final class TLSRuntime {
    let client: TLSClient
    /// For ciphertext on its way, one piece at a time: plaintext may lie in the loop's scratch buffer meanwhile.
    let scratch: UnsafeMutableRawBufferPointer

    init(trust: TLSTrust) throws(TLSError) {
        client = try TLSClient(trust: trust)
        scratch = .allocate(byteCount: 32768, alignment: 16)
    }

    deinit { scratch.deallocate() }
}

/// The TLS between a link's owner and its socket.
final class SecuredLink {
    private let session: TLSSession
    private let runtime: TLSRuntime
    private let host: String
    /// Whether the session may give plaintext without more ciphertext.
    private(set) var mayHoldPlaintext = false

    init(_ runtime: TLSRuntime, host: String) throws(TLSError) {
        self.runtime = runtime
        self.host = host
        session = try TLSSession(client: runtime.client, host: host)
    }

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
            case .end: throw .tls(.handshake(host: host, reason: "the server closed the connection"))
            case .broken(let error): throw error
            }
        }
    }

    func read(from link: Link, into buffer: UnsafeMutableRawBufferPointer) -> Link.Read {
        while true {
            do throws(TLSError) {
                switch try session.read(into: buffer) {
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
        // In pieces, so that little ciphertext waits inside of the session.
        var at = 0
        while at < bytes.count {
            let piece = UnsafeRawBufferPointer(rebasing: bytes[at..<min(at + 16384, bytes.count)])
            guard let taken = try? session.write(piece), taken > 0 else { return }
            at += taken
            flush(to: link)
        }
    }

    func end(_ link: Link) {
        session.close()
        flush(to: link)
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
