import Platform
import Synchronization

/// What a mesh has started, on disk, so that the next one finds what a crash left running: `.devmesh/…/journal`.
///
///     devmesh-journal 2 0a1b2c3d-… 4711 1795300000000000     life of the pids, supervisor's, µs since 1970 when it began
///     @ /sys/fs/cgroup/…/devmesh-0a1b2c3d4e5f6071-28c4…     the control group that it is in, where there is one
///     + 4712 8812345 8812346 2718281828 reader.1#1           pid, between which moments it was started, and its tag
///     ! 1795300012000000 its supervisor was killed           when it ended otherwise than by `down`, and how
///
/// Lines are appended and never waited for: it is of use as long as the machine has not been started again. Ends are
/// not noted, since pid and time tell whether a process is the one. It is gone once a mesh has ended in order.
public final class Journal: Sendable {
    private struct State: ~Copyable {
        var file: Descriptor
        var size = 0
        /// At which it is written anew, without those that have ended.
        var limit: Int
        /// Whether the last line may lack its end.
        var isTorn = false
    }

    private let path: String
    private let header: String
    private let kernel: Kernel
    private let state: Mutex<State>

    static let firstLine = "devmesh-journal 2 "

    /// Begins a new one, with what the one before tells of that would not end.
    /// - Parameter group: that this process and what it starts is in.
    public init(
        _ project: LocatedProject, in group: ControlGroup? = nil, limit: Int = 256 << 10, kernel: Kernel = .real
    ) throws(ProjectError) {
        path = project.journalFile
        var header = "\(Self.firstLine)\(PIDLife.current(kernel)) \(ThisProcess.id) \(WallTime.now.microseconds)\n"
        if let group { header += Self.line(group) }
        self.header = header
        self.kernel = kernel
        do throws(Errno) {
            let file = try Self.write(header + (Self.living(path, besides: header, kernel) ?? ""), path, kernel)
            state = Mutex(State(file: file, limit: limit))
        } catch {
            throw .unwritable(path: path, error, mend: "devmesh keeps track of its processes there: make room.")
        }
    }

    /// Notes a process that was started just now, on whatever thread.
    /// - Parameters:
    ///   - tag: that it was started with (`SpawnRequest.tag`).
    ///   - began: `Instant.sinceBoot` before it was started.
    public func started(_ pid: Int32, _ name: String, tag: UInt64, began: Instant) {
        let entry = Entry(
            pid: pid, earliest: began.ticks - 1, latest: Instant.sinceBoot.ticks + 1, tag: tag, name: name)
        append(entry.line)
    }

    /// Notes that the mesh ended otherwise than by `down`.
    public static func noteEnd(of project: LocatedProject, _ how: String, kernel: Kernel = .real) {
        guard let file = try? kernel.open(project.journalFile, .append) else { return }
        try? kernel.writeAll(file, "\n! \(WallTime.now.microseconds) \(how)\n")
    }

    /// Whether a mesh is up, or has not ended in order.
    public static func exists(_ project: LocatedProject, kernel: Kernel = .real) -> Bool {
        kernel.status(project.journalFile) != nil
    }

    /// Whether it is that supervisor's, and nobody has noted an end.
    public static func isOpen(_ project: LocatedProject, of supervisor: Int32, kernel: Kernel = .real) -> Bool {
        open(project, kernel)?.supervisor == supervisor
    }

    /// Who writes it, where that process lives and nobody has noted an end.
    static func livingSupervisor(of project: LocatedProject, kernel: Kernel) -> Int32? {
        guard let record = open(project, kernel), record.life == PIDLife.current(kernel),
            ProcessTable.entry(record.supervisor)?.isZombie == false
        else { return nil }
        return record.supervisor
    }

    private static func open(_ project: LocatedProject, _ kernel: Kernel) -> JournalRecord? {
        guard let bytes = try? kernel.readFile(project.journalFile), let record = JournalRecord(bytes),
            record.end == nil
        else { return nil }
        return record
    }

    /// The mesh has ended in order.
    public static func remove(_ project: LocatedProject, kernel: Kernel = .real) {
        try? kernel.remove(project.journalFile)
    }

    private func append(_ line: String) {
        state.withLock { state in
            // A full disk costs the mesh nothing but the certainty of what a crash leaves.
            state.isTorn = (try? kernel.writeAll(state.file, state.isTorn ? "\n" + line : line)) == nil
            state.size += line.utf8.count
            if state.size > state.limit { compact(&state) }
        }
    }

    private func compact(_ state: inout State) {
        guard let living = Self.living(path, besides: header, kernel),
            let file = try? Self.write(header + living, path, kernel)
        else { return }
        state.file = file
        state.isTorn = false
        state.size = living.utf8.count
        // Should that many live, it must not be written anew for each line.
        state.limit = max(state.limit, state.size * 2)
    }

