import Manifest

/// The commands: each notes what is wanted, and who waits for it. How it comes about is `reconcile`'s business.
extension ServiceMachine {
    /// Someone who waits for an outcome.
    struct Waiter: Sendable, Equatable {
        let ticket: Ticket
        let goal: Goal
    }

    enum Goal: Sendable, Equatable {
        /// Every instance is ready, or has completed, in this epoch or a later one.
        case up(epoch: Int)
        /// Nothing of these generations and builds is left.
        case gone(generation: Int, build: Int)
        /// A build of this number or a later one has ended.
        case built(Int)
        /// The local target has taken over.
        case switchedToLocal(epoch: Int)
    }

    mutating func start(_ ticket: Ticket) {
        isWanted = true
        if target == .remote, localUse != .switching { return finish(ticket, .done) }
        waiters.append(Waiter(ticket: ticket, goal: .up(epoch: askToRun())))
    }

    mutating func stop(_ ticket: Ticket) {
        isWanted = false
        waiters.append(Waiter(ticket: ticket, goal: .gone(generation: lastGeneration, build: lastBuild)))
    }

    mutating func restart(_ ticket: Ticket) {
        guard service.runsHere else { return finish(ticket, .failed(runsNowhere)) }
        isWanted = true
        if target == .remote, localUse != .switching { return finish(ticket, .done) }
        waiters.append(Waiter(ticket: ticket, goal: .up(epoch: askForNewProcess())))
    }

    mutating func build(_ ticket: Ticket) {
        guard service.needsBuild else {
            let reason = "\(service.name) has nothing to build; give its entry in the manifest a `build` command"
            return finish(ticket, .failed(reason))
        }
        // One that has begun may have missed what was changed since.
        waiters.append(Waiter(ticket: ticket, goal: .built(waitsForItsTurn ? lastBuild : lastBuild + 1)))
    }

    mutating func scale(to wanted: Int, _ ticket: Ticket) {
        guard service.runsHere else { return finish(ticket, .failed(runsNowhere)) }
        guard !service.oneShot || wanted == 1 else {
            let reason = "\(service.name) is a job that runs once (\"oneShot\"), so it has one instance"
            return finish(ticket, .failed(reason))
        }
        count = wanted
        emit(.happened(.scaled(wanted)))
        guard wantsLocal else { return finish(ticket, .done) }
        waiters.append(Waiter(ticket: ticket, goal: .up(epoch: 0)))
    }

    mutating func use(_ wanted: Place, keep: Bool, _ ticket: Ticket) {
        isWanted = true
        switch wanted {
        case .remote:
            guard service.remote != nil else {
                let reason = "\(service.name) has no remote; give its entry in the manifest a `remote`"
                return finish(ticket, .failed(reason))
            }
            switchToRemote(keep: keep)
            finish(ticket, .done)
        case .local:
            guard service.runsHere else {
                return finish(ticket, .failed(runsNowhere))
            }
            if target == .local { return start(ticket) }
            emit(.cancelTimer(.linger))
            localUse = .switching
            waiters.append(Waiter(ticket: ticket, goal: .switchedToLocal(epoch: askToRun())))
        }
    }

    private var runsNowhere: String {
        "\(service.name) can't run here; give its entry in the manifest a `run` command"
    }

    private mutating func switchToRemote(keep: Bool) {
        let wasLocal = target == .local
        target = .remote
        remoteFailure = nil
        if wasLocal || localUse == .switching { emit(.happened(.switched(.remote))) }
        emit(.cancelTimer(.linger))
        let serves = slots.contains { $0.life.serves }
        if !serves {
            localUse = .unused
        } else if keep {
            localUse = .kept
        } else {
            localUse = .lingering
            emit(.setTimer(.linger, .seconds(30)))
        }
    }

    mutating func configure(_ changed: Service, _ ticket: Ticket) {
        service = changed
        if target == .local, !changed.runsHere {
            target = .remote
            localUse = .unused
        } else if target == .remote, changed.remote == nil {
            target = .local
            localUse = .unused
        }
        guard wantsLocal else { return finish(ticket, .done) }
        waiters.append(Waiter(ticket: ticket, goal: .up(epoch: askForNewProcess())))
    }

