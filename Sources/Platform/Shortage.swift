#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a machine has run out of, and how a user gets more of it: said in the same words wherever it is met.
public enum Shortage: Sendable, Hashable, CaseIterable {
    /// Of one process.
    case openFiles
    /// Of all processes.
    case openFilesInSystem
    case disk
    case memory
    case processes
    /// Folders and files that a user's programs watch.
    case watches
    /// Programs of a user that watch any.
    case watchers

    /// What a failed call lacked; nil where it failed for another reason. Starting a process and watching a file say
    /// what they lack by errors that mean other things elsewhere.
    public init?(_ error: Errno) {
        switch error {
        case .tooManyOpenFiles: self = .openFiles
        case .tooManyOpenFilesInSystem: self = .openFilesInSystem
        case .noSpace, Errno(EDQUOT): self = .disk
        case Errno(ENOMEM): self = .memory
        default: return nil
        }
    }

    /// As a sentence ends: `the disk is full; make room`.
    public var explained: String { what + "; " + remedy }

    public var what: String {
        switch self {
        case .openFiles: "too many open files"
        case .openFilesInSystem: "too many open files in the whole system"
        case .disk: "the disk is full"
        case .memory: "the system has no memory left"
        case .processes: "the system allows no further process"
        case .watches: "no further folder can be watched"
        case .watchers: "no further program can watch folders"
        }
    }

    /// What to do next.
    public var remedy: String {
        switch self {
        case .openFiles:
            #if os(Linux)
                let more = Self.more(than: ThisProcess.limits(.openFiles).hard, least: 65_536)
                return
                    "raise the hard limit (`ulimit -Hn` shows it) with `sudo prlimit --pid $$ --nofile=\(more)`, and "
                    + "start devmesh again from that shell"
            #else
                return "raise the limit with `ulimit -n 65536`, and start devmesh again from that shell"
            #endif
        case .openFilesInSystem:
            let more = Self.more(than: Self.setting("fs/file-max"), least: 1_000_000)
            return "raise the limit with `sudo sysctl fs.file-max=\(more)`"
        case .disk: return "make room (`df -h` shows where; `df -i`, where files are too many)"
        case .memory: return "end some programs (`free -h` shows how much is left)"
        case .processes:
            return "end some programs, or raise the limit (`ulimit -u` shows it; that of a container may be lower)"
        case .watches:
            let more = Self.more(than: Self.setting("fs/inotify/max_user_watches"), least: 1_048_576)
            return "raise the limit with `sudo sysctl fs.inotify.max_user_watches=\(more)`"
        case .watchers:
            let more = Self.more(than: Self.setting("fs/inotify/max_user_instances"), least: 1024)
            return "raise the limit with `sudo sysctl fs.inotify.max_user_instances=\(more)`"
        }
    }

    /// Never less than there is already.
    private static func more(than limit: UInt64, least: UInt64) -> UInt64 {
        limit > 1 << 40 ? limit : max(least, limit * 2)
    }

    /// Of /proc/sys; 0 where there is none.
    private static func setting(_ name: String) -> UInt64 {
        let bytes = (try? Kernel.real.readFile("/proc/sys/" + name)) ?? []
        return UInt64(String(decoding: bytes, as: UTF8.self).prefix { $0.isNumber }) ?? 0
    }
}

extension Errno {
    /// Why a call failed, as a sentence ends, with what to do where that is known.
    public var explained: String { Shortage(self)?.explained ?? description }
}

/// What the system allows this process (getrlimit(2)); `.max` where nothing limits it.
public struct ResourceLimits: Sendable, Equatable {
    /// What counts, and what it can be raised to without privileges.
    public var soft: UInt64
    public var hard: UInt64

    public init(soft: UInt64, hard: UInt64) {
        self.soft = soft
        self.hard = hard
    }
}

extension ThisProcess {
    public enum Resource: Sendable {
        case openFiles
        /// Of all processes of this user, threads included.
        case processes
    }

    public static func limits(_ resource: Resource) -> ResourceLimits {
        var limit = rlimit()
        let number = resource == .openFiles ? openFilesResource : processesResource
        guard getrlimit(number, &limit) == 0 else { return ResourceLimits(soft: .max, hard: .max) }
        // RLIM_INFINITY is the largest number that there is.
        return ResourceLimits(soft: UInt64(limit.rlim_cur), hard: UInt64(limit.rlim_max))
    }
}
