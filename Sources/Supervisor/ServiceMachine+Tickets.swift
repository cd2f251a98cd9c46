import Manifest

/// Who waits for what, and when they have waited long enough.
extension ServiceMachine {
    /// Completes every ticket whose goal has been reached, or won't be.
    mutating func settle() {
        var waiting: [Waiter] = []
        let pending = waiters
        waiters = []
        for waiter in pending {
            if let outcome = outcome(of: waiter.goal) {
                finish(waiter.ticket, outcome)
            } else {
                waiting.append(waiter)
            }
        }
        waiters = waiting
    }

    /// Completes those whose goal matches.
    mutating func complete(_ outcome: Outcome, where matches: (Goal) -> Bool) {
        for waiter in waiters where matches(waiter.goal) { finish(waiter.ticket, outcome) }
        waiters.removeAll { matches($0.goal) }
    }

    private func outcome(of goal: Goal) -> Outcome? {
        switch goal {
        case .built: nil
        case .gone(let generation, let build): isGone(upTo: generation, build: build) ? .done : nil
        case .switchedToLocal:
            if !isWanted {
                stopped
            } else if target == .local {
                .done
            } else if localUse != .switching {
                .failed("\(service.name) was switched back to its remote meanwhile")
            } else {
                nil
            }
        case .up(let epoch):
            if !isWanted {
                stopped
            } else if !wantsLocal {
                .done
            } else if slots.count == count, slots.allSatisfy({ $0.isUp(since: epoch) }) {
                slots.contains { $0.life.run?.isOnTrial == true } ? nil : .done
            } else {
                failure(toReach: epoch)
            }
        }
    }

    private var stopped: Outcome { .failed("\(service.name) was stopped meanwhile") }

    private func isGone(upTo generation: Int, build: Int) -> Bool {
        if case .cancelling(let number) = building, number <= build { return false }
        return !slots.contains { $0.runs.contains { $0.key.generation <= generation } }
    }

    /// Why nothing that is under way will bring up that epoch; nil while something may.
    func failure(toReach epoch: Int) -> Outcome? {
        switch activity {
        case .rolling: return nil
        case .preparing:
            if waitsForDependencies, case .blocked(let reason, _) = dependencies { return .failed(reason) }
            return nil
        case .buildFailed: return .buildFailed(buildFailure ?? "the build failed")
        case .idle: break
        }
        if requestedEpoch > takenEpoch || seats.contains(where: { slots[$0].isInTransit }) { return nil }
        for slot in slots {
            if let reason = slot.handoverFailure, let run = slot.life.run, run.epoch < epoch { return .failed(reason) }
            switch slot.life {
            case .unready(_, let reason): return .failed(reason)
            case .backoff(let reason, _), .failed(let reason): return .failed(reason)
            default: break
            }
        }
        if let buildFailure { return .buildFailed(buildFailure) }
        return slots.isEmpty && count == 0 ? .done : .failed("\(service.name) was changed meanwhile; try again")
    }
}

extension Slot {
    /// Whether it is up, and nothing of an earlier epoch is left beside it.
    func isUp(since epoch: Int) -> Bool {
        life.isUp(since: epoch) && aside.run.map { $0.epoch >= epoch } ?? true
    }
}

extension Life {
    /// Whether it does what it is for, or has done it.
    var isUp: Bool {
        switch self {
        case .ready, .completed: true
        default: false
        }
    }

    func isUp(since epoch: Int) -> Bool {
        switch self {
        case .ready(let run): run.epoch >= epoch
        case .completed(let past, _): past >= epoch
        default: false
        }
    }
}
