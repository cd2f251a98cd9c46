import Manifest
import Platform
@testable import Supervisor

extension Service {
    /// A service with a front, ready by `tcp`, unless `change` says otherwise.
    static func sample(_ name: String = "reader", _ change: (inout Service) -> Void = { _ in }) -> Service {
        var service = Service(name: name, directory: "/", run: .shell("true"))
        change(&service)
        return service
    }

    static let sampleRemote = Remote(
        scheme: .http, host: "members.example", port: 80, path: "", hostHeader: "members.example",
        url: "http://members.example")
}

/// A machine and what its effects have brought about: processes, timers, tickets. Nothing happens by itself.
struct World {
    typealias Machine = ServiceMachine
    enum Process: Equatable { case running, signalled, killed }

    var machine: Machine
    var processes: [RunKey: Process] = [:]
    var timers: [Machine.Timer: Duration] = [:]
    var outcomes: [Int: Outcome] = [:]
    var probing: Set<RunKey> = []
    var draining: Set<RunKey> = []
    var builds: [Int] = []
    /// Whether builds wait until `beginBuild`.
    var isBusy = false
    var cancelled: [Int] = []
    var front: ServiceFront?
    var state: ServiceState = .stopped
    var reason: String?
    var notes: [String] = []
    /// Of the last event.
    var effects: [Machine.Effect] = []
    /// What must never be; a test says that it is empty.
    var violations: [String] = []
    /// Whether it was ever to start a new process beside the old.
    private(set) var hasOverlapped = false
    private var lastTicket = 0

    init(_ service: Service = .sample(), target: Place = .local, instances: Int = 1) {
        machine = Machine(service: service, target: target, instances: instances)
    }

    mutating func send(_ event: Machine.Event) {
        effects = machine.step(event)
        if machine.overlaps { hasOverlapped = true }
        for effect in effects { take(effect) }
        if !isBusy, effects.contains(where: { if case .build = $0 { true } else { false } }) { beginBuild() }
    }

    /// The build that waits gets its turn.
    mutating func beginBuild() {
        for effect in machine.step(.buildBegan(builds[0])) { take(effect) }
    }

    /// Sends a command and returns its ticket's number.
    @discardableResult
    mutating func command(_ make: (Ticket) -> Machine.Event) -> Int {
        lastTicket += 1
        send(make(Ticket(id: lastTicket)))
        return lastTicket
    }

    private mutating func take(_ effect: Machine.Effect) {
        switch effect {
        case .build(let number):
            if !builds.isEmpty { violations.append("two builds at once") }
            builds.append(number)
        case .cancelBuild(let number, _): cancelled.append(number)
        case .spawn(let key):
            // In an overlap one more may be on its way up, or down.
            let others = processes.keys.count { $0.instance == key.instance }
            if others > (hasOverlapped ? 1 : 0) {
                violations.append("too many live generations of instance \(key.instance)")
            }
            processes[key] = .running
        case .probeReady(let key), .probeLive(let key): probing.insert(key)
        case .stopProbes(let key): probing.remove(key)
        case .drain(let key, _): draining.insert(key)
        case .closeConnections: break
        case .signal(let key, _, _):
            if case .pass(let backends, _, _) = front, backends.contains(where: { $0.run == key }) {
                violations.append("the front passes on to \(key), which is being signalled")
            }
            processes[key] = processes[key] == .killed ? .killed : .signalled
            draining.remove(key)
        case .killTree(let key):
            if processes[key] != nil { processes[key] = .killed }
        case .setTimer(let timer, let delay): timers[timer] = delay
        case .cancelTimer(let timer): timers[timer] = nil
        case .front(let front): self.front = front
        case .state(let state, let reason):
            self.state = state
            self.reason = reason
        case .complete(let ticket, let outcome):
            if outcomes[ticket.id] != nil { violations.append("ticket \(ticket.id) completed twice") }
            outcomes[ticket.id] = outcome
        case .note(let line, _): notes.append(line)
        case .happened: break
        }
    }

    // MARK: What the world does

    /// The running processes in the order of their start.
    var keys: [RunKey] { processes.keys.sorted { $0.generation < $1.generation } }
    var newest: RunKey { keys.last! }

    mutating func spawned(_ key: RunKey? = nil) {
        let key = key ?? newest
        send(.spawned(key, pid: Int32(1000 + key.generation), port: 10000 + key.generation))
    }

    /// Every process that has not said so is spawned and ready.
    mutating func everythingGetsReady() {
        for key in keys {
            spawned(key)
            send(.probePassed(key, host: "127.0.0.1"))
        }
    }

    mutating func exit(_ key: RunKey, _ exit: ExitStatus, leftovers: Int = 0, portTaken: String? = nil) {
        if leftovers == 0 { processes[key] = nil }
        send(.leaderExited(key, exit, leftovers: leftovers, portTaken: portTaken))
    }

    /// What was signalled or killed ends.
    mutating func signalledEnd() {
        for key in keys where processes[key] != .running { exit(key, .signalled(.terminate)) }
    }

    mutating func drained() {
        for key in draining.sorted(by: { $0.generation < $1.generation }) { send(.drained(key)) }
    }

    mutating func endBuild(_ result: Machine.BuildResult) {
        let number = builds.removeFirst()
        send(.buildEnded(number, result))
    }

    mutating func fire(_ timer: Machine.Timer) {
        timers[timer] = nil
        send(.timerFired(timer))
    }

    /// A service that serves.
    static func ready(_ service: Service = .sample(), instances: Int = 1) -> World {
        var world = World(service, instances: instances)
        world.command { .start($0) }
        if service.build != nil { world.endBuild(.succeeded) }
        world.everythingGetsReady()
        return world
    }

    var backends: [Int] {
        if case .pass(let backends, _, _) = front { backends.map(\.run.instance).sorted() } else { [] }
    }
    /// The processes that the front passes on to.
    var serving: [RunKey] {
        if case .pass(let backends, _, _) = front { backends.map(\.run) } else { [] }
    }
    var holds: Bool {
        if case .hold = front { true } else { false }
    }
    var answers: Bool {
        if case .answer = front { true } else { false }
    }
}
