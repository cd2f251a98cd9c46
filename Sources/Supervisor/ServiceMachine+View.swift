import Manifest
import Platform

/// What others see of a service: its state, and what its front does.
extension ServiceMachine {
    /// Tells what has changed.
    mutating func show() {
        showFront()
        let (state, reason) = stateAndReason
        guard state != shown.state || reason != shown.reason else { return }
        shown.state = state
        shown.reason = reason
        emit(.state(state, reason: reason))
    }

    mutating func showFront() {
        guard hasFront else { return }
        let front = frontState
        guard front != shown.front else { return }
        shown.front = front
        emit(.front(front))
    }

    public var status: ServiceSnapshot {
        let (state, reason) = stateAndReason
        return ServiceSnapshot(
            state: state, reason: reason, targetsRemote: target == .remote, instances: slots.map(status(of:)))
    }

    private func status(of slot: Slot) -> InstanceSnapshot {
        let (state, reason) = slot.stateAndReason(service)
        let run = slot.life.run
        return InstanceSnapshot(
            number: slot.number, state: state, reason: reason, pid: run?.pid, port: run?.port,
            generation: run?.key.generation, restarts: slot.restarts)
    }

    var stateAndReason: (state: ServiceState, reason: String?) {
        guard isWanted else {
            if case .cancelling = building { return (.stopping, "its build is being ended") }
            if slots.contains(where: { !$0.runs.isEmpty }) { return (.stopping, "it is being stopped") }
            return (.stopped, "it is stopped; `devmesh start \(service.name)` starts it")
        }
        if target == .remote { return remoteFailure.map { (.unreachable, $0) } ?? (.ready, nil) }
        let all = slots.prefix(count).map { $0.stateAndReason(service) }
        for state in [ServiceState.ready, .unready, .starting, .stopping] {
            if let found = all.first(where: { $0.state == state }) { return found }
        }
        switch activity {
        case .preparing:
            if case .running(_, .some) = building {
                return (.building, buildHasBegun ? "it is being built" : "its build waits until others have ended")
            }
            switch dependencies {
            case .waiting(let reason, _) where waitsForDependencies: return (.pending, reason)
            case .blocked(let reason, _) where waitsForDependencies: return (.pending, reason)
            default: return (.building, "its build is about to begin")
            }
        case .buildFailed: return (.failed, buildFailure)
        case .idle, .rolling: break
        }
        if let failed = all.first(where: { $0.state == .failed }) { return failed }
        if let first = all.first, all.allSatisfy({ $0.state == .completed }) { return first }
        return (.stopped, "it has no instance; `devmesh scale \(service.name)=1` gives it one")
    }

    var frontState: ServiceFront {
        guard isWanted else {
            return .answer(reason: "\(service.name) is stopped; `devmesh start \(service.name)` starts it.")
        }
        if target == .remote { return .remote }
        let name = service.name
        let ready = slots.compactMap { slot -> ServiceBackend? in
            if case .ready(let run) = slot.life { run.backend } else { nil }
        }
        if !ready.isEmpty { return .pass(ready, whenRefused: "\(name) does not accept connections on its port") }
        var why = stateAndReason.reason ?? "it is on its way"
        let unready = slots.compactMap { slot -> ServiceBackend? in
            guard case .unready(let run, let reason) = slot.life else { return nil }
            why = reason
            return run.backend
        }
        if !unready.isEmpty { return .pass(unready, whenRefused: "\(name) is unready: \(why)", areReady: false) }
        let reason = "\(name) is \(stateAndReason.state.rawValue): \(why)"
        return holds ? .hold(bound: service.ready.timeout, reason: reason) : .answer(reason: reason)
    }

    /// Whether something is on its way that will serve, or soon will be.
    private var holds: Bool {
        switch activity {
        case .preparing, .rolling, .buildFailed(.near): return true
        case .idle, .buildFailed: break
        }
        return slots.prefix(count).contains { slot in
            switch slot.life {
            case .starting: true
            case .draining(_, let ending), .stopping(_, let ending), .killing(_, let ending): ending == .replace
            case .collapsing(_, let exit): isTriedAgain(after: exit)
            case .backoff, .completed: slot.life.nextTry.map { $0 != .far } ?? false
            case .idle, .ready, .unready, .failed: false
            }
        }
    }
}

extension Slot {
    func stateAndReason(_ service: Service) -> (state: ServiceState, reason: String?) {
        switch life {
        case .idle: (.stopped, "it is stopped")
        case .starting(let run):
            (.starting, run.probeFailure ?? (service.oneShot ? "it has not completed yet" : "it is not ready yet"))
        case .ready: (.ready, nil)
        case .unready(_, let reason): (.unready, reason)
        case .draining(_, .replace), .stopping(_, .replace), .killing(_, .replace):
            (.stopping, "it is being restarted")
        case .draining(_, .rest), .stopping(_, .rest), .killing(_, .rest): (.stopping, "it is being stopped")
        case .collapsing(_, let exit) where exit.isSuccess:
            (.stopping, "\(exit.inWords); what it has left behind is being ended")
        case .collapsing(_, let exit): (.failed, exit.inWords)
        case .backoff(let reason, _): (.failed, reason)
        case .failed(let reason): (.failed, reason)
        case .completed(_, nil): (.completed, "it has completed")
        case .completed: (.completed, "it has completed; its `restart` is \"always\", so it is started again")
        }
    }
}

extension Run {
    var backend: ServiceBackend? {
        port.map { ServiceBackend(run: key, host: host, port: $0) }
    }
}
