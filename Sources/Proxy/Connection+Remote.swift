import EventLoop
import HTTP
import Platform

extension Connection {
    /// Sends the connection to a remote.
    func reach(_ target: RemoteTarget) {
        guard target.scheme == .tcp else {
            let exchange = RemoteExchange(self, target)
            phase = .exchanging(exchange)
            return exchange.begin()
        }
        let dial = RemoteDial(target, destination.runtime) { [weak self] result in
            guard let self, case .reaching = self.phase else { return }
            switch result {
            case .success(let upstream):
                self.destination.remoteWasUsed(nil)
                self.relay(Relay(upstream: upstream, lease: nil, tracker: nil))
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
