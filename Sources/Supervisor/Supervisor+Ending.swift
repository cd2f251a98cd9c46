import EventLoop
import Platform

/// The end of all services.
extension Supervisor {
    /// Stops everything: each service once those that depend on it are gone, all that can in parallel.
    /// - Parameter done: called when no process of the mesh is left but for the `undying`.
    public func stopAll(_ done: @escaping () -> Void) {
        workshop.containers.beginToEnd()
        stopping = Stopping(waiting: Set(names), done: (stopping?.done ?? []) + [done])
        advanceStopping()
        watchForUndying()
    }

    /// Processes that SIGKILL did not end, once `stopAll` or `killAll` is done, and that are there still.
    public var undying: [ProcessEntry] {
        workshop.trees.undying.filter { known in
            ProcessTable.entry(known.pid).map { $0.started == known.started && !$0.isZombie } ?? false
        }
    }

    /// KILLs everything at once.
    public func killAll(_ done: @escaping () -> Void) {
        workshop.containers.beginToEnd()
        stopping = Stopping(waiting: [], under: Set(names), isKilling: true, done: (stopping?.done ?? []) + [done])
        workshop.trees.killStarting()
        for name in names {
            runners[name]?.command({ .kill($0) }) { [weak self] _ in self?.isDown(name) }
        }
        sweepIfDown()
        watchForUndying()
    }

    /// Looks every now and then, since nobody tells of what does not end.
    private func watchForUndying() {
        guard undyingWatch?.isPending != true, stopping != nil || workshop.trees.strays != nil else { return }
        undyingWatch = workshop.loop.after(workshop.patience / 5) { [weak self] in
            guard let self else { return }
            workshop.trees.giveUp(after: workshop.patience)
            watchForUndying()
        }
    }

    struct Stopping {
        /// Not yet told to stop, since something that depends on them is not gone.
        var waiting: Set<String>
        /// Told to.
        var under: Set<String> = []
        /// Nothing is waited for.
        var isKilling = false
        var done: [() -> Void]
    }

    func advanceStopping() {
        guard let stopping else { return }
        let ready = stopping.waiting.filter { name in
            dependents(on: name).allSatisfy { !stopping.waiting.contains($0) && !stopping.under.contains($0) }
        }
        // A cycle, which the manifest refuses, must not keep the mesh from ending.
        let next = ready.isEmpty && stopping.under.isEmpty ? stopping.waiting : ready
        self.stopping?.waiting.subtract(next)
        self.stopping?.under.formUnion(next)
        for name in next.sorted() {
            runners[name]?.command({ .end($0) }) { [weak self] _ in self?.isDown(name) }
        }
        sweepIfDown()
    }

    private func isDown(_ name: String) {
        stopping?.under.remove(name)
        // Not from within the runner that has just said so.
        workshop.loop.later { [weak self] in self?.advanceStopping() }
    }

    /// What escaped from its tree, or was left behind by a build, goes last.
    private func sweepIfDown() {
        guard let stopping, stopping.waiting.isEmpty, stopping.under.isEmpty, !stopping.done.isEmpty else { return }
        if !stopping.isKilling, !workshop.worktrees.isAtRest {
            return workshop.worktrees.whenAtRest { [weak self] in self?.sweepIfDown() }
        }
        if workshop.containers.mayBeLeft { return workshop.containers.removeAll { [weak self] in self?.sweepIfDown() } }
        self.stopping = nil
        let prefix = workshop.project + "/"
        let ownsOrphans = workshop.ownsOrphans
        workshop.trees.killStrays(
            where: { ProcessTrees.marker(of: $0)?.hasPrefix(prefix) ?? ownsOrphans },
            done: { for done in stopping.done { done() } })
    }
}
