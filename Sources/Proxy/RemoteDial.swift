import EventLoop
import Platform

/// Finds a remote, connects to it and, for `https`, secures the connection.
///
///     resolve ──▶ connect to each address in turn ──▶ TLS handshake ──▶ done(link)
final class RemoteDial: LinkOwner {
    private let target: RemoteTarget
    private let protocols: [String]
    private let connectLimit: Duration?
    private unowned let proxy: Proxy
    private var done: ((Result<Link, ProxyError>) -> Void)?
    private var addresses: ArraySlice<SocketAddress> = []
    private var link: Link?
    private var timer: Timer?
    private var failure: ProxyError

    static let handshakeLimit = Duration.seconds(10)

    /// - Parameters:
    ///   - isHTTP2: whether the server must speak HTTP/2, which TLS settles (RFC 9113 §3.2).
    ///   - connectLimit: how long to wait for each address.
    ///   - done: called once unless cancelled, never before this returns. The link has no owner then.
    init(
        _ target: RemoteTarget, isHTTP2: Bool, connectLimit: Duration?, _ proxy: Proxy,
        _ done: @escaping (Result<Link, ProxyError>) -> Void
    ) {
        self.target = target
        self.connectLimit = connectLimit
        protocols = target.scheme == .tcp ? [] : isHTTP2 ? ["h2"] : ["http/1.1"]
        self.proxy = proxy
        self.done = done
        failure = .unknownHost(target.host, reason: "it has no address")
        // Later, so that whoever asks knows this object before it is told anything.
        proxy.loop.later { [self] in begin() }
    }

    func cancel() {
        done = nil
        timer?.cancel()
        link?.close()
        link = nil
    }

    private func begin() {
        guard done != nil else { return }
        proxy.resolver.resolve(target.host) { [self] answer in
            switch answer {
            case .success(let found):
                addresses = found[...]
                tryNext()
            case .failure(let error):
                failure = error
                finish(.failure(error))
            }
        }
    }

    private func tryNext() {
        timer?.cancel()
        link?.close()
        link = nil
        guard done != nil else { return }
        guard let address = addresses.popFirst()?.with(port: target.port) else { return finish(.failure(failure)) }
        do throws(Errno) {
            let link = try Link(connectingTo: address, on: proxy.loop)
            link.owner = self
            self.link = link
            timer = connectLimit.map { limit in
                proxy.loop.after(limit) { [weak self] in
                    guard let self else { return }
                    failure = .connectTimedOut(host: target.host, port: target.port, limit)
                    tryNext()
                }
            }
            if !link.isConnecting { connected(link) }
        } catch {
            failure = .cannotConnect(host: target.host, port: target.port, error)
            tryNext()
        }
    }

    func linkMoved(_ link: Link) {
        guard link === self.link, done != nil, !link.isConnecting else { return }
        if link.secured != nil { return handshake(link) }
        if let error = link.connectError {
            failure = .cannotConnect(host: target.host, port: target.port, error)
            return tryNext()
        }
        connected(link)
    }

    private func connected(_ link: Link) {
        timer?.cancel()
        guard target.isSecured else { return finish(.success(link)) }
        do throws(TLSError) {
            link.secure(try SecuredLink(proxy.tls, target, protocols: protocols))
            timer = proxy.loop.after(RemoteDial.handshakeLimit) { [weak self] in
                guard let self else { return }
                finish(.failure(.tls(.handshake(host: target.host, reason: "the server does not answer"))))
            }
            handshake(link)
        } catch { finish(.failure(.tls(error))) }
    }

    private func handshake(_ link: Link) {
        let wantsHTTP2 = protocols == ["h2"]
        do throws(ProxyError) {
            guard let secured = link.secured, try secured.handshake(link) else { return }
            let hasIt = !wantsHTTP2 || secured.negotiatedProtocol == "h2"
            finish(hasIt ? .success(link) : .failure(.noHTTP2(host: target.host)))
        } catch {
            // no_application_protocol (RFC 7301 §3.2).
            if wantsHTTP2, case .tls(.alert(_, 120, _, _)) = error {
                return finish(.failure(.noHTTP2(host: target.host)))
            }
            finish(.failure(error))
        }
    }

    private func finish(_ result: Result<Link, ProxyError>) {
        timer?.cancel()
        let done = self.done
        self.done = nil
        if case .failure = result { link?.close() }
        link?.owner = nil
        link = nil
        done?(result)
    }
}
