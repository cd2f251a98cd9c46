import EventLoop
import HTTP
import Platform

extension Connection {
    /// Sends the connection, or the request at hand, to a remote.
    func reach(_ target: RemoteTarget, _ lease: Lease) {
        if target.scheme != .tcp, conversation != .http1 {
            // HTTP/2 and silent clients, to a remote that speaks HTTP/1.
            return close(reset: true)
        }
        if target.scheme != .tcp, let link = exchange.take(from: lease) {
            return exchange.start(link, lease, isReused: true)
        }
        let dial = RemoteDial(target, destination.runtime) { [self] result in
            guard case .reaching = phase else { return }
            switch result {
            case .success(let upstream):
                if target.scheme == .tcp { destination.remoteWasUsed(nil) }
                lease.add(self)
                reached(upstream, lease)
            case .failure(let error):
                destination.remoteWasUsed(error)
                phase = .routing
                answer(error.message, status: 502)
            }
        }
        phase = .reaching(dial)
        // A reset that came already is seen here.
        linkMoved(client)
    }
}
