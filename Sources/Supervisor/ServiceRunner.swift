import EventLoop
import Manifest
import Platform

/// Runs one service: hands events to its machine, one after another, and carries out the effects.
final class ServiceRunner {
    let workshop: Workshop
    private(set) var machine: ServiceMachine
    /// Told after each change of the state.
    let onState: (ServiceRunner) -> Void

    var runs: [RunKey: LocalRun] = [:]
    /// Runs that are being started, with what is to be done to them once they are there.
    var awaited: [RunKey: [ServiceMachine.Effect]] = [:]
    var build: LocalBuild?
    /// What the machine was told last.
    var lastDependencyStatus = ServiceMachine.DependencyStatus.met
    private var timers: [ServiceMachine.Timer: (timer: Timer, due: Instant)] = [:]
    private var lastBuildBegan: WallTime?
    private var tickets: [Ticket: (Outcome) -> Void] = [:]
    private var lastTicket = 0
    private var events: [ServiceMachine.Event] = []
    private var isBusy = false

    init(
        _ service: Service, target: Place, instances: Int, in workshop: Workshop,
        onState: @escaping (ServiceRunner) -> Void
    ) {
        self.workshop = workshop
        self.onState = onState
        machine = ServiceMachine(service: service, target: target, instances: instances)
    }

    var service: Service { machine.service }
    var name: String { machine.service.name }
    var loop: EventLoop { workshop.loop }

    /// Gives a command; `done` is called once, perhaps at once.
    func command(_ make: (Ticket) -> ServiceMachine.Event, _ done: @escaping (Outcome) -> Void) {
        lastTicket += 1
        let ticket = Ticket(id: lastTicket)
        tickets[ticket] = done
        send(make(ticket))
    }

    /// Takes an event in; those that come while another's effects are carried out wait for their turn.
    func send(_ event: ServiceMachine.Event) {
        events.append(event)
        guard !isBusy else { return }
        isBusy = true
        while !events.isEmpty {
            for effect in machine.step(events.removeFirst()) { carryOut(effect) }
        }
        isBusy = false
    }

    func carryOut(_ effect: ServiceMachine.Effect) {
        let delegate = workshop.delegate
        switch effect {
        case .build(let number): startBuild(number)
        case .cancelBuild(let number, let kill): cancelBuild(number, kill: kill)
        case .spawn(let key): spawn(key)
        case .probeReady(let key): runs[key]?.probeReady()
        case .probeLive(let key): runs[key]?.prober?.probeLive()
        case .stopProbes(let key): runs[key]?.stopProbes(in: workshop)
        case .drain(let key, let limit): drain(key, limit)
        case .closeConnections(let key): delegate?.closeConnections(name, key)
        case .signal(let key, let number, let recipients):
            guard let process = runs[key]?.process else { return postpone(effect, key) }
            workshop.trees.signal(process, Signal(number), recipients)
        case .killTree(let key):
            if let process = runs[key]?.process { return workshop.trees.kill(process) }
            postpone(effect, key)
            let marker = marker(of: key)
            workshop.trees.killStarting { started, _ in started == marker }
        case .setTimer(let timer, let delay):
            timers[timer]?.timer.cancel()
            let running = loop.after(delay) { [weak self] in
                self?.timers[timer] = nil
                self?.send(.timerFired(timer))
            }
            timers[timer] = (running, .now + delay)
        case .cancelTimer(let timer): timers.removeValue(forKey: timer)?.timer.cancel()
        case .front(let front): delegate?.frontChanged(name, to: front)
        case .state(let state, let reason):
            delegate?.stateChanged(name, to: state, reason: reason)
            onState(self)
        case .complete(let ticket, let outcome): tickets.removeValue(forKey: ticket)?(outcome)
        case .note(let line, let instance): delegate?.note(name, instance: instance, line)
        case .happened(let happening):
            delegate?.happened(name, happening)
            if case .buildStarted = happening { lastBuildBegan = .now }
            // No other state, but enough for those that depend on it to be `started`.
            if case .started = happening { onState(self) }
        }
    }

    /// Until the run has been started; one that is gone needs nothing.
    private func postpone(_ effect: ServiceMachine.Effect, _ key: RunKey) { awaited[key]?.append(effect) }

    private func drain(_ key: RunKey, _ limit: Duration) {
        guard let delegate = workshop.delegate else { return send(.drained(key)) }
        delegate.drain(name, key, limit: limit) { [weak self] in self?.send(.drained(key)) }
    }

    /// Tells the front's state as it is before anything has happened.
    func announce() {
        if machine.hasFront { workshop.delegate?.frontChanged(name, to: machine.frontState) }
    }

    var prospects: [String] {
        var lines: [String] = []
        for slot in machine.slots {
            guard let wait = slot.life.nextTry,
                let due = timers[.retry(instance: slot.number)]?.due
            else {
                lines += handover(in: slot)
                continue
            }
            let left = max(due - .now, .zero) + (wait == .far ? .seconds(1) : .zero)
            lines.append("\(name).\(slot.number) is tried again in \(left.inWords)")
        }
        if let failure = machine.buildFailure {
            lines.append(servesPreviousBuild ?? failure)
            if let due = timers[.rebuild]?.due {
                let left = max(due - .now, .zero) + (machine.activity == .buildFailed(.far) ? .seconds(1) : .zero)
                lines.append("it is built again in \(left.inWords)")
            }
        }
        return lines
    }

    /// What serves is older than what a build was to make; nil where that is not so.
    private var servesPreviousBuild: String? {
        guard let failure = machine.buildFailure, let began = lastBuildBegan,
            machine.slots.contains(where: { $0.life.serves })
        else { return nil }
        let why = failure.replacing("the build of \(name) failed: ", with: "")
        return "serving the previous build; the build of \(began.timeOfDay) failed: \(why)"
    }

    /// Which processes there are beside the one that `status` shows, or why that one was not replaced.
    private func handover(in slot: Slot) -> [String] {
        let id = "\(name).\(slot.number)"
        if let run = slot.aside.run {
            let process = run.pid.map { "pid \($0)" } ?? "being started"
            return slot.hasSuccessor
                ? ["\(id) serves until its successor (\(process)) is ready"]
                : ["beside \(id) another process of it (\(process)) is being stopped"]
        }
        guard slot.life.isRunning, let failure = slot.handoverFailure else { return [] }
        return ["\(id) was not replaced in the last restart: \(failure)"]
    }

    var timerCount: Int { timers.count + runs.values.filter { $0.prober?.isWaiting ?? false }.count }

    /// Its status with what the machine does not know: when the processes were started.
    var status: ServiceSnapshot {
        var status = machine.status
        status.remark = servesPreviousBuild
        for index in status.instances.indices {
            guard let generation = status.instances[index].generation else { continue }
            let key = RunKey(instance: status.instances[index].number, generation: generation)
            status.instances[index].started = runs[key]?.started
        }
        return status
    }
}
