import Manifest

/// How what is wanted comes about: looks at the present state only, so that it does not matter in which order
/// commands and events came in. Called after every event.
extension ServiceMachine {
    mutating func reconcile() {
        finishSwitch()
        if wantsLocal {
            while advance() {}
        } else {
            giveUp()
        }
        dropSurplus()
        if building == .none, waiters.contains(where: { $0.goal.isBuilt(by: lastBuild + 1) }) {
            startBuild(epoch: nil)
        }
    }

    /// Takes the next step of what is under way; whether there may be a further one.
    private mutating func advance() -> Bool {
        switch activity {
        case .idle:
            if takeUpRequest() { return true }
            fill()
            return false
        case .buildFailed:
            return takeUpRequest()
        case .preparing(isBuilt: false):
            // Not while a process is between two: it would have to wait for the build.
            guard building == .none, !slots.contains(where: { $0.life.isBeingReplaced }) else { return false }
            if waitsForDependencies, dependencies.blocksBuild { return false }
            startBuild(epoch: takenEpoch)
            return false
        case .preparing(isBuilt: true):
            if waitsForDependencies { return false }
            beginRolling()
            return true
        case .rolling(let queue, let current):
            return roll(queue, current)
        }
    }

    /// Turns to the latest restart that was asked for, if it has not been taken up.
    private mutating func takeUpRequest() -> Bool {
        guard requestedEpoch > takenEpoch else { return false }
        takenEpoch = requestedEpoch
        isStale = false
        if case .buildFailed = activity { emit(.cancelTimer(.rebuild)) }
        activity = .preparing(isBuilt: !service.needsBuild)
        return true
    }

    /// Only what starts from nothing waits for `dependsOn`; what runs is restarted whatever others do.
    var waitsForDependencies: Bool {
        dependencies != .met && !slots.contains { $0.life.isRunning }
    }

    private mutating func startBuild(epoch: Int?) {
        lastBuild += 1
        building = .running(lastBuild, epoch: epoch)
        buildHasBegun = false
        emit(.build(lastBuild))
    }

    private mutating func beginRolling() {
        epoch = takenEpoch
        addSlots()
        var queue: [Int] = []
        for index in slots.indices.prefix(count) {
            slots[index].handoverFailure = nil
            // A successor that is on its way has missed what this restart is for.
            takeDown(Seat(index: index, isAside: true), .rest)
            switch slots[index].life {
            case .idle, .backoff, .failed, .completed:
                slots[index].backoff = .zero
                spawn(Seat(index: index))
            case .ready, .unready: queue.append(index)
            case .starting, .draining, .stopping, .killing, .collapsing: takeDown(Seat(index: index), .replace)
            }
        }
        activity = .rolling(queue: queue, current: nil)
    }

    private mutating func roll(_ queue: [Int], _ current: Int?) -> Bool {
        fillReplaced()
        if let current, slots.indices.contains(current), current < count {
            let life = slots[current].life
            if life.isBeingReplaced { return false }
            if requestedEpoch == takenEpoch, !queue.isEmpty {
                switch life {
                case _ where slots[current].aside != .idle: return false
                case .starting, .draining, .stopping, .killing: return false
                case _ where slots[current].handoverFailure != nil:
                    activity = .idle
                    return true
                case .ready, .completed, .idle: break
                case .unready, .collapsing, .backoff, .failed:
                    // The others go on serving as they are rather than follow it.
                    activity = .idle
                    return true
                }
            }
        }
        guard requestedEpoch == takenEpoch, let next = queue.first else {
            activity = .idle
            return true
        }
        let isThere = next < count && slots.indices.contains(next)
        // There is room for one process beside another.
        if isThere, overlaps, slots[next].aside != .idle { return false }
        activity = .rolling(queue: Array(queue.dropFirst()), current: next)
        guard isThere else { return true }
        switch slots[next].life {
        case .ready(let run), .unready(let run, _):
            if run.epoch < takenEpoch { replace(next) }
        default: break
        }
        return true
    }

    /// Starts what is idle though it should run: added by `scale`, due for a retry, or between two processes.
    private mutating func fill() {
        guard takenEpoch > 0 else { return }
        addSlots()
        fillReplaced()
    }

    private mutating func fillReplaced() {
        for index in slots.indices.prefix(count) {
            switch slots[index].life {
            case .idle: spawn(Seat(index: index))
            case let life where life.nextTry == .due && !isBuildingForUs:
                slots[index].restarts += 1
                spawn(Seat(index: index))
            default: break
            }
        }
    }

    /// What a build writes should not be started before it is finished.
    private var isBuildingForUs: Bool {
        if case .running(_, .some) = building { true } else { false }
    }

    private mutating func addSlots() {
        while slots.count < count { slots.append(Slot(number: slots.count + 1)) }
    }

    private mutating func giveUp() {
        takenEpoch = max(takenEpoch, requestedEpoch)
        if case .buildFailed = activity { emit(.cancelTimer(.rebuild)) }
        activity = .idle
        for seat in seats { takeDown(seat, .rest) }
        guard case .running(let number, .some) = building else { return }
        if waiters.contains(where: { $0.goal.isBuilt(by: number) }) {
            building = .running(number, epoch: nil)
        } else {
            building = .cancelling(number)
            emit(.cancelBuild(number, kill: false))
        }
    }

    private mutating func dropSurplus() {
        for seat in seats where seat.index >= count { takeDown(seat, .rest) }
        while slots.count > count, slots.last?.life == .idle, slots.last?.aside == .idle { slots.removeLast() }
    }

    /// The local target takes over from the remote when all of it is ready; if it can't be, it is left alone.
    private mutating func finishSwitch() {
        guard localUse == .switching, wantsLocal else {
            if !isWanted { localUse = .unused }
            return
        }
        let present = slots.prefix(count)
        let isUpToDate = activity == .idle && requestedEpoch == takenEpoch
        if isUpToDate, present.count == count, present.allSatisfy({ $0.life.isUp }) {
            target = .local
            localUse = .unused
            emit(.happened(.switched(.local)))
        } else if let reason = failureToSwitch {
            complete(reason) { goal in
                if case .switchedToLocal = goal { true } else { false }
            }
            localUse = .unused
        }
    }

    private var failureToSwitch: Outcome? {
        for waiter in waiters {
            if case .switchedToLocal(let epoch) = waiter.goal, let reason = failure(toReach: epoch) { return reason }
        }
        return nil
    }
}

extension ServiceMachine.DependencyStatus {
    var blocksBuild: Bool {
        switch self {
        case .met: false
        case .waiting(_, let blocksBuild), .blocked(_, let blocksBuild): blocksBuild
        }
    }
}
