import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The children that this process started and has not reaped yet.
///
/// Nothing else in the process reaps, so a pid in this table can't be reused: it is safe to signal.
public enum ChildTable {
    private static let known = Mutex<Set<Int32>>([])
    /// Who looks for strangers passes alone: a child is known only once its program has been executed.
    private static let gate = PlatformGate()

    /// Starts a program; see `Kernel.spawn` for what it finds. It stays in the table until `reap` returns its status.
    ///
    /// Any number of threads may start programs at a time; each waits for its own.
    ///
    /// - Parameters: descriptors to become stdin, stdout and stderr; -1 for `/dev/null`.
    public static func spawn(
        _ request: SpawnRequest, stdin: Int32 = -1, stdout: Int32 = -1, stderr: Int32 = -1, kernel: Kernel = .real
    ) throws(SpawnFailure) -> Int32 {
        try gate.together { () throws(SpawnFailure) in
            let pid = try kernel.spawn(request, stdin: stdin, stdout: stdout, stderr: stderr)
            known.withLock { _ = $0.insert(pid) }
            return pid
        }
    }

    /// How a child ended, or nil while it runs. Once told, it is forgotten.
    public static func reap(_ pid: Int32) -> ExitStatus? {
        known.withLock { known in
            guard known.contains(pid) else { return nil }
            var status: Int32 = 0
            guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
            known.remove(pid)
            return ExitStatus(waitStatus: status)
        }
    }

    /// Waits until a child ends; for threads that may wait.
    public static func wait(_ pid: Int32) -> ExitStatus {
        var info = siginfo_t()
        // The child is left as it is (WNOWAIT), so that `reap` takes it under the lock.
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        return reap(pid) ?? .exited(0)
    }

    /// Sends a signal to a child, or with `group` to its whole process group. One that is gone is no error.
    @discardableResult
    public static func signal(_ pid: Int32, _ signal: Signal, group: Bool) -> Bool {
        known.withLock { known in
            guard group || known.contains(pid) else { return false }
            return kill(group ? -pid : pid, signal.number) == 0
        }
    }

    /// The processes that this one adopted as subreaper, those included that have ended.
    public static func orphans() -> [ProcessEntry] {
        gate.alone { ProcessTable.children(of: getpid()).filter { !contains($0.pid) } }
    }

    /// Reaps the orphans that this process adopted as subreaper and that have ended.
    public static func reapOrphans() {
        gate.alone {
            while true {
                // Looks without taking: one of ours that has just ended must be left to `reap`.
                var info = siginfo_t()
                guard waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 else { return }
                let pid = processID(info)
                if pid == 0 { return }
                if contains(pid) { break }
                var status: Int32 = 0
                waitpid(pid, &status, WNOHANG)
            }
            // Behind one of ours there may be others: the whole table tells.
            for entry in ProcessTable.children(of: getpid()) where entry.isZombie && !contains(entry.pid) {
                var status: Int32 = 0
                waitpid(entry.pid, &status, WNOHANG)
            }
        }
    }

    /// Whether `pid` is a child that this process started itself.
    public static func contains(_ pid: Int32) -> Bool { known.withLock { $0.contains(pid) } }
}

/// Whose end a `siginfo_t` of waitid(2) tells; 0 for nobody's.
private func processID(_ info: siginfo_t) -> Int32 {
    #if canImport(Glibc)
        info._sifields._sigchld.si_pid
    #else
        info.si_pid
    #endif
}
