import Manifest
import Platform

/// What happens to single instances.
extension ServiceMachine {
    mutating func spawn(_ seat: Seat) {
        lastGeneration += 1
        let key = RunKey(instance: slots[seat.index].number, generation: lastGeneration)
        slots[seat] = .starting(Run(key: key, epoch: epoch))
        slots[seat.index].handoverFailure = nil
        emit(.cancelTimer(.retry(instance: key.instance)))
        emit(.spawn(key))
        // Also while it is being executed, which a slow disk may take long for.
        if isProbed { emit(.setTimer(.ready(key), service.ready.timeout)) }
    }

    /// Whether a probe tells when it is ready: not by having done its work, nor by running.
    private var isProbed: Bool {
        switch service.ready.kind {
        case .tcp: !service.oneShot && hasFront
        case .http, .command, .log: true
        }
    }

    mutating func spawned(_ key: RunKey, pid: Int32, port: Int?) {
        guard let seat = seat(of: key) else { return }
        slots[seat].update { run in
            run.pid = pid
            run.port = port
        }
        emit(.happened(.started(instance: key.instance, pid: pid, port: port)))
        switch slots[seat] {
        case .starting(var run) where !isProbed:
            guard !service.oneShot else { break }
            run.isOnTrial = true
            emit(.setTimer(.trial(key), .milliseconds(100)))
            becomeReady(seat, run)
        case .starting: emit(.probeReady(key))
        case .unready(let run, _):
            // Its time was up before it had begun.
            slots[seat] = .starting(run)
            emit(.probeReady(key))
            emit(.setTimer(.ready(key), service.ready.timeout))
        // Only now the signal reaches it; the time until then was for the start alone.
        case .stopping: emit(.setTimer(.stop(key), service.stop.timeout))
        default: break
        }
    }

    mutating func spawnFailed(_ key: RunKey, reason: String) {
        guard let seat = seat(of: key) else { return }
        switch slots[seat] {
        case .starting(let run), .unready(let run, _):
            forgetTimers(of: run)
            if seat.isAside {
                slots[seat] = .idle
                successorFailed(seat.index, reason)
            } else if !makeWay(seat.index, for: .idle) {
                crashed(seat.index, reason: reason)
            }
        case .draining, .stopping, .killing, .collapsing: treeGone(key)
        default: break
        }
    }

    mutating func probePassed(_ key: RunKey, host: String?) {
        guard let seat = seat(of: key) else { return }
        slots[seat].update { run in
            run.host = host ?? run.host
            run.failures = 0
            run.probeFailure = nil
        }
        switch slots[seat] {
        case .starting(let run), .unready(let run, _): becomeReady(seat, run)
        default: break
        }
    }

    private mutating func becomeReady(_ seat: Seat, _ run: Run) {
        var run = run
        emit(.cancelTimer(.ready(run.key)))
        if service.live != nil, !run.isProbedLive {
            run.isProbedLive = true
            emit(.probeLive(run.key))
        }
        run.hasBeenReady = true
        slots[seat] = .ready(run)
        slots[seat.index].portsTaken = 0
        if !seat.isAside, slots[seat.index].backoff > .zero {
            emit(.setTimer(.settled(run.key), max(.seconds(10), slots[seat.index].backoff)))
        }
        emit(.happened(.becameReady(instance: run.key.instance)))
        if seat.isAside { takeOver(seat.index) }
    }

    mutating func probeFailed(_ key: RunKey, reason: String) {
        guard let seat = seat(of: key) else { return }
        slots[seat].update { run in
            run.probeFailure = reason
            run.failures += 1
        }
        switch slots[seat] {
        case .ready(let run) where run.failures >= service.live?.failures ?? .max:
            emit(.cancelTimer(.settled(key)))
            emit(.note("no longer ready: \(reason)", instance: key.instance))
            slots[seat] = .unready(run, reason: reason)
        case .unready(let run, _): slots[seat] = .unready(run, reason: reason)
        default: break
        }
    }

    mutating func readyTimeoutPassed(_ key: RunKey) {
        guard let seat = seat(of: key), case .starting(let run) = slots[seat] else { return }
        let cause =
            run.pid == nil
            ? "the system has not executed its program yet" : run.probeFailure ?? "no probe has passed"
        let reason = "not ready after \(service.ready.timeout.inWords): \(cause)"
        if seat.isAside {
            successorFailed(seat.index, "it was " + reason)
            return takeDown(seat, .rest)
        }
        emit(.note(reason + (run.pid == nil ? "" : "; it runs on and is probed on"), instance: key.instance))
        slots[seat] = .unready(run, reason: reason)
    }

