import EventLoop
import Manifest
import Platform
import Supervisor
import TestSupport
import Testing

/// Random commands against real processes that crash, while system calls fail at random. A seed that fails is named:
/// put it into `arguments` to play it again.
@Suite struct RandomRunTests {
    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func anyCommands_withCrashesAndFailingCalls_completeAndLeaveNothing(seed: UInt64) {
        let plan = FaultPlan()
        let result: String? = onLoop(kernel: Kernel(faults: plan), within: .seconds(120)) { loop, done in
            let run = RandomRun(Rig(loop), plan, seed)
            run.begin { done($0) }
        }
        #expect(result == "\(RandomRun.commands) completed, 0 left", "seed \(seed)")
    }
}

private final class RandomRun {
    static let commands = 40

    private let rig: Rig
    private let plan: FaultPlan
    private var random: SeededGenerator
    private var completed = 0
    private var asked = 0
    private let names = ["db", "api", "web"]

    init(_ rig: Rig, _ plan: FaultPlan, _ seed: UInt64) {
        self.rig = rig
        self.plan = plan
        random = SeededGenerator(seed)
    }

    func begin(_ done: @escaping (String) -> Void) {
        let crashing = ["setsid", "sleep", "40", "exit", "1"]
        let api = Bool.random(using: &random) ? crashing : ["daemon", "serve", "echo"]
        rig.supervisor.add([
            .init(service("db", ["serve", "echo"])), .init(service("api", api)),
            .init(service("web", ["child", "serve", "echo"])),
        ])
        next(done)
    }

    private func service(_ name: String, _ verbs: [String]) -> Service {
        .fixture(verbs, name: name) { service in
            service.stop.timeout = .milliseconds(100)
            service.ready.timeout = .seconds(3)
        }
    }

    /// A few commands at once, then the next few when any of them has completed.
    private func next(_ done: @escaping (String) -> Void) {
        guard asked < Self.commands else {
            return rig.when({ self.completed == Self.commands }) { self.finish(done) }
        }
        injectFault()
        let count = min(Int.random(in: 1...4, using: &random), Self.commands - asked)
        asked += count
        let awaited = completed + 1
        for _ in 0..<count { command() }
        rig.when({ self.completed >= min(awaited, Self.commands) }) { self.next(done) }
    }

    private func injectFault() {
        let fault: (FaultPlan.Call, Errno) =
            switch Int.random(in: 0..<6, using: &random) {
            case 0: (.spawn, .again)
            case 1: (.spawn, .noMemory)
            case 2: (.pipe, .tooManyOpenFiles)
            case 3: (.connect, .connectionRefused)
            case 4: (.socket, .tooManyOpenFiles)
            default: (.read, .interrupted)
            }
        let nth = plan.count(fault.0) + Int.random(in: 1...3, using: &random)
        plan.inject(fault.0, nth: nth, times: Int.random(in: 1...2, using: &random), .fails(fault.1))
    }

    private func command() {
        let name = names.randomElement(using: &random)!
        let supervisor = rig.supervisor
        let done: Supervisor.Completion = { [self] _ in
            completed += 1
            rig.check()
        }
        switch Int.random(in: 0..<8, using: &random) {
        case 0...1: try! supervisor.start(name, done)
        case 2...3: try! supervisor.stop(name, done)
        case 4...5: try! supervisor.restart(name, done)
        case 6: try! supervisor.scale(name, to: Int.random(in: 1...3, using: &random), done)
        default:
            if let pid = rig.pid(name) { ChildTable.signal(pid, .kill, group: Bool.random(using: &random)) }
            try! supervisor.start(name, done)
        }
    }

    private func finish(_ done: @escaping (String) -> Void) {
        plan.clear()
        let completed = completed
        let project = rig.project
        rig.supervisor.stopAll { [rig] in
            let left = ProcessTable.snapshot().entries.filter { entry in
                let mark = "DEVMESH_INSTANCE=\(project)/"
                let environment = ProcessTable.environment(of: entry.pid) ?? []
                return !entry.isZombie && environment.contains { $0.hasPrefix(mark) }
            }
            rig.finish { done("\(completed) completed, \(left.count) left") }
        }
    }
}
