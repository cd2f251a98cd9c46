import EventLoop
import Manifest
import Platform

/// Keeps instances to the `memory` and `cpu` of their `limits`, by what a user may do without privileges.
///
/// Processors are given at the start, and all that an instance starts inherits them. Memory is looked at: RLIMIT_AS
/// would count address space, of which many runtimes reserve far more than they use, and control groups are seldom a
/// user's own. So there is a timer, but only while something with such a limit runs.
final class Confinement {
    private struct Subject {
        let limit: Int
        let onExcess: (_ used: Int) -> Void
    }

    private let loop: EventLoop
    private let trees: ProcessTrees
    private var subjects: [Int32: Subject] = [:]
    private var timer: Timer?

    private lazy var processors = ThisProcess.usableProcessors
    private var nextProcessor = 0

    private static let interval = Duration.seconds(1)

    init(on loop: EventLoop, trees: ProcessTrees) {
        self.loop = loop
        self.trees = trees
    }

    /// Whether the system lets anything be limited.
    var isPossible: Bool { !processors.isEmpty }

    /// Which processors an instance may run on, the least used first; empty: all.
    func processors(for limits: Limits) -> [Int32] {
        guard let count = limits.cpu, count < processors.count else { return [] }
        defer { nextProcessor = (nextProcessor + count) % processors.count }
        return (0..<count).map { processors[(nextProcessor + $0) % processors.count] }
    }

    /// Calls `onExcess` once if all processes of a program together use more than they may.
    func watch(_ process: ManagedProcess, _ limits: Limits, onExcess: @escaping (_ used: Int) -> Void) {
        guard let limit = limits.memory else { return }
        subjects[process.pid] = Subject(limit: limit, onExcess: onExcess)
        if timer?.isPending != true { lookLater() }
    }

    func forget(_ process: ManagedProcess) { subjects[process.pid] = nil }

    private func lookLater() {
        timer = loop.after(Self.interval) { [weak self] in self?.look() }
    }

    private func look() {
        guard !subjects.isEmpty else { return }
        let census = trees.census()
        for (pid, subject) in subjects {
            let tree = census[pid] ?? []
            // Pages that several share are counted for each of them here: it is never more.
            guard tree.reduce(0, { $0 + $1.resident }) > subject.limit else { continue }
            let used = tree.reduce(0) { $0 + (ProcessTable.proportionalMemory(of: $1.pid) ?? $1.resident) }
            guard used > subject.limit else { continue }
            subjects[pid] = nil
            subject.onExcess(used)
        }
        lookLater()
    }
}