    /// Begins to end what runs: drain, signal, KILL.
    mutating func takeDown(_ seat: Seat, _ ending: Life.Ending) {
        switch slots[seat] {
        case .starting(let run):
            leave(run)
            signal(seat, run, ending)
        case .ready(let run), .unready(let run, _):
            leave(run)
            if hasFront, service.stop.drain > .zero {
                slots[seat] = .draining(run, ending)
                emit(.setTimer(.stop(run.key), service.stop.drain))
                // The front must know before it is asked to drain: nothing new may come in behind it.
                showFront()
                emit(.drain(run.key, limit: service.stop.drain))
            } else {
                signal(seat, run, ending)
            }
        case .draining(let run, _): slots[seat] = .draining(run, ending)
        case .collapsing(let run, _), .stopping(let run, _): slots[seat] = .stopping(run, ending)
        case .killing(let run, _): slots[seat] = .killing(run, ending)
        case .backoff where ending == .rest, .failed where ending == .rest, .completed where ending == .rest:
            emit(.cancelTimer(.retry(instance: slots[seat.index].number)))
            slots[seat] = .idle
        case .idle, .backoff, .failed, .completed: break
        }
    }

    private mutating func leave(_ run: Run) {
        forgetTimers(of: run)
        emit(.stopProbes(run.key))
    }

    private mutating func signal(_ seat: Seat, _ run: Run, _ ending: Life.Ending) {
        slots[seat] = .stopping(run, ending)
        showFront()
        emit(.closeConnections(run.key))
        emit(.signal(run.key, service.stop.signal, service.stop.to == .leader ? .leader : .group))
        emit(.setTimer(.stop(run.key), service.stop.timeout))
    }

    mutating func drained(_ key: RunKey) {
        guard let seat = seat(of: key), case .draining(let run, let ending) = slots[seat] else { return }
        emit(.cancelTimer(.stop(key)))
        signal(seat, run, ending)
    }

    mutating func patienceEnded(_ key: RunKey) {
        guard let seat = seat(of: key) else { return }
        switch slots[seat] {
        case .draining(let run, let ending): signal(seat, run, ending)
        case .stopping(let run, let ending):
            let patience = service.stop.timeout.inWords
            emit(.note("did not end within \(patience) of the signal; killing it", instance: key.instance))
            emit(.killTree(key))
            slots[seat] = .killing(run, ending)
        case .collapsing: emit(.killTree(key))
        default: break
        }
    }

    mutating func leaderExited(_ key: RunKey, _ exit: ExitStatus, leftovers: Int, portTaken: String?) {
        guard let seat = seat(of: key) else { return }
        emit(.happened(.exited(instance: key.instance, exit)))
        switch slots[seat] {
        case .starting(let run), .ready(let run), .unready(let run, _):
            leave(run)
            if !seat.isAside, makeWay(seat.index, for: .stopping(run, .rest)) {
                emit(.note("\(exit.inWords); its successor takes over", instance: key.instance))
            } else {
                slots[seat.index].portTaken = run.hasBeenReady ? nil : portTaken
                slots[seat] = .collapsing(run, exit)
            }
            if leftovers > 0 {
                let others = leftovers == 1 ? "a process" : "\(leftovers) processes"
                emit(.note("\(exit.inWords) and left \(others) behind; ending them too", instance: key.instance))
                showFront()
                emit(.closeConnections(key))
                emit(.signal(key, service.stop.signal, .tree))
                emit(.setTimer(.stop(key), min(service.stop.timeout, .seconds(2))))
            }
        case .draining(let run, let ending):
            slots[seat] = .stopping(run, ending)
            emit(.cancelTimer(.stop(key)))
            if leftovers > 0 {
                emit(.closeConnections(key))
                emit(.signal(key, service.stop.signal, .tree))
                emit(.setTimer(.stop(key), service.stop.timeout))
            }
        // Whoever was to pass the signal on is gone; those in sessions of their own have not heard of it.
        case .stopping where leftovers > 0: emit(.signal(key, service.stop.signal, .tree))
        default: break
        }
        if leftovers == 0 { treeGone(key) }
    }

    mutating func treeGone(_ key: RunKey) {
        guard let seat = seat(of: key), let run = slots[seat].run else { return }
        forgetTimers(of: run)
        emit(.closeConnections(key))
        switch slots[seat] {
        case .collapsing(_, let exit):
            seat.isAside ? successorEnded(seat.index, run, exit) : ended(seat.index, run, exit)
        case .draining(_, .replace), .stopping(_, .replace), .killing(_, .replace):
            // What the next process does is its own doing.
            slots[seat.index].backoff = .zero
            slots[seat] = .idle
        default: slots[seat] = .idle
        }
    }

    mutating func forgetTimers(of run: Run) {
        emit(.cancelTimer(.ready(run.key)))
        emit(.cancelTimer(.trial(run.key)))
        emit(.cancelTimer(.settled(run.key)))
        emit(.cancelTimer(.stop(run.key)))
    }
}
