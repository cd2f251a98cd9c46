import Manifest
import Platform
import TestSupport
import Testing

@testable import Supervisor

/// Random commands, crashes and delays against the machine. A seed that fails is printed and can be played again:
/// put it into `arguments`.
@Suite struct ServiceMachineModelTests {
    @Test(arguments: 0..<400 as Range<UInt64>)
    func anyOrderOfEvents_keepsTheInvariantsAndCompletesEveryTicket(seed: UInt64) {
        var random = SeededGenerator(seed)
        var model = Model(seed, &random)
        for _ in 0..<200 { model.step(&random) }
        model.comeToRest()
        let issues = model.issues
        #expect(issues.isEmpty, "seed \(seed): \(issues.joined(separator: "; "))")
    }
}

private struct Model {
    var world: World
    var tickets: [Int] = []
    var issues: [String] = []
    var spawned: Set<RunKey> = []
    var collapsed: Set<RunKey> = []
    let service: Service

    init(_ seed: UInt64, _ random: inout SeededGenerator) {
        service = .sample { service in
            if Bool.random(using: &random) { service.build = .shell("make") }
            if Bool.random(using: &random) { service.remote = Service.sampleRemote }
            if Bool.random(using: &random) { service.live = LiveProbe(kind: .tcp, failures: 2) }
            if Bool.random(using: &random) { service.stop.drain = .zero }
            service.oneShot = Int.random(in: 0..<8, using: &random) == 0
            service.restart = RestartPolicy.allCases.randomElement(using: &random)!
            if Int.random(in: 0..<8, using: &random) == 0 { service.listens = .nothing }
            if !service.oneShot, Bool.random(using: &random) { service.handover = .overlap }
        }
        world = World(service, instances: Int.random(in: 1...3, using: &random))
    }

    mutating func step(_ random: inout SeededGenerator) {
        switch Int.random(in: 0..<20, using: &random) {
        case 0...3: command(&random)
        case 4: world.send(.dependencies(dependencies(&random)))
        case 5...6:
            if let timer = Array(world.timers.keys).sorted(by: { "\($0)" < "\($1)" }).randomElement(using: &random) {
                world.fire(timer)
            }
        case 7...8: if !world.builds.isEmpty { endBuild(&random) }
        case 9: world.drained()
        case 10: lateEvent(&random)
        case 11: world.send(.filesChanged(cancelsBuild: Bool.random(using: &random)))
        default:
            if let key = world.keys.randomElement(using: &random) { happen(to: key, &random) }
        }
        check()
    }

    private mutating func command(_ random: inout SeededGenerator) {
        let target: Place = Bool.random(using: &random) ? .local : .remote
        let count = Int.random(in: 1...4, using: &random)
        let keep = Bool.random(using: &random)
        var changed = service
        if !service.oneShot { changed.handover = Handover.allCases.randomElement(using: &random)! }
        let ticket =
            switch Int.random(in: 0..<12, using: &random) {
            case 0...1: world.command { .start($0) }
            case 2...3: world.command { .stop($0) }
            case 4...6: world.command { .restart($0) }
            case 7: world.command { .build($0) }
            case 8: world.command { .scale(count, $0) }
            case 9: world.command { .use(target, keep: keep, $0) }
            case 10: world.command { .configure(changed, $0) }
            default: world.command { .kill($0) }
            }
        tickets.append(ticket)
    }

