import EventLoop
import Platform

/// Finding out who is left of a tree whose leader has ended.
extension ProcessTrees {
    func look() {
        let ended = watched.values.filter { !$0.isLeaderAlive }.sorted { $0.pid < $1.pid }
        guard !ended.isEmpty || strays != nil else { return }
        let orphans = orphans()
        for process in ended where process.hasGroup { process.hasGroup = ProcessTable.groupExists(process.pid) }
        // All of /proc is read only where something is left: whoever has no living parent of ours is an orphan.
        let isQuiet =
            strays == nil
            && !ended.contains { process in process.hasGroup || orphans.contains { belongs($0, to: process) } }
        let table = isQuiet ? ProcessTable([]) : ProcessTable.snapshot()
        for process in ended { update(process, members(of: process, in: table)) }
        endStrays(orphans, in: table)
        if watched.values.contains(where: { !$0.isLeaderAlive }) { recheckWithoutSubreaper() }
    }

    private func update(_ process: ManagedProcess, _ members: [ProcessEntry]) {
        // Where the table can't be read, the group is all that is known.
        let count = members.isEmpty && process.hasGroup && !Self.hasTable ? 1 : members.count
        if process.doom != nil {
            signalGroup(process, .kill)
            for member in members { ProcessTable.signal(member, .kill, kernel: loop.kernel) }
        }
        let phase = process.phase
        process.phase = count == 0 ? .gone : .leaderless
        if count == 0 { watched[process.pid] = nil }
        switch phase {
        case .exited(let status):
            process.stdin = nil
            process.onExit?(status, count)
        case .leaderless:
            if count == 0 { process.onGone?() }
        case .running, .gone: break
        }
        if count == 0 {
            process.onExit = nil
            process.onGone = nil
        }
    }

    /// Living members, the leader included.
    func members(
        of process: ManagedProcess, in table: ProcessTable, marker: (ProcessEntry) -> String? = ProcessTrees.marker
    ) -> [ProcessEntry] {
        var found: [Int32: ProcessEntry] = [:]
        for entry in table.entries where entry.pid != ThisProcess.id && belongs(entry, to: process, marker) {
            found[entry.pid] = entry
            for below in table.descendants(of: entry.pid) { found[below.pid] = below }
        }
        let living = found.filter { !$0.value.isZombie }
        process.known = living.mapValues(\.started)
        return living.values.sorted { $0.pid < $1.pid }
    }

    private func belongs(
        _ entry: ProcessEntry, to process: ManagedProcess, _ marker: (ProcessEntry) -> String? = ProcessTrees.marker
    ) -> Bool {
        if entry.pid == process.pid { return process.isLeaderAlive }
        if entry.group == process.pid || entry.session == process.pid { return true }
        if process.known[entry.pid] == entry.started { return true }
        guard isOrphan(entry) else { return false }
        return ProcessTable.tag(of: entry.pid) == process.tag || marker(entry) == process.marker
    }

    private func orphans() -> [ProcessEntry] {
        ChildTable.orphans().filter { !$0.isZombie }
    }

    /// Adopted by this process, not started by it.
    private func isOrphan(_ entry: ProcessEntry) -> Bool {
        entry.parent == ThisProcess.id && !ChildTable.contains(entry.pid)
    }

    static func marker(of entry: ProcessEntry) -> String? {
        guard let found = ProcessTable.environment(of: entry.pid)?.first(where: { $0.hasPrefix(markerName + "=") })
        else { return nil }
        return String(found.dropFirst(markerName.count + 1))
    }

    private func endStrays(_ orphans: [ProcessEntry], in table: ProcessTable) {
        guard let strays else { return }
        let left = orphans.filter { entry in strays.isOurs(entry) && !undying.contains { $0.pid == entry.pid } }
        for entry in left {
            for each in [entry] + table.descendants(of: entry.pid) {
                ProcessTable.signal(each, .kill, kernel: loop.kernel)
            }
        }
        guard left.isEmpty, watched.isEmpty, !children.areStarting else { return }
        self.strays = nil
        strays.done()
    }

    /// Lets go of what has been KILLed for that long and is there still, as if it had ended: it hangs in the kernel, or
    /// belongs to another user. It is among `undying` from then on.
    func giveUp(after patience: Duration) {
        let limit = Instant.now + (.zero - patience)
        killStarting { _, since in since <= limit }
        let table = ProcessTable.snapshot()
        for process in watched.values.sorted(by: { $0.pid < $1.pid }) {
            guard let doom = process.doom, doom <= limit else { continue }
            undying += members(of: process, in: table)
            watched[process.pid] = nil
            let phase = process.phase
            process.phase = .gone
            switch phase {
            case .running, .exited: process.onExit?(.signalled(.kill), 0)
            case .leaderless: process.onGone?()
            case .gone: break
            }
            process.onExit = nil
            process.onGone = nil
        }
        guard let strays, strays.since <= limit, watched.isEmpty, !children.areStarting else { return }
        undying += orphans().filter { entry in strays.isOurs(entry) && !undying.contains { $0.pid == entry.pid } }
        self.strays = nil
        strays.done()
    }

    /// Only where orphans go elsewhere does nobody tell when they end.
    private func recheckWithoutSubreaper() {
        guard !Self.hasTable, recheck?.isPending != true else { return }
        recheck = loop.after(.milliseconds(20)) { [weak self] in self?.look() }
    }

    static let hasTable = !ProcessTable.snapshot().entries.isEmpty
}
