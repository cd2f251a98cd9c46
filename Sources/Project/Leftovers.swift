import Platform

/// What a mesh left behind that did not end in order.
public struct Leftovers: Sendable {
    public enum End: Sendable, Equatable {
        /// The machine, or the container, was started again since.
        case withTheMachine
        /// Its guardian, or the mesh itself, ended it all.
        case told(time: WallTime, how: String)
        /// Nobody was left to end anything.
        case alone
    }

    /// Its supervisor's pid and when it began; nil where the journal is damaged.
    public var began: (supervisor: Int32, time: WallTime)?
    public var end = End.alone
    /// What was still running, by the names of the instances that the processes belonged to, with their pids.
    public var ended: [(name: String, pid: Int32)] = []
    /// Those that SIGKILL did not end.
    public var left: [ProcessEntry] = []

    /// Looks whether there is anything, and ends what is there; for the holder of the project's lease, before it starts
    /// anything. Waits until it is gone, or for `patience`; the journal goes with the last of it.
    ///
    /// A process is known by its pid with the time at which it was started, by its tag, by the variable that every
    /// process of this project carries, or by its control group; and so are those below it.
    ///
    /// - Parameter marker: the variable, as `DEVMESH_INSTANCE=0123456789abcdef/`, which the instance's name follows.
    /// - Returns: nil where there is nothing to tell.
    public static func clear(
        _ project: LocatedProject, marker: String, patience: Duration = .seconds(5), kernel: Kernel = .real
    ) -> Leftovers? {
        guard let bytes = try? kernel.readFile(project.journalFile) else { return nil }
        let record = JournalRecord(bytes)
        var leftovers = Leftovers()
        if let record { leftovers.began = (record.supervisor, record.since) }
        if let record, record.life != PIDLife.current(kernel) {
            leftovers.end = .withTheMachine
        } else {
            if let end = record?.end { leftovers.end = .told(time: end.time, how: end.how) }
            // Of what the journal says, only what can be this project's is believed.
            let groups = (record?.groups ?? []).filter { Path.name($0.folder).hasPrefix(project.controlGroupPrefix) }
            leftovers.kill(record, marker, groups, patience)
        }
        if leftovers.left.isEmpty { Journal.remove(project, kernel: kernel) }
        // Killed before it had written a line, it had started nothing.
        let isNothing = record == nil && leftovers.ended.isEmpty && leftovers.left.isEmpty
        return isNothing ? nil : leftovers
    }

    private mutating func kill(
        _ record: JournalRecord?, _ marker: String, _ groups: [ControlGroup], _ patience: Duration
    ) {
        let limit = Instant.now + patience
        var known: Set<Int32> = []
        while true {
            let (found, whole) = Self.find(record, marker, groups)
            guard !found.isEmpty else {
                for group in whole { _ = group.end(by: limit) }
                return
            }
            for group in whole { group.killAll() }
            for (entry, name) in found {
                if known.insert(entry.pid).inserted { ended.append((name, entry.pid)) }
                ProcessTable.signal(entry, .kill)
            }
            guard .now < limit else {
                left = found.map(\.entry)
                let pids = Set(left.map(\.pid))
                ended.removeAll { pids.contains($0.pid) }
                return
            }
            // They are not ours to be told of.
            PlatformThread.sleep(.milliseconds(2))
        }
    }

    /// - Returns: what is left, and the groups in which there is nothing else.
    private static func find(_ record: JournalRecord?, _ marker: String, _ groups: [ControlGroup])
        -> (found: [(entry: ProcessEntry, name: String)], whole: [ControlGroup])
    {
        let table = ProcessTable.snapshot()
        let spared = ancestors(in: table)
        var found: [Int32: (entry: ProcessEntry, name: String)] = [:]
        func add(_ entry: ProcessEntry, _ name: String) {
            guard !entry.isZombie, !spared.contains(entry.pid), found[entry.pid] == nil else { return }
            found[entry.pid] = (entry, name)
        }
        let variable = marker.prefix { $0 != "=" } + "="
        let marks = Dictionary(
            uniqueKeysWithValues: table.entries.compactMap { entry in
                ProcessTable.environment(of: entry.pid)?.first { $0.hasPrefix(variable) }.map { (entry.pid, $0) }
            })
        let known = record?.left(in: table).map { ($0.process, $0.entry.name) } ?? []
        let marked = table.entries.compactMap { entry -> (ProcessEntry, String)? in
            guard let mark = marks[entry.pid], mark.hasPrefix(marker) else { return nil }
            return (entry, String(mark.dropFirst(marker.count)))
        }
        // What has another mesh's mark is that one's.
        for (root, name) in known + marked where marks[root.pid]?.hasPrefix(marker) ?? true {
            add(root, unit(name))
            // Of one that is spared, such as the shell that this was started from, the others are as well.
            if !spared.contains(root.pid) {
                for entry in table.descendants(of: root.pid) { add(entry, unit(name)) }
            }
        }
        let whole = groups.filter { group in
            let members = group.members().compactMap(ProcessTable.entry)
            let ours = members.filter { !spared.contains($0.pid) && marks[$0.pid]?.hasPrefix(marker) ?? true }
            for entry in ours { add(entry, ProcessTable.program(of: entry.pid) ?? "a process") }
            return ours.count == members.count
        }
        return (found.values.sorted { $0.entry.pid < $1.entry.pid }, whole)
    }

    /// `reader.1` of `reader.1#3`.
    private static func unit(_ name: String) -> String { String(name.prefix { $0 != "#" }) }

    /// This process and those above it: a terminal that a service opened may be where the next mesh is started.
    private static func ancestors(in table: ProcessTable) -> Set<Int32> {
        var found: Set<Int32> = []
        var pid = ThisProcess.id
        while pid > 0, found.insert(pid).inserted { pid = table[pid]?.parent ?? 0 }
        return found
    }
}
