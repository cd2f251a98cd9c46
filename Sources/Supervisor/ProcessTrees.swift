import EventLoop
import Platform

/// Starts programs and knows when they and all their offspring are gone.
///
/// What belongs to a program: its process group and session, its descendants, and orphans that came to this process
/// (a child subreaper) and carry its marker in their environment. Whenever something ends, SIGCHLD says so: then, and
/// only then, it is looked who is left.
final class ProcessTrees {
    static let markerName = "DEVMESH_INSTANCE"

    private let loop: EventLoop
    private let children: Children
    private var observer: Int?
    private var watched: [Int32: ManagedProcess] = [:]
    private var strays: (isOurs: (ProcessEntry) -> Bool, done: () -> Void)?
    private var recheck: Timer?

    init(on loop: EventLoop, children: Children) {
        self.loop = loop
        self.children = children
        observer = children.addObserver { [weak self] in self?.look() }
    }

    func close() {
        if let observer { children.removeObserver(observer) }
        observer = nil
        recheck?.cancel()
    }

    /// Starts a program; its callbacks come on a later turn of the loop.
    func spawn(_ request: SpawnRequest, marker: String, stdin: Int32 = -1, stdout: Int32 = -1, stderr: Int32 = -1)
        throws(SpawnFailure) -> ManagedProcess
    {
        var request = request
        request.environment[Self.markerName] = marker
        // Filled in below, before the loop can turn.
        let box = Box()
        let pid = try children.spawn(request, stdin: stdin, stdout: stdout, stderr: stderr) {
            status in
            box.process?.phase = .exited(status)
        }
        let process = ManagedProcess(pid: pid, marker: marker)
        box.process = process
        watched[pid] = process
        return process
    }

    func signal(_ process: ManagedProcess, _ signal: Signal, _ recipients: ServiceMachine.Recipients) {
        switch recipients {
        case .leader: _ = ChildTable.signal(process.pid, signal, group: false)
        case .group: signalGroup(process, signal)
        case .tree:
            for member in members(of: process, in: .snapshot()) { ProcessTable.signal(member, signal) }
            if ProcessTable.snapshot().entries.isEmpty { signalGroup(process, signal) }
        }
    }

    /// KILLs everything of it, and whatever appears of it later.
    func kill(_ process: ManagedProcess) {
        guard !process.isGone else { return }
        process.isDoomed = true
        signalGroup(process, .kill)
        for member in members(of: process, in: .snapshot()) { ProcessTable.signal(member, .kill) }
    }

    /// Whether one of its processes has one of these sockets open.
    func owns(_ process: ManagedProcess, anyOf inodes: Set<UInt64>) -> Bool {
        if !inodes.isDisjoint(with: SocketTable.sockets(of: process.pid)) { return true }
        return members(of: process, in: .snapshot()).contains {
            !inodes.isDisjoint(with: SocketTable.sockets(of: $0.pid))
        }
    }

    /// Kills orphans that belong to nothing that is watched; `done` is called when none is left.
    func killStrays(where isOurs: @escaping (ProcessEntry) -> Bool, done: @escaping () -> Void) {
        strays = (isOurs, done)
        look()
    }

    private func signalGroup(_ process: ManagedProcess, _ signal: Signal) {
        guard process.hasGroup else { return }
        ChildTable.signal(process.pid, signal, group: true)
    }

    // MARK: Looking

    private func look() {
        let ended = watched.values.filter { !$0.isLeaderAlive }.sorted { $0.pid < $1.pid }
        guard !ended.isEmpty || strays != nil else { return }
        let orphans = orphans()
        for process in ended where process.hasGroup { process.hasGroup = ProcessTable.groupExists(process.pid) }
        // All of /proc is read only where something may be left.
        let isQuiet = orphans.isEmpty && !ended.contains { $0.hasGroup }
        let table = isQuiet ? ProcessTable([]) : ProcessTable.snapshot()
        for process in ended { update(process, members(of: process, in: table)) }
        endStrays(orphans, in: table)
        if watched.values.contains(where: { !$0.isLeaderAlive }) { recheckWithoutSubreaper() }
    }

    private func update(_ process: ManagedProcess, _ members: [ProcessEntry]) {
        // Where the table can't be read, the group is all that is known.
        let count = members.isEmpty && process.hasGroup && !Self.hasTable ? 1 : members.count
        if process.isDoomed {
            signalGroup(process, .kill)
            for member in members { ProcessTable.signal(member, .kill) }
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
    private func members(of process: ManagedProcess, in table: ProcessTable) -> [ProcessEntry] {
        let own = ThisProcess.id
        var roots: Set<Int32> = []
        for entry in table.entries where entry.pid != own {
            let isOurs =
                (process.isLeaderAlive && entry.pid == process.pid) || entry.group == process.pid
                || entry.session == process.pid
                || (isOrphan(entry) && Self.marker(of: entry) == process.marker)
            if isOurs { roots.insert(entry.pid) }
        }
        guard !roots.isEmpty else { return [] }
        var found: [Int32: ProcessEntry] = [:]
        for root in roots {
            found[root] = table[root]
            for entry in table.descendants(of: root) { found[entry.pid] = entry }
        }
        return found.values.filter { !$0.isZombie }.sorted { $0.pid < $1.pid }
    }

    private func orphans() -> [ProcessEntry] {
        ProcessTable.children(of: ThisProcess.id).filter { isOrphan($0) && !$0.isZombie }
    }

    /// Adopted by this process, or by init where this process is no subreaper.
    private func isOrphan(_ entry: ProcessEntry) -> Bool {
        (entry.parent == ThisProcess.id || entry.parent == 1) && !ChildTable.contains(entry.pid)
    }

    static func marker(of entry: ProcessEntry) -> String? {
        guard let found = ProcessTable.environment(of: entry.pid)?.first(where: { $0.hasPrefix(markerName + "=") })
        else { return nil }
        return String(found.dropFirst(markerName.count + 1))
    }

    private func endStrays(_ orphans: [ProcessEntry], in table: ProcessTable) {
        guard let strays else { return }
        let claimed = watched.values.map(\.marker)
        let left = orphans.filter { entry in
            guard strays.isOurs(entry) else { return false }
            return Self.marker(of: entry).map { !claimed.contains($0) } ?? true
        }
        guard !left.isEmpty else {
            self.strays = nil
            return strays.done()
        }
        for entry in left {
            ProcessTable.signal(entry, .kill)
            for below in table.descendants(of: entry.pid) { ProcessTable.signal(below, .kill) }
        }
    }

    /// Only where orphans go elsewhere does nobody tell when they end.
    private func recheckWithoutSubreaper() {
        guard !Self.hasTable, recheck?.isPending != true else { return }
        recheck = loop.after(.milliseconds(20)) { [weak self] in self?.look() }
    }

    private static let hasTable = !ProcessTable.snapshot().entries.isEmpty

    private final class Box {
        weak var process: ManagedProcess?
    }
}