    /// The lines of a journal about those that live, but for what a header tells; nil where there is none.
    private static func living(_ path: String, besides header: String, _ kernel: Kernel) -> String? {
        guard let bytes = try? kernel.readFile(path), let record = JournalRecord(bytes) else { return nil }
        let left = Set(record.left(in: .snapshot()).map(\.entry))
        let groups = record.groups.filter(\.exists).map(line).filter { !header.hasSuffix($0) }
        return (groups + record.entries.filter(left.contains).map(\.line)).joined()
    }

    private static func line(_ group: ControlGroup) -> String { "@ \(group.folder)\n" }

    /// Puts a new one in the place of what is there; it is open already when it gets there.
    private static func write(_ text: String, _ path: String, _ kernel: Kernel) throws(Errno) -> Descriptor {
        let beside = path + ".new"
        do throws(Errno) {
            try kernel.remove(beside)
            let file = try kernel.open(beside, .append)
            try kernel.writeAll(file, text)
            try kernel.rename(beside, to: path)
            return file
        } catch {
            try? kernel.remove(beside)
            throw error
        }
    }
}

/// A process that the journal tells of.
struct Entry: Hashable {
    var pid: Int32
    /// In ticks since boot, as /proc tells them, of which there are a hundred a second.
    var earliest: Int64
    var latest: Int64
    /// What it hands down to its offspring (`SpawnRequest.tag`).
    var tag: UInt64
    var name: String

    var line: String { "+ \(pid) \(earliest) \(latest) \(tag) \(name)\n" }

    /// Whether that is the process, and none that got its pid later.
    func isThat(_ process: ProcessEntry) -> Bool {
        process.pid == pid && (earliest...latest).contains(Int64(process.started))
    }
}

/// A journal that was read.
struct JournalRecord {
    var life: String
    var supervisor: Int32
    var since: WallTime
    var entries: [Entry] = []
    /// Control groups in which everything was that it started.
    var groups: [ControlGroup] = []
    /// How it ended, where somebody was left to say.
    var end: (time: WallTime, how: String)?

    /// Nil for anything else than a journal. What is torn or damaged in it is left out.
    init?(_ bytes: [UInt8]) {
        // A torn line has no end, and perhaps the half of a number.
        guard let last = bytes.lastIndex(of: UInt8(ascii: "\n")) else { return nil }
        let lines = String(decoding: bytes[..<last], as: UTF8.self).split(separator: "\n")
        let head = lines.first?.split(separator: " ") ?? []
        guard lines.first?.hasPrefix(Journal.firstLine) == true, head.count == 5, let supervisor = Int32(head[3]),
            let since = Int64(head[4])
        else { return nil }
        life = String(head[2])
        self.supervisor = supervisor
        self.since = WallTime(microseconds: since)
        for line in lines.dropFirst() {
            let words = line.split(separator: " ", maxSplits: line.hasPrefix("!") ? 2 : 5)
            if words.first == "+", words.count == 6, let pid = Int32(words[1]), pid > 1, let earliest = Int64(words[2]),
                let latest = Int64(words[3]), earliest <= latest, let tag = UInt64(words[4])
            {
                let name = String(words[5])
                entries.append(Entry(pid: pid, earliest: earliest, latest: latest, tag: tag, name: name))
            } else if line.hasPrefix("@ /") {
                groups.append(ControlGroup(String(line.dropFirst(2))))
            } else if words.first == "!", words.count == 3, let time = Int64(words[1]) {
                end = (WallTime(microseconds: time), String(words[2]))
            }
        }
    }

    /// What is left of its processes and of all that came from them, each with the entry that it comes from.
    func left(in table: ProcessTable) -> [(process: ProcessEntry, entry: Entry)] {
        let latest = Dictionary(entries.map { ($0.pid, $0) }) { $1 }
        let tagged = Dictionary(entries.map { ($0.tag, $0) }) { $1 }
        return table.entries.compactMap { process in
            if let entry = ProcessTable.tag(of: process.pid).flatMap({ tagged[$0] }) { return (process, entry) }
            guard let entry = latest[process.pid], entry.isThat(process) else { return nil }
            return (process, entry)
        }
    }
}

/// Names the time for which a pid means what it meant: a start of the machine (random(4)), and within it one of the
/// container, whose pids begin anew while the machine runs on (pid_namespaces(7)).
enum PIDLife {
    static func current(_ kernel: Kernel) -> String {
        guard let bytes = try? kernel.readFile("/proc/sys/kernel/random/boot_id") else { return "unknown" }
        let boot = String(decoding: bytes.prefix { $0 > 0x20 }, as: UTF8.self)
        let namespace = kernel.linkTarget("/proc/self/ns/pid") ?? ""
        return "\(boot)/\(namespace)/\(ProcessTable.entry(1)?.started ?? 0)"
    }
}

extension Instant {
    fileprivate var ticks: Int64 { nanoseconds / 10_000_000 }
}
