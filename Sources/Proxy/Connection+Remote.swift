import EventLoop
import HTTP
import Platform

extension Connection {
    /// Sends the connection, or the request at hand, to a remote.
    func reach(_ target: RemoteTarget, _ pool: UpstreamPool) {
        if target.scheme != .tcp, conversation != .http1 {
            // HTTP/2 and silent clients, to a remote that speaks HTTP/1.
            return close(reset: true)
        }
        let source = Exchange.Source(lease: nil, remote: target, pool: pool)
        if target.scheme != .tcp, let link = exchange.take(source) {
            return exchange.start(link, source, isReused: true)
        }
        let dial = RemoteDial(target, destination.runtime) { [weak self] result in
            guard let self, case .reaching = self.phase else { return }
            switch result {
            case .success(let upstream):
                if target.scheme == .tcp { self.destination.remoteWasUsed(nil) }
                self.reached(upstream, lease: nil, remote: target, pool: target.scheme == .tcp ? nil : pool)
            case .failure(let error):
                self.destination.remoteWasUsed(error)
                self.phase = .routing
                self.answer(error.message, status: 502)
            }
        }
        phase = .reaching(dial)
        // A reset that came already is seen here.
        linkMoved(client)
    }
}
