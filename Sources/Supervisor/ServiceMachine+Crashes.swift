import Manifest
import Platform

/// What comes after a process that ended unasked.
extension ServiceMachine {
    mutating func ended(_ index: Int, _ run: Run, _ exit: ExitStatus) {
        let number = slots[index].number
        // Nobody uses it any more: let it rest.
        if target == .remote, localUse == .lingering || localUse == .kept {
            slots[index].life = .idle
            return
        }
        if exit.isSuccess, !isTriedAgain(after: exit) {
            slots[index].backoff = .zero
            slots[index].life = .completed(epoch: run.epoch)
            return emit(.note("it has completed", instance: number))
        }
        if triesAnotherPort(index, than: run) {
            slots[index].life = .idle
            return
        }
        let reason = whyEnded(index, run, exit)
        if exit.isSuccess { return tryAgain(index, .completed(epoch: run.epoch, next: .far), reason: reason) }
        crashed(index, reason: reason)
    }

    /// Whether its restart policy has it started again after that end.
    func isTriedAgain(after exit: ExitStatus) -> Bool {
        switch service.restart {
        case .never: false
        case .onFailure: !exit.isSuccess
        case .always: !exit.isSuccess || !service.oneShot
        }
    }

    /// Whether to start it again at once, since its port was taken.
    mutating func triesAnotherPort(_ index: Int, than run: Run) -> Bool {
        guard let owner = slots[index].portTaken, case .assigned = service.listens, slots[index].portsTaken < 10 else {
            return false
        }
        slots[index].portTaken = nil
        slots[index].portsTaken += 1
        let note = "its port \(run.port ?? 0) was taken by \(owner); trying another"
        emit(.note(note, instance: slots[index].number))
        return true
    }

    /// To be ended like a crash, but for a reason of its own.
    mutating func outgrew(_ key: RunKey, reason: String) {
        guard let seat = seat(of: key) else { return }
        slots[seat].update { $0.excess = reason }
        emit(.killTree(key))
    }

    mutating func whyEnded(_ index: Int, _ run: Run, _ exit: ExitStatus) -> String {
        if let excess = run.excess { return excess }
        if let owner = slots[index].portTaken {
            slots[index].portTaken = nil
            return "\(exit.inWords): port \(run.port ?? 0) is taken by \(owner)"
        }
        return run.hasBeenReady || !hasFront ? exit.inWords : exit.inWords + " before it was ready"
    }

    /// Has it tried again after a while, by its restart policy.
    mutating func crashed(_ index: Int, reason: String) {
        guard service.restart != .never else {
            slots[index].life = .failed(reason: reason)
            return emit(
                .note("\(reason); `devmesh start \(service.name)` starts it again", instance: slots[index].number))
        }
        tryAgain(index, .backoff(reason: reason, .far), reason: reason)
    }

    private mutating func tryAgain(_ index: Int, _ life: Life, reason: String) {
        let delay = Self.next(after: slots[index].backoff)
        let isNear = delay < .seconds(1)
        slots[index].backoff = delay
        slots[index].life = life
        if isNear { slots[index].life.nextTry = .near }
        emit(.setTimer(.retry(instance: slots[index].number), isNear ? delay : delay - .seconds(1)))
        emit(.note("\(reason); next try in \(delay.inWords)", instance: slots[index].number))
    }

    mutating func retryIsNear(_ instance: Int) {
        guard slots.indices.contains(instance - 1) else { return }
        switch slots[instance - 1].life.nextTry {
        case .far:
            slots[instance - 1].life.nextTry = .near
            emit(.setTimer(.retry(instance: instance), .seconds(1)))
        case .near: slots[instance - 1].life.nextTry = .due
        case .due, nil: break
        }
    }

    mutating func buildBegan(_ number: Int) {
        guard case .running(number, _) = building else { return }
        buildHasBegun = true
        emit(.happened(.buildStarted))
    }

    mutating func buildEnded(_ number: Int, _ result: BuildResult) {
        let epoch: Int?
        switch building {
        case .running(number, let purpose): epoch = purpose
        case .cancelling(number): epoch = nil
        default: return
        }
        building = .none
        switch result {
        case .succeeded:
            buildFailure = nil
            buildBackoff = .zero
            emit(.happened(.buildSucceeded))
            complete(.done) { $0.isBuilt(by: number) }
            if epoch == takenEpoch, case .preparing = activity { activity = .preparing(isBuilt: true) }
        case .failed(let reason):
            buildFailure = reason
            emit(.happened(.buildFailed(reason)))
            complete(.buildFailed(reason)) { goal in
                switch goal {
                case .up(let wanted), .switchedToLocal(let wanted): wanted == epoch
                case .built, .gone: goal.isBuilt(by: number)
                }
            }
            if epoch == takenEpoch, case .preparing = activity { giveUpBuilding(reason) }
        case .cancelled:
            let reason = "the build of \(service.name) was cancelled"
            complete(.failed(reason)) { $0.isBuilt(by: number) }
        }
    }

    private mutating func giveUpBuilding(_ reason: String) {
        if slots.contains(where: { $0.life.isRunning }) {
            emit(.note("\(reason); the previous build goes on serving", instance: nil))
            activity = .idle
            return
        }
        guard service.restart != .never else {
            activity = .buildFailed(nil)
            return emit(.note(reason, instance: nil))
        }
        buildBackoff = Self.next(after: buildBackoff)
        emit(.note("\(reason); next try in \(buildBackoff.inWords)", instance: nil))
        if buildBackoff < .seconds(1) {
            activity = .buildFailed(.near)
            emit(.setTimer(.rebuild, buildBackoff))
        } else {
            activity = .buildFailed(.far)
            emit(.setTimer(.rebuild, buildBackoff - .seconds(1)))
        }
    }

    mutating func rebuildIsNear() {
        switch activity {
        case .buildFailed(.far):
            activity = .buildFailed(.near)
            emit(.setTimer(.rebuild, .seconds(1)))
        case .buildFailed: activity = .preparing(isBuilt: false)
        case .idle, .preparing, .rolling: break
        }
    }

    /// 0.5 s, doubling to 30 s.
    private static func next(after backoff: Duration) -> Duration {
        min(max(backoff * 2, .milliseconds(500)), .seconds(30))
    }
}

extension ServiceMachine.Goal {
    func isBuilt(by number: Int) -> Bool {
        if case .built(let first) = self { first <= number } else { false }
    }
}

extension ExitStatus {
    public var inWords: String {
        switch self {
        case .exited(let code): "it exited with status \(code)"
        case .signalled(let signal): "it was ended by \(signal)"
        }
    }
}
