import CPlatform

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A process as the kernel shows it (proc_pid_stat(5)).
public struct ProcessEntry: Sendable, Equatable {
    public var pid: Int32
    public var parent: Int32
    public var group: Int32
    public var session: Int32
    /// The group that its terminal listens to; 1, which is nobody's, where it has none.
    public var terminalGroup: Int32 = 1
    public var isZombie: Bool
    /// By SIGSTOP or its like.
    public var isStopped = false
    /// Whether its first thread is ending or has ended: a process gives up nothing, such as its children, before.
    public var isExiting = false
    /// In clock ticks since boot: together with the pid it names a process once and for all.
    public var started: UInt64
    /// Bytes of memory in use.
    public var resident: Int
    /// Nanoseconds of processor time of its children that have ended and been waited for, and of theirs, to a
    /// hundredth of a second.
    public var childrenTime: Int64 = 0
}

/// All processes at one moment.
public struct ProcessTable: Sendable {
    public let entries: [ProcessEntry]

    public init(_ entries: [ProcessEntry]) { self.entries = entries }

    /// The processes below `pid`, without itself; those of an adopted orphan only where `pid` is its new parent.
    public func descendants(of pid: Int32) -> [ProcessEntry] {
        var found: [ProcessEntry] = []
        var parents: Set<Int32> = [pid]
        // Children may stand before their parents in the table: until a round adds none.
        var rest = entries
        while true {
            let next = rest.filter { parents.contains($0.parent) }
            if next.isEmpty { return found }
            found += next
            rest.removeAll { parents.contains($0.parent) }
            parents = Set(next.map(\.pid))
        }
    }

    /// Where the process stands in the table; nil if it is gone.
    public subscript(pid: Int32) -> ProcessEntry? { entries.first { $0.pid == pid } }

    /// Signals a process if it is still the one in `entry` and not a later one with its pid.
    public static func signal(_ entry: ProcessEntry, _ signal: Signal, kernel: Kernel = .real) {
        guard let now = Self.entry(entry.pid), now.started == entry.started, (try? kernel.limit(.kill)) != nil else {
            return
        }
        kill(entry.pid, signal.number)
    }

    /// The tag that a process was started with (`SpawnRequest.tag`) or has inherited; nil where it has none, is gone or
    /// another user's.
    public static func tag(of pid: Int32) -> UInt64? {
        let tag = cp_tag(pid)
        return tag == 0 ? nil : tag
    }

    /// Whether any process of a group is left, zombies included (kill(2)).
    public static func groupExists(_ group: Int32) -> Bool { kill(-group, 0) == 0 || errno == EPERM }

    /// Nanoseconds of processor time used by `pid` and its threads; nil if it is gone.
    public static func cpuTime(of pid: Int32) -> Int64? {
        let time = cp_process_cpu(pid)
        return time < 0 ? nil : time
    }
}

extension Instant {
    /// Now by the clock that tells when a process was started: it goes on while the machine sleeps.
    public static var sinceBoot: Instant { Instant(nanoseconds: cp_boot_time()) }
    /// How long the machine has slept since its boot, to a moment: what `now` leaves out; on macOS that is nothing.
    public static var timeAsleep: Duration { sinceBoot - now }
}

