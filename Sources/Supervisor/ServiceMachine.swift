import Manifest

/// One service with its instances: every decision about it, and nothing else. It has no clock and no process:
/// events go in, effects come out, and whoever runs the effects sends their results back as events.
///
///     command, exit, probe, timer … → step → spawn, signal, front, ticket …
///
/// Three numbers keep late things from doing harm. A *generation* names one process; events of a past one change
/// nothing. An *epoch* names one restart of the service: a command is done when every instance runs a process of
/// its epoch or a later one, so that any number of restarts that come in while one is under way share the next.
/// A *build* number names one run of the build.
public struct ServiceMachine: Sendable {
    var service: Service
    /// Which target the front uses.
    var target: Place
    /// Whether it should be up at all.
    var isWanted = false
    /// How many instances there should be; `slots` may be more while the surplus goes down.
    var count: Int
    var slots: [Slot] = []
    var activity: Activity = .idle
    var building: Build = .none
    /// Else it waits for its turn among the builds of all services.
    var buildHasBegun = false
    var localUse: LocalUse = .unused
    /// Whether its files have changed since the processes were started that nobody uses.
    var isStale = false
    var dependencies: DependencyStatus = .met
    var waiters: [Waiter] = []

    /// The epoch that was asked for last, the one taken up last, and the one that new processes belong to.
    var requestedEpoch = 0
    var takenEpoch = 0
    var epoch = 0
    var lastGeneration = 0
    var lastBuild = 0
    /// Why the last build failed; nil when the last one succeeded.
    var buildFailure: String?
    var buildBackoff: Duration = .zero
    var remoteFailure: String?

    /// Gathered during a step.
    var effects: [Effect] = []
    var completions: [Effect] = []
    var shown: (state: ServiceState, reason: String?, front: ServiceFront?)

    /// Where the service is with being started, restarted or built anew.
    enum Activity: Sendable, Equatable {
        case idle
        /// Waits for dependencies and for the build.
        case preparing(isBuilt: Bool)
        /// Nothing serves and the build failed: waits for the next try or, with nil, for a command.
        case buildFailed(Life.Wait?)
        /// Replaces instances one after another: those in `queue` still serve.
        case rolling(queue: [Int], current: Int?)
    }

    enum Build: Sendable, Equatable {
        case none
        /// `epoch` is what it is for; nil: only because someone asked to build.
        case running(Int, epoch: Int?)
        case cancelling(Int)
    }

    /// What the local processes are good for while the front uses the remote.
    enum LocalUse: Sendable, Equatable {
        case unused
        /// To be switched to once they are ready.
        case switching
        /// No longer used, until the linger timer fires.
        case lingering
        case kept
    }

    public init(service: Service, target: Place, instances: Int) {
        self.service = service
        self.target = target
        self.count = instances
        shown = (.stopped, nil, nil)
        shown.reason = stateAndReason.reason
    }

    /// Takes in what happened and returns what is to be done about it, in that order.
    public mutating func step(_ event: Event) -> [Effect] {
        handle(event)
        reconcile()
        settle()
        show()
        defer {
            effects = []
            completions = []
        }
        // Whoever is told that it is done must find the front and the state as they are now.
        return effects + completions
    }

    private mutating func handle(_ event: Event) {
        switch event {
        case .start(let ticket): start(ticket)
        case .stop(let ticket): stop(ticket)
        case .restart(let ticket): restart(ticket)
        case .build(let ticket): build(ticket)
        case .scale(let wanted, let ticket): scale(to: wanted, ticket)
        case .use(let target, let keep, let ticket): use(target, keep: keep, ticket)
        case .configure(let changed, let ticket): configure(changed, ticket)
        case .filesChanged(let cancelsBuild): filesChanged(cancelsBuild: cancelsBuild)
        case .retarget(let wanted): if !isWanted { target = wanted }
        case .end(let ticket): end(ticket)
        case .kill(let ticket): kill(ticket)
        case .dependencies(let status): dependencies = status
        case .buildBegan(let number): buildBegan(number)
        case .buildEnded(let number, let result): buildEnded(number, result)
        case .spawned(let key, let pid, let port): spawned(key, pid: pid, port: port)
        case .spawnFailed(let key, let reason): spawnFailed(key, reason: reason)
        case .probePassed(let key, let host): probePassed(key, host: host)
        case .probeFailed(let key, let reason): probeFailed(key, reason: reason)
        case .leaderExited(let key, let exit, let leftovers, let portTaken):
            leaderExited(key, exit, leftovers: leftovers, portTaken: portTaken)
        case .outgrew(let key, let reason): outgrew(key, reason: reason)
        case .treeGone(let key): treeGone(key)
        case .drained(let key): drained(key)
        case .timerFired(let timer): timerFired(timer)
        case .remoteFailed(let reason):
            if target == .remote { remoteFailure = reason }
        case .remoteSucceeded: remoteFailure = nil
        }
    }

    private mutating func timerFired(_ timer: Timer) {
        switch timer {
        case .ready(let key): readyTimeoutPassed(key)
        case .stop(let key): patienceEnded(key)
        case .retry(let instance): retryIsNear(instance)
        case .settled(let key):
            guard let seat = seat(of: key), case .ready = slots[seat] else { return }
            slots[seat.index].backoff = .zero
        case .trial(let key):
            if let seat = seat(of: key) { slots[seat].update { $0.isOnTrial = false } }
        case .rebuild: rebuildIsNear()
        case .linger:
            if case .lingering = localUse { localUse = .unused }
        }
    }

    /// Where the run of this generation is; nil when it is no more.
    func seat(of key: RunKey) -> Seat? {
        let index = key.instance - 1
        guard slots.indices.contains(index) else { return nil }
        return [Seat(index: index), Seat(index: index, isAside: true)].first { slots[$0].run?.key == key }
    }

    /// All that a run may be in.
    var seats: [Seat] { slots.indices.flatMap { [Seat(index: $0), Seat(index: $0, isAside: true)] } }

    /// Whether its processes should be running.
    var wantsLocal: Bool { isWanted && (target == .local || localUse != .unused) }

    var hasFront: Bool { service.listens != .nothing }

    mutating func emit(_ effect: Effect) {
        effects.append(effect)
    }

    mutating func finish(_ ticket: Ticket, _ outcome: Outcome) {
        completions.append(.complete(ticket, outcome))
    }
}
