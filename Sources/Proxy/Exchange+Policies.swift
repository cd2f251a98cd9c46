import EventLoop
import HTTP
import Platform

/// What a service's policies have an exchange do.
extension Exchange {
    /// Lets a request through, or answers it.
    func isAdmitted(to target: Target) -> Bool {
        let destination = connection.destination
        if connection.isOneTooMany {
            let most = destination.resilience.connections ?? 0
            answer("\(destination.name) has \(most) connections, as many as its `limits` allow.", status: 503)
            return false
        }
        attemptsLeft = destination.resilience.retries.attempts
        if attemptsLeft > 0 { destination.retryBudget.request(at: loop.now) }
        return isPassed(by: target)
    }

    /// Asks the target's breaker, unless it has let the request through already; answers where it doesn't.
    func isPassed(by target: Target) -> Bool {
        if let pass {
            if pass.target === target { return true }
            learn(.unknown)
        }
        guard target.breaker != nil else { return true }
        if let token = target.admit() {
            pass = (token, target)
            return true
        }
        let name = connection.destination.name
        answer("\(name) failed too often in a row; its circuit breaker lets nothing through for a while.", status: 503)
        return false
    }

    /// Tells the target how the request went.
    func learn(_ outcome: CircuitBreaker.Outcome) {
        if let pass { pass.target.record(outcome, pass.token) }
        pass = nil
        if let lease { connection.target?.learn(outcome, from: lease) }
    }

    // MARK: Trying again

    /// Whether a request that was sent may be sent once more; if so, that is counted.
    func mayRetry() -> Bool {
        guard attemptsLeft > 0, !sent.isEmpty, !isGone, throttles == nil,
            connection.destination.retryBudget.retry(at: loop.now)
        else { return false }
        attemptsLeft -= 1
        return true
    }

    /// Whether a remote that could not be reached may be tried once more; if so, that is counted.
    func mayReachAgain() -> Bool {
        guard connection.destination.resilience.retries.onConnect, attemptsLeft > 0, !isGone, resendReason == nil,
            connection.destination.retryBudget.retry(at: loop.now)
        else { return false }
        attemptsLeft -= 1
        return true
    }

    /// Sends the request to the next server, or to the same by another connection.
    func sendAgain() {
        connection.target?.skip()
        cancel()
        stage = .waiting
        connection.target = nil
        connection.routeAnew()
    }

    // MARK: Waiting

    /// Whether a part of the request is still to come, and its response has not begun: from then on, how long either
    /// may be silent is theirs to agree on.
    var lacksBody: Bool {
        if case .awaitingResponse = stage { !requestBody.isFinished } else { false }
    }

    /// Whether nothing goes on because the client has not said the rest of its request.
    var waitsForClient: Bool {
        guard lacksBody, let upstream else { return false }
        return !client.canRead && upstream.hasRoom
    }

    /// The request is out: its response has so much time to begin.
    func beginPatience() {
        guard let limit = connection.destination.resilience.timeouts.response, patience == nil else { return }
        patience = loop.after(limit) { [connection] in
            let exchange = connection.exchange
            guard case .exchanging = connection.phase, case .awaitingResponse = exchange.stage else { return }
            exchange.isReused = false
            exchange.fail(.responseTimedOut(host: exchange.lease?.name ?? "", limit))
        }
    }

    // MARK: Slowing down

    /// The part of a buffer that may be read into now; nil where it has to wait, after which `passOn` is called.
    func room(
        in buffer: UnsafeMutableRawBufferPointer, _ direction: WritableKeyPath<Throttles, Throttle>
    ) -> UnsafeMutableRawBufferPointer? {
        guard throttles != nil else { return buffer }
        let allowed = throttles!.allowance(direction, on: loop) { [connection] in connection.exchange.passOn() }
        return allowed.map { UnsafeMutableRawBufferPointer(rebasing: buffer[..<min($0, buffer.count)]) }
    }

    // MARK: Copies

    /// Begins a copy of the request that `bench.request` has parsed from `bytes`, and of whose body the bench's writer
    /// holds what has come, behind `headLength` bytes.
    func mirrorRequest(to target: Target, _ bytes: UnsafeRawBufferPointer, headLength: Int) {
        mirror = nil
        guard let lease = target.readyMirror() else { return }
        if lease.addsCredentials, connection.refusal(of: bench.request, in: bytes) != nil { return }
        let bench = bench
        bench.copy.clear()
        do throws(HTTPProblem) {
            try HeadRewriting.request(
                bench.request, in: bytes, to: lease, without: strippedCount, trustsClient: connection.caller != nil,
                isClientV6: connection.isClientV6, isSecured: client.secured != nil,
                marks: connection.destination.propagation(in: bytes), service: connection.destination.name,
                &bench.copy)
        } catch { return }
        mirror = Mirror(to: lease, of: target, connection.destination.runtime)
        // Its answer is nobody's, so that nothing can come behind it.
        bench.copy.removeLast(2)
        bench.copy.lines("Connection: close\r\n")
        bench.copy.end()
        bench.copy.withBytes { mirror?.write($0) }
        bench.writer.withBytes {
            mirror?.write(UnsafeRawBufferPointer(rebasing: $0[headLength...]))
        }
    }
}

/// Both directions of something that is slowed down.
struct Throttles {
    var request: Throttle
    var response: Throttle
    var timer: Timer?

    init(rate: Int, at now: Instant) {
        request = Throttle(rate: rate, at: now)
        response = Throttle(rate: rate, at: now)
    }

    /// How many bytes may pass now; nil where they have to wait, after which `resume` is called.
    mutating func allowance(
        _ direction: WritableKeyPath<Throttles, Throttle>, on loop: EventLoop, then resume: @escaping () -> Void
    ) -> Int? {
        let allowance = self[keyPath: direction].allowance(at: .now)
        if allowance > 0 { return allowance }
        if timer?.isPending != true { timer = loop.after(self[keyPath: direction].pause, resume) }
        return nil
    }
}
