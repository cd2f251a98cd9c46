import EventLoop
import HTTP
import Platform

/// What a service's policies do to a connection.
extension Connection {
    /// Does what a fault says, and sends the request or connection on its way if that is not its end.
    func suffer(_ action: FaultAction) {
        guard action.delay > .zero else { return endDelay(action.ending) }
        phase = .delayed(
            loop.after(action.delay) { [self] in
                guard case .delayed = phase else { return }
                phase = .routing
                endDelay(action.ending)
            })
        noticeGoneClient()
    }

    private func endDelay(_ ending: Fault.Ending?) {
        switch ending {
        case nil: destination.route(self)
        case .abort(let status): answer("This is a fault that `devmesh fault` injects.", status: status)
        case .disconnect: close(reset: true)
        }
    }

    /// Whether a connection that is passed on without a look goes its way at once: else it is over, or goes later.
    func mayRelay() -> Bool {
        if isOneTooMany {
            close(reset: true)
            return false
        }
        guard !hasSuffered else { return true }
        hasSuffered = true
        let action = destination.faultAction(for: self)
        rate = action.rate
        if action.delay == .zero, action.ending == nil { return true }
        suffer(action)
        return false
    }

    /// Ends what carries nothing for longer than it may.
    func watchIdleness() {
        guard let limit = destination.resilience.timeouts.idle, idleWatch?.isPending != true else { return }
        lastMoved = loop.now
        armIdleWatch(limit, limit)
    }

    private func armIdleWatch(_ limit: Duration, _ rest: Duration) {
        idleWatch = loop.after(rest) { [self] in
            switch phase {
            case .exchanging, .relaying:
                let rest = limit - (loop.now - lastMoved)
                if rest > .zero { armIdleWatch(limit, rest) } else { endIdle(after: limit) }
            default: break
            }
        }
    }

    private func endIdle(after limit: Duration) {
        guard case .exchanging = phase, exchange.waitsForClient else { return close(reset: true) }
        exchange.refuse(bodyTimedOut(limit, "idle"))
    }

    private func bodyTimedOut(_ limit: Duration, _ key: String) -> HTTPProblem {
        HTTPProblem(
            408,
            "nothing more of the request's body came within \(sentence(limit)), which is \(destination.name)'s "
                + "`timeouts.\(key)`")
    }

    /// Ends a request whose client says nothing more of its body for longer than it may, while its server waits for
    /// that. One timer a connection, which is left to run out, serves all of its requests.
    func watchBody() {
        guard let limit = destination.resilience.timeouts.body, bodyWatch?.isPending != true else { return }
        armBodyWatch(limit, limit)
    }

    private func armBodyWatch(_ limit: Duration, _ rest: Duration) {
        bodyWatch = loop.after(rest) { [self] in
            guard case .exchanging = phase, exchange.lacksBody else { return }
            // A server that takes its time is no fault of the client's.
            guard exchange.waitsForClient else { return armBodyWatch(limit, limit) }
            let rest = limit - (loop.now - exchange.bodyMoved)
            if rest > .zero { armBodyWatch(limit, rest) } else { exchange.refuse(bodyTimedOut(limit, "body")) }
        }
    }
}
