import EventLoop
import Manifest
import Platform

/// Keeps instances to the `memory` and `cpu` of their `limits`, by what every user may do on every Linux.
///
/// Processors are given at the start, and all that an instance starts inherits them. Memory is looked at once a second,
/// so what takes it faster is found out late: RLIMIT_AS would count address space, of which many runtimes reserve far
/// more than they use, and a control group can be had only where a session manager has delegated one. So there is a
/// timer, but only while something with such a limit runs.
final class Confinement {
    private struct Subject {
        let limit: Int
        let onExcess: (_ used: Int) -> Void
        /// What was resident when it was last found to use less than that, shared pages being counted once only.
        var cleared = (resident: 0, until: Instant(nanoseconds: .min))
    }

    private let loop: EventLoop
    private let trees: ProcessTrees
    private var subjects: [Int32: Subject] = [:]
    private var timer: Timer?

    private lazy var processors = ThisProcess.usableProcessors
    /// Those that processes of limited instances run on.
    private var taken: [OutputSource: [Int32]] = [:]

    private static let interval = Duration.seconds(1)
    /// How long the memory of a tree is not measured exactly again unless it grows: that takes a while.
    private static let clearance = Duration.seconds(10)

    init(on loop: EventLoop, trees: ProcessTrees) {
        self.loop = loop
        self.trees = trees
    }

    var isIdle: Bool { timer?.isPending != true }

    /// What of `limits` this system has no means for; a sentence's end.
    func gap(in limits: Limits) -> String? {
        var keys: [String] = []
        if limits.memory != nil, !ProcessTrees.hasTable { keys.append("memory") }
        if limits.cpu != nil, processors.isEmpty { keys.append("cpu") }
        return keys.isEmpty ? nil : "its `limits` of \(keys.joined(separator: " and ")) have no effect on this system"
    }

    // MARK: Processors

    /// Takes those that a process of an instance may run on, the least taken first; empty: all.
    func take(for limits: Limits, _ source: OutputSource) -> [Int32] {
        guard let count = limits.cpu, count < processors.count else { return [] }
        var uses = Dictionary(uniqueKeysWithValues: processors.map { ($0, 0) })
        for number in taken.values.joined() { uses[number, default: 0] += 1 }
        let chosen = processors.sorted { (uses[$0] ?? 0, $0) < (uses[$1] ?? 0, $1) }.prefix(count)
        taken[source] = Array(chosen)
        return Array(chosen)
    }

    func giveBack(_ source: OutputSource) { taken[source] = nil }

    // MARK: Memory

    /// Calls `onExcess` once if all processes of a program together use more than they may.
    func watch(_ process: ManagedProcess, _ limits: Limits, onExcess: @escaping (_ used: Int) -> Void) {
        guard let limit = limits.memory, ProcessTrees.hasTable else { return }
        subjects[process.pid] = Subject(limit: limit, onExcess: onExcess)
        if isIdle { lookLater() }
    }

    func forget(_ process: ManagedProcess) {
        guard subjects.removeValue(forKey: process.pid) != nil, subjects.isEmpty else { return }
        timer?.cancel()
    }

    private func lookLater() {
        timer = loop.after(Self.interval) { [weak self] in self?.look() }
    }

    private func look() {
        let census = trees.census()
        for (pid, subject) in subjects {
            guard let used = excess(of: census[pid] ?? [], subject, pid) else { continue }
            subjects[pid] = nil
            subject.onExcess(used)
        }
        if !subjects.isEmpty, isIdle { lookLater() }
    }

    /// What a tree uses if that is too much.
    private func excess(of tree: [ProcessEntry], _ subject: Subject, _ pid: Int32) -> Int? {
        // Pages that several share are counted for each of them here: it is never more.
        let resident = tree.reduce(0) { $0 + $1.resident }
        guard resident > subject.limit else { return nil }
        let cleared = subject.cleared
        if resident <= cleared.resident, loop.now < cleared.until { return nil }
        let used = tree.reduce(0) { $0 + (ProcessTable.proportionalMemory(of: $1.pid) ?? $1.resident) }
        if used > subject.limit { return used }
        subjects[pid]?.cleared = (resident, loop.now + Self.clearance)
        return nil
    }
}