#if os(Linux)
    extension ProcessTable {
        /// Reads the table; a process that ends meanwhile is left out.
        public static func snapshot() -> ProcessTable { ProcessTable(read { _ in true }) }

        /// Complete for this process, whose children stay listed until it reaps them; for another, one may be missing
        /// that its parent reaps in between (proc_pid_task_tid_children(5)).
        public static func children(of parent: Int32) -> [ProcessEntry] {
            guard let tasks = try? Kernel.real.list("/proc/\(parent)/task") else { return read { $0.parent == parent } }
            var found: [ProcessEntry] = []
            for task in tasks {
                let path = "/proc/\(parent)/task/\(task)/children"
                guard let list = try? Kernel.real.readFile(path) else {
                    // A kernel without CONFIG_PROC_CHILDREN, or a thread that has just ended: its children may have
                    // moved to one that was read before.
                    return read { $0.parent == parent }
                }
                for word in list.split(separator: UInt8(ascii: " ")) {
                    guard let pid = Int32(String(decoding: word, as: UTF8.self)), let entry = entry(pid),
                        entry.parent == parent
                    else { continue }
                    found.append(entry)
                }
            }
            return found
        }

        public static func entry(_ pid: Int32) -> ProcessEntry? {
            withContents("/proc/\(pid)/stat", capacity: 1024) { ProcessEntry(stat: $0) }
        }

        /// Bytes of memory in use, of pages shared with others its part (proc_pid_smaps(5)): the sum over a tree counts none
        /// twice. Nil where the process is gone or another user's. Takes a while for large processes.
        public static func proportionalMemory(of pid: Int32) -> Int? {
            withContents("/proc/\(pid)/smaps_rollup", capacity: 2048) { Self.proportionalMemory(in: $0) }
        }

        static func proportionalMemory(in rollup: UnsafeRawBufferPointer) -> Int? {
            for line in String(decoding: rollup, as: UTF8.self).split(separator: "\n") where line.hasPrefix("Pss:") {
                return Int(line.dropFirst(4).drop { $0 == " " }.prefix { $0.isNumber }).map { $0 << 10 }
            }
            return nil
        }

        /// The environment a process was started with; nil where it is gone or another user's.
        public static func environment(of pid: Int32) -> [Substring]? {
            let read = DescriptorReserve.forProcesses.using {
                Result { () throws(Errno) in try Kernel.real.readFile("/proc/\(pid)/environ") }
            }
            DescriptorReserve.forProcesses.refill()
            guard case .success(let bytes) = read else { return nil }
            return String(decoding: bytes, as: UTF8.self).split(separator: "\0")
        }

        /// The name of the program, as `nginx`; nil where it is gone.
        public static func program(of pid: Int32) -> String? {
            withContents("/proc/\(pid)/comm", capacity: 64) { String(decoding: $0.dropLast(), as: UTF8.self) }
        }

        private static func read(where isWanted: (ProcessEntry) -> Bool) -> [ProcessEntry] {
            let opened = DescriptorReserve.forProcesses.using {
                opendir("/proc").map { .success($0) } ?? .failure(Errno.last)
            }
            guard case .success(let folder) = opened else { return [] }
            defer {
                closedir(folder)
                DescriptorReserve.forProcesses.refill()
            }
            var found: [ProcessEntry] = []
            while let item = readdir(folder) {
                let pid = withUnsafeBytes(of: &item.pointee.d_name) { number($0) }
                if let pid, let entry = entry(Int32(pid)), isWanted(entry) { found.append(entry) }
            }
            return found
        }

        /// Calls `body` with the beginning of a file; nil where it can't be read.
        private static func withContents<T>(
            _ path: String, capacity: Int, _ body: (UnsafeRawBufferPointer) -> T?
        ) -> T? {
            let opened = DescriptorReserve.forProcesses.using {
                let file = open(path, O_RDONLY | O_CLOEXEC)
                return file >= 0 ? .success(file) : .failure(Errno.last)
            }
            guard case .success(let file) = opened else { return nil }
            defer {
                close(file)
                DescriptorReserve.forProcesses.refill()
            }
            return withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 1) { buffer in
                let count = Platform.read(file, buffer.baseAddress, capacity)
                return count > 0 ? body(UnsafeRawBufferPointer(rebasing: buffer[..<count])) : nil
            }
        }
    }

    /// The decimal number that a NUL-terminated text is; nil if it is anything else.
    private func number(_ text: UnsafeRawBufferPointer) -> Int? {
        var value = 0
        for (index, byte) in text.enumerated() {
            if byte == 0 { return index == 0 ? nil : value }
            guard byte >= 48, byte <= 57 else { return nil }
            value = value * 10 + Int(byte - 48)
        }
        return nil
    }

    extension ProcessEntry {
        /// Parses a line of /proc/PID/stat; the program's name in it may hold blanks and parentheses.
        ///
        /// All processes of the machine go through here whenever one of ours ends: no allocation, one pass.
        init?(stat bytes: UnsafeRawBufferPointer) {
            guard let close = bytes.lastIndex(of: UInt8(ascii: ")")), close + 2 < bytes.count else { return nil }
            pid = 0
            for byte in bytes.prefix(while: { $0 != UInt8(ascii: " ") }) { pid = pid &* 10 &+ Int32(byte &- 48) }
            let state = bytes[close + 2]
            isZombie = state == UInt8(ascii: "Z") || state == UInt8(ascii: "X")
            isStopped = state == UInt8(ascii: "T")
            (parent, group, session, started, resident) = (0, 0, 0, 0, 0)
            var field = 3
            var value = 0
            for byte in bytes[(close + 2)...] {
                if byte >= 48, byte <= 57 {
                    value = value &* 10 &+ Int(byte &- 48)
                    continue
                }
                guard byte == UInt8(ascii: " ") else { continue }
                switch field {
                case 4: parent = Int32(truncatingIfNeeded: value)
                case 5: group = Int32(truncatingIfNeeded: value)
                case 6: session = Int32(truncatingIfNeeded: value)
                case 8: terminalGroup = Int32(truncatingIfNeeded: value)
                case 9: isExiting = value & 4 != 0  // PF_EXITING (linux/sched.h)
                case 16, 17: childrenTime += Int64(value) * nanosecondsPerTick
                case 22: started = UInt64(value)
                case 24:
                    resident = value * pageSize
                    return
                default: break
                }
                field += 1
                value = 0
            }
            return nil
        }
    }

    private let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))
    private let nanosecondsPerTick = 1_000_000_000 / Int64(max(sysconf(Int32(_SC_CLK_TCK)), 1))
#else
    extension ProcessTable {
        public static func snapshot() -> ProcessTable { ProcessTable([]) }
        public static func children(of parent: Int32) -> [ProcessEntry] { [] }
        public static func entry(_ pid: Int32) -> ProcessEntry? { nil }
        public static func proportionalMemory(of pid: Int32) -> Int? { nil }
        public static func environment(of pid: Int32) -> [Substring]? { nil }
        public static func program(of pid: Int32) -> String? { nil }
    }
#endif
