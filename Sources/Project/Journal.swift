import Platform
import Synchronization

/// What a mesh has started, on disk, so that the next one finds what a crash left running: `.devmesh/…/journal`.
///
///     devmesh-journal 1 0a1b2c3d-… 4711 1795300000000000     boot, supervisor's pid, µs since 1970 when it began
///     + 4712 8812345 8812346 reader.1#1                      pid, and between which moments it was started
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
    }

    private let path: String
    private let header: String
    private let kernel: Kernel
    private let state: Mutex<State>

    static let firstLine = "devmesh-journal 1 "

    /// Begins a new one; what was there is lost.
    public init(_ project: LocatedProject, limit: Int = 256 << 10, kernel: Kernel = .real) throws(ProjectError) {
        path = project.journalFile
        header = "\(Self.firstLine)\(BootID.current(kernel)) \(ThisProcess.id) \(WallTime.now.microseconds)\n"
        self.kernel = kernel
        do throws(Errno) {
            try kernel.remove(path)
            let file = try kernel.open(path, .append)
            try kernel.writeAll(file, header)
            state = Mutex(State(file: file, limit: limit))
        } catch {
            throw .unwritable(path: path, error, mend: "devmesh keeps track of its processes there: make room.")
        }
    }

    /// Notes a process that was started just now, on whatever thread.
    /// - Parameter began: `Instant.sinceBoot` before it was started.
    public func started(_ pid: Int32, _ name: String, began: Instant) {
        let entry = Entry(pid: pid, earliest: began.ticks - 1, latest: Instant.sinceBoot.ticks + 1, name: name)
        append(entry.line)
    }

    /// Notes that the mesh ended otherwise than by `down`.
    public static func noteEnd(of project: LocatedProject, _ how: String, kernel: Kernel = .real) {
        guard let file = try? kernel.open(project.journalFile, .append) else { return }
        try? kernel.writeAll(file, "! \(WallTime.now.microseconds) \(how)\n")
    }

    /// Whether a mesh is up, or has not ended in order.
    public static func exists(_ project: LocatedProject, kernel: Kernel = .real) -> Bool {
        kernel.status(project.journalFile) != nil
    }

    /// Whether it is that supervisor's, and nobody has noted an end.
    public static func isOpen(_ project: LocatedProject, of supervisor: Int32, kernel: Kernel = .real) -> Bool {
        guard let bytes = try? kernel.readFile(project.journalFile), let record = JournalRecord(bytes) else {
            return false
        }
        return record.supervisor == supervisor && record.end == nil
    }

    /// The mesh has ended in order.
    public static func remove(_ project: LocatedProject, kernel: Kernel = .real) {
        try? kernel.remove(project.journalFile)
    }

    private func append(_ line: String) {
        state.withLock { state in
            // A full disk costs the mesh nothing but the certainty of what a crash leaves.
            try? kernel.writeAll(state.file, line)
            state.size += line.utf8.count
            if state.size > state.limit { compact(&state) }
        }
    }

    private func compact(_ state: inout State) {
        guard let bytes = try? kernel.readFile(path), let record = JournalRecord(bytes) else { return }
        let left = Set(record.left(in: .snapshot()).map(\.entry.pid))
        let living = record.entries.filter { left.contains($0.pid) }.map(\.line).joined()
        guard (try? kernel.replaceFile(path, with: Array((header + living).utf8), isDurable: false)) != nil,
            let file = try? kernel.open(path, .append)
        else { return }
        state.file = file
        state.size = living.utf8.count
        // Should that many live, it must not be written anew for each line.
        state.limit = max(state.limit, state.size * 2)
    }
}

/// A process that the journal tells of.
struct Entry: Equatable {
    var pid: Int32
    /// In ticks since boot, as /proc tells them, of which there are a hundred a second.
    var earliest: Int64
    var latest: Int64
    var name: String

    var line: String { "+ \(pid) \(earliest) \(latest) \(name)\n" }

    /// Whether that is the process, and none that got its pid later.
    func isThat(_ process: ProcessEntry) -> Bool {
        process.pid == pid && (earliest...latest).contains(Int64(process.started))
    }
}

/// A journal that was read.
struct JournalRecord {
    var boot: String
    var supervisor: Int32
    var since: WallTime
    var entries: [Entry] = []
    /// How it ended, where somebody was left to say.
    var end: (time: WallTime, how: String)?

    /// Nil for anything else than a journal. What is torn or damaged in it is left out.
    init?(_ bytes: [UInt8]) {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        let head = lines.first?.split(separator: " ") ?? []
        guard lines.first?.hasPrefix(Journal.firstLine) == true, head.count == 5, let supervisor = Int32(head[3]),
            let since = Int64(head[4])
        else { return nil }
        boot = String(head[2])
        self.supervisor = supervisor
        self.since = WallTime(microseconds: since)
        for line in lines.dropFirst() {
            let words = line.split(separator: " ", maxSplits: line.hasPrefix("!") ? 2 : 4)
            if words.first == "+", words.count == 5, let pid = Int32(words[1]), pid > 1, let earliest = Int64(words[2]),
                let latest = Int64(words[3]), earliest <= latest
            {
                entries.append(Entry(pid: pid, earliest: earliest, latest: latest, name: String(words[4])))
            } else if words.first == "!", words.count == 3, let time = Int64(words[1]) {
                end = (WallTime(microseconds: time), String(words[2]))
            }
        }
    }

    /// What is left of its processes, their sessions and groups included, each with the entry that it comes from.
    ///
    /// A pid is not given again while a session or a group has it as its name (credentials(7)). A later one of that
    /// name, whose leader has gone as well, can't be told from these.
    func left(in table: ProcessTable) -> [(process: ProcessEntry, entry: Entry)] {
        let latest = Dictionary(entries.map { ($0.pid, $0) }) { $1 }
        let processes = Dictionary(table.entries.map { ($0.pid, $0) }) { $1 }
        return table.entries.compactMap { process in
            for name in [process.pid, process.session, process.group] {
                guard let entry = latest[name], Int64(process.started) >= entry.earliest else { continue }
                if processes[name].map(entry.isThat) ?? true { return (process, entry) }
            }
            return nil
        }
    }
}

/// Tells one start of the machine from another (random(4)).
enum BootID {
    static func current(_ kernel: Kernel) -> String {
        guard let bytes = try? kernel.readFile("/proc/sys/kernel/random/boot_id") else { return "unknown" }
        return String(decoding: bytes.prefix { $0 > 0x20 }, as: UTF8.self)
    }
}

extension Instant {
    fileprivate var ticks: Int64 { nanoseconds / 10_000_000 }
}
