import EventLoop
import Platform

/// TLS at the gateway's port, told by its first byte.
extension Connection {
    /// Begins TLS with a client whose first bytes ask for it; false where they don't, or where there is no authority
    /// that could issue a certificate.
    func secure(_ bytes: UnsafeRawBufferPointer, areEarly: Bool) -> Bool {
        // A handshake record (RFC 8446 §5.1).
        guard let gateway, client.secured == nil, bytes.first == 0x16, let server = gateway.tlsServer,
            let secured = try? SecuredLink(destination.runtime.tls, server, begunWith: bytes)
        else { return false }
        if areEarly { client.dropEarly(bytes.count) }
        stopWaiting()
        client.secure(secured)
        phase = .securing(
            loop.after(Connection.headLimit) { [self] in if case .securing = phase { close(reset: true) } })
        goOnSecuring()
        return true
    }

    func goOnSecuring() {
        guard case .securing(let timer) = phase, let secured = client.secured else { return }
        do throws(ProxyError) {
            guard try secured.handshake(client) else { return }
            timer.cancel()
            phase = .awaiting(nil)
            readRequest()
        } catch {
            // It has been told by an alert, if it was still there.
            linger()
        }
    }
}