    private func dependencies(_ random: inout SeededGenerator) -> ServiceMachine.DependencyStatus {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: .waiting(reason: "waits", blocksBuild: Bool.random(using: &random))
        case 1: .blocked(reason: "blocked", blocksBuild: Bool.random(using: &random))
        default: .met
        }
    }

    private mutating func endBuild(_ random: inout SeededGenerator) {
        if world.cancelled.contains(world.builds[0]) { return world.endBuild(.cancelled) }
        world.endBuild(Bool.random(using: &random) ? .succeeded : .failed(reason: "the build failed"))
    }

    private mutating func happen(to key: RunKey, _ random: inout SeededGenerator) {
        if collapsed.contains(key) {
            world.processes[key] = nil
            return world.send(.treeGone(key))
        }
        if spawned.insert(key).inserted {
            if Int.random(in: 0..<8, using: &random) > 0 { return world.spawned(key) }
            world.processes[key] = nil
            return world.send(.spawnFailed(key, reason: "no program"))
        }
        switch Int.random(in: 0..<10, using: &random) {
        case 0...4: world.send(.probePassed(key, host: nil))
        case 5: world.send(.probeFailed(key, reason: "no"))
        case 7 where world.processes[key] != .running: world.exit(key, .signalled(.terminate))
        case 8:
            collapsed.insert(key)
            world.exit(key, .exited(Int32.random(in: 0...1, using: &random)), leftovers: 1)
        case 9: world.exit(key, .exited(1), portTaken: Bool.random(using: &random) ? "nginx" : nil)
        default: break
        }
    }

    /// Something about a process that is gone already.
    private mutating func lateEvent(_ random: inout SeededGenerator) {
        let past = spawned.filter { world.processes[$0] == nil }.sorted { $0.generation < $1.generation }
        guard let key = past.randomElement(using: &random) else { return }
        let before = world.machine.status
        switch Int.random(in: 0..<8, using: &random) {
        case 0: world.send(.leaderExited(key, .exited(0), leftovers: 0, portTaken: nil))
        case 1: world.send(.treeGone(key))
        case 2: world.send(.drained(key))
        case 3: world.send(.probePassed(key, host: nil))
        case 4: world.send(.probeFailed(key, reason: "late"))
        case 5: world.send(.timerFired(.stop(key)))
        case 6: world.send(.timerFired(.ready(key)))
        default: world.send(.spawned(key, pid: 1, port: 1))
        }
        if world.machine.status != before { issues.append("a late event of \(key) changed something") }
    }

    private mutating func check() {
        if case .pass(let backends, _, _) = world.front {
            for backend in backends where world.processes[backend.run] != .running {
                issues.append("the front passes on to \(backend.run), which does not run")
            }
            if Set(backends.map(\.run.instance)).count < backends.count {
                issues.append("the front passes on to two processes of one instance")
            }
        }
        for slot in world.machine.slots {
            switch slot.aside {
            case .idle, .draining, .stopping, .killing, .collapsing: break
            case .starting: if !slot.life.isRunning { issues.append("a successor of what does not run") }
            case .ready, .unready, .backoff, .failed, .completed: issues.append("\(slot.aside) aside")
            }
        }
        issues += world.violations
        world.violations = []
    }

    /// Nothing more is asked for; whatever is under way comes to its end, well or badly.
    mutating func comeToRest() {
        world.send(.dependencies(.met))
        for round in 0..<60 {
            if !world.builds.isEmpty {
                world.endBuild(world.cancelled.contains(world.builds[0]) ? .cancelled : .succeeded)
            }
            world.drained()
            for key in world.keys {
                if collapsed.contains(key) {
                    world.processes[key] = nil
                    world.send(.treeGone(key))
                } else if world.processes[key] != .running {
                    world.exit(key, .signalled(.terminate))
                } else if service.oneShot {
                    world.exit(key, .exited(0))
                } else {
                    if spawned.insert(key).inserted { world.spawned(key) }
                    world.send(.probePassed(key, host: nil))
                }
                check()
            }
            if round > 40, tickets.allSatisfy({ world.outcomes[$0] != nil }) { break }
            for timer in world.timers.keys {
                if case .retry = timer { world.fire(timer) }
                if case .rebuild = timer { world.fire(timer) }
                if case .trial = timer { world.fire(timer) }
            }
        }
        for ticket in tickets where world.outcomes[ticket] == nil { issues.append("ticket \(ticket) never completed") }
        let transient: Set<ServiceState> = [.building, .pending, .starting, .stopping]
        if transient.contains(world.state) { issues.append("it came to rest as \(world.state)") }
        if world.state == .stopped, !world.processes.isEmpty { issues.append("stopped, but processes are left") }
        let status = world.machine.status
        if status.state != world.state || status.reason != world.reason {
            issues.append("the state shown is an old one")
        }
    }
}
