import EventLoop
import HTTP
import Platform

/// How an exchange treats the servers' connections that are left for it.
extension Exchange {
    // MARK: Sending again

    /// Sends a request once more that a pooled connection has lost, which its server must have ended meanwhile: to
    /// the same process, for a new one would be ended by what may have ended this one.
    func resend(after error: ProxyError) -> Bool {
        guard let lease, !lease.isRetired, !sent.isEmpty, !isGone else { return false }
        cancel()
        stage = .waiting
        resendReason = error
        connection.phase = .routing
        if let link = take(from: lease) {
            start(link, lease, isReused: true)
        } else if let remote = lease.remote {
            connection.reach(remote, lease)
        } else {
            connection.dial([lease])
        }
        return true
    }

    /// The server does not take the request that it lost: it is gone.
    func failResending() -> Bool {
        guard let reason = resendReason else { return false }
        resendReason = nil
        answer(reason.message, status: reason.status)
        return true
    }

    /// Whether the client has shown that it wants no answer.
    var isGone: Bool {
        if case .broken = client.ending { true } else { client.isDeaf }
    }

    // MARK: The connection kept for this client

    func keep(_ link: Link, _ lease: Lease, since: Instant) {
        guard link.isSilent() else {
            link.close()
            return lease.remove(connection)
        }
        link.owner = connection
        kept = (link, lease, since)
    }

    func takeKept(for target: Target) -> (Link, Lease)? {
        let isSure = !method.isIdempotent || hasBody
        guard let (link, lease, since) = kept, target.owns(lease), lease.pool.trusts(since, isSure: isSure),
            link.isSilent(asking: isSure)
        else { return nil }
        kept = nil
        return (link, lease)
    }

    /// Gives it up; false where there is none.
    @discardableResult
    func dropKept() -> Bool {
        guard let (link, lease, _) = kept else { return false }
        kept = nil
        link.close()
        lease.remove(connection)
        return true
    }

    /// The server has ended it, or says something unasked.
    func keptMoved() { if let kept, !kept.link.isSilent() { dropKept() } }

    // MARK: Servers that look at one connection at a time

    /// How long a new connection may be without any answer before idle ones are given up for it: there are servers
    /// that read from one connection until it ends.
    private static let starvationLimit = Duration.milliseconds(100)
    /// How soon after that an answer shows that this was so.
    private static let reliefLimit = Duration.milliseconds(30)

    func watchForStarvation() {
        starvation = loop.after(Exchange.starvationLimit) { [connection] in
            guard let lease = connection.exchange.lease else { return }
            connection.exchange.reliefBegan = lease.closeIdle() ? connection.loop.now : nil
        }
    }

    func starvationIsOver() {
        starvation?.cancel()
        starvation = nil
        let began = reliefBegan
        reliefBegan = nil
        guard !isSecond, let lease, !lease.servesSeveral else { return }
        // This one's first answer, while another connection that has been answered on is still there.
        let others = lease.connections.contains { $0 !== connection && $0.begunExchange?.holdsAnsweredLink == true }
        if others || !lease.pool.isEmpty {
            lease.servesSeveral = true
        } else if let began, loop.now - began < Exchange.reliefLimit {
            lease.pool.countStarvation()
        }
    }

    private var holdsAnsweredLink: Bool {
        switch stage {
        case .passingResponse: true
        case .awaitingResponse: isSecond
        case .idle, .waiting, .switching: kept != nil
        }
    }
}
