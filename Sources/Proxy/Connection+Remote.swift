import EventLoop
import HTTP
import Platform

extension Connection {
    /// Sends the connection, or the request at hand, to a remote.
    ///
    ///     client speaks   http, https remote             tcp remote
    ///     HTTP/1          request by request, rewritten  as it comes
    ///     HTTP/2          as it comes (https: h2)        as it comes
    ///     anything else   not at all                     as it comes
    func reach(_ target: RemoteTarget, _ lease: Lease) {
        let isHTTP2 = conversation == .raw && client.earlyBytes.withBytes { Sniffer.look($0) } == .http2
        if target.scheme != .tcp, conversation != .http1, !isHTTP2 { return close(reset: true) }
        if let problem = refusal(by: target, isHTTP2: isHTTP2) {
            return answer(problem.reason, status: problem.status)
        }
        if target.scheme != .tcp, conversation == .http1, let link = exchange.take(from: lease) {
            return exchange.start(link, lease, isReused: true)
        }
        let limit = destination.resilience.timeouts.connect
        let dial = RemoteDial(target, isHTTP2: isHTTP2, connectLimit: limit, destination.runtime) { [self] result in
            guard case .reaching = phase else { return }
            switch result {
            case .success(let upstream):
                if target.scheme == .tcp || isHTTP2 { self.target?.remoteWasUsed(nil) }
                lease.add(self)
                reached(upstream, lease)
            case .failure(let error):
                phase = .routing
                if conversation == .http1 { exchange.learn(.failure) }
                if error.isAboutConnecting, conversation == .http1, exchange.mayReachAgain() {
                    self.target = nil
                    return destination.route(self)
                }
                self.target?.remoteWasUsed(error)
                if case .noHTTP2 = error { return answer(error.message, status: 505) }
                answer(error.message, status: 502)
            }
        }
        phase = .reaching(dial)
        // A reset that came already is seen here.
        linkMoved(client)
    }

    /// Why a client may not use a remote, or can't.
    private func refusal(by target: RemoteTarget, isHTTP2: Bool) -> HTTPProblem? {
        if isHTTP2, target.scheme != .tcp, !target.headers.isEmpty || !["", "/"].contains(target.path) {
            return HTTPProblem(
                505,
                "\(destination.name) goes to a remote with \(target.headers.isEmpty ? "a path" : "headers") to be added "
                    + "to each request, which devmesh can do for HTTP/1.1 only: let the client speak that.")
        }
        if gateway != nil, target.scheme == .tcp {
            // Its bytes would pass unseen from the second request on, whatever service they are for.
            return HTTPProblem(
                502,
                "\(destination.name) goes to a tcp remote, to which the gateway can't lead: write http:// or https:// in "
                    + "its \"remote\", or call it by its own address.")
        }
        guard target.addsCredentials else { return nil }
        let looksLikeHTTP = !client.earlyBytes.isEmpty && client.earlyBytes.withBytes { Sniffer.look($0) } != .other
        if conversation != .http1, target.scheme != .tcp || !looksLikeHTTP { return refusalOfClient() }
        if target.scheme == .tcp {
            // Its bytes would pass unseen from the second request on.
            return HTTPProblem(
                403,
                "\(destination.name) adds credentials to a TCP connection, which is not for HTTP: write https:// in its "
                    + "\"remote\" to call it so.")
        }
        return refusalOfWaiting()
    }
}