    /// Whether what runs here serves, or is to.
    var usesLocal: Bool { wantsLocal && (target == .local || localUse == .switching) }

    /// Nothing is started for it that somebody has stopped, or that nobody uses.
    mutating func filesChanged(cancelsBuild: Bool) {
        guard usesLocal else {
            isStale = true
            return
        }
        _ = askForNewProcess()
        // Whoever asked for that very build gets it.
        guard cancelsBuild, requestedEpoch > takenEpoch, case .preparing = activity,
            case .running(let number, .some) = building,
            !waiters.contains(where: { $0.goal.isBuilt(by: number) })
        else { return }
        building = .cancelling(number)
        emit(.cancelBuild(number, kill: false))
        activity = .idle
    }

    /// Whether there is a build that misses nothing of what is changed now.
    private var waitsForItsTurn: Bool {
        if case .running = building { !buildHasBegun } else { false }
    }

    mutating func end(_ ticket: Ticket) {
        stop(ticket)
        forgetBuilds()
        guard case .running(let number, nil) = building else { return }
        building = .cancelling(number)
        emit(.cancelBuild(number, kill: false))
    }

    /// Else one that waits for its turn would begin after all.
    private mutating func forgetBuilds() {
        complete(.failed("\(service.name) was stopped meanwhile")) { goal in
            if case .built = goal { true } else { false }
        }
    }

    mutating func kill(_ ticket: Ticket) {
        stop(ticket)
        forgetBuilds()
        for seat in seats {
            guard let run = slots[seat].run else { continue }
            forgetTimers(of: run)
            emit(.stopProbes(run.key))
            emit(.closeConnections(run.key))
            emit(.killTree(run.key))
            slots[seat] = .killing(run, .rest)
        }
        switch building {
        case .none: break
        case .running(let number, _), .cancelling(let number):
            emit(.cancelBuild(number, kill: true))
            building = .cancelling(number)
        }
    }

    /// The epoch in which it will be up: any, where it runs already.
    private mutating func askToRun() -> Int {
        if isStale { return askForNewProcess() }
        let present = slots.prefix(count)
        if present.count == count, present.allSatisfy({ $0.life.isReady }) { return 0 }
        switch activity {
        case .rolling, .preparing: return max(takenEpoch, requestedEpoch)
        case .idle where present.contains(where: { $0.life.isRunning || $0.life.isBeingReplaced }):
            for index in present.indices { wake(index) }
            return 0
        case .idle, .buildFailed: return askForNewProcess()
        }
    }

    /// Has an instance that is down, or on its way down, run again beside those that run.
    private mutating func wake(_ index: Int) {
        switch slots[index].life {
        case .backoff, .failed, .completed:
            emit(.cancelTimer(.retry(instance: slots[index].number)))
            slots[index].life = .idle
        case .draining(let run, .rest): slots[index].life = .draining(run, .replace)
        case .stopping(let run, .rest): slots[index].life = .stopping(run, .replace)
        case .killing(let run, .rest): slots[index].life = .killing(run, .replace)
        default: break
        }
    }

    /// The epoch whose processes start, and whose build begins, after this moment.
    private mutating func askForNewProcess() -> Int {
        if canJoinTakenEpoch { return takenEpoch }
        requestedEpoch = takenEpoch + 1
        return requestedEpoch
    }

    /// Whether nothing of the epoch that is under way has begun yet that could have missed the latest change.
    private var canJoinTakenEpoch: Bool {
        guard requestedEpoch == takenEpoch else { return false }
        switch activity {
        case .idle, .buildFailed: return false
        case .preparing(let isBuilt):
            if case .running(_, let epoch) = building, epoch == takenEpoch { return !buildHasBegun }
            return !isBuilt || !service.needsBuild
        case .rolling:
            return !service.needsBuild
                && !slots.contains { slot in
                    slot.runs.contains { $0.epoch == takenEpoch } || slot.life.isUp(since: takenEpoch)
                }
        }
    }
}
