import CPlatform

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The process that a user started, once it has left its work to a second one: waits for that one's end, however it
/// comes, and ends what it leaves behind.
///
///     shell ─► guardian ─► supervisor ─► programs and their offspring
///                 ▲            │
///                 └── SIGKILL: its orphans come here (prctl(2), PR_SET_CHILD_SUBREAPER)
///
/// Both share one table of descriptors (clone(2), CLONE_FILES): pipes and locks of a supervisor that was killed stay
/// open until the guardian has done with them, and while all is well nobody has to hand on anything.
///
/// Terminal signals reach both; of others the guardian hands on what processes send. It waits in one system call.
public struct Guardian: Sendable {
    /// Who goes on after `split`.
    public enum Side: Sendable {
        /// The new process, and who guards it.
        case supervisor(guardian: Int32)
        /// The caller's own.
        case guardian(Guardian)
        /// The system has no such thing: the caller goes on alone.
        case alone
    }

    /// What the supervisor gets when its guardian ends. Others may send it too: then its parent is the same as before.
    public static let ended = Signal(SIGUSR2)

    public let supervisor: Int32
    /// Children that come from whoever executed this program, and from those.
    private var strangers: Set<Int32>

    /// Makes the supervisor; to be called while this process has one thread.
    ///
    /// The supervisor must go on in a new thread (`PlatformThread.takeOver`): its first one still has in mind, for each
    /// `Mutex` and for what Swift makes on first use, the number that it has in the guardian. As soon as two threads
    /// want the same, both would wait for ever (futex(2), FUTEX_LOCK_PI).
    public static func split() -> Side {
        let guardian = getpid()
        let strangers = Set(ProcessTable.children(of: guardian).map(\.pid))
        guard cp_become_subreaper() >= 0 else { return .alone }
        let pid = cp_split(ended.number)
        if pid < 0 { return .alone }
        if pid == 0 { return .supervisor(guardian: guardian) }
        // Who ends all that is named devmesh (killall(1)) leaves one to end the rest.
        cp_thread_name("mesh-guardian")
        return .guardian(Guardian(supervisor: pid, strangers: strangers))
    }

    /// Waits until the supervisor has ended.
    public mutating func wait() -> ExitStatus {
        ThisProcess.dropCode()
        while true {
            let status = cp_guard(supervisor)
            if status >= 0 { return ExitStatus(waitStatus: status) }
            lookForStrangers()
        }
    }

    /// The supervisor adopts what its own offspring leaves: until it begins to end, what comes here is somebody else's.
    private mutating func lookForStrangers() {
        let children = ProcessTable.children(of: getpid())
        // Asked afterwards: then it had not begun before either.
        guard let entry = ProcessTable.entry(supervisor), !entry.isExiting else { return }
        for child in children where child.pid != supervisor {
            var status: Int32 = 0
            if waitpid(child.pid, &status, WNOHANG) == child.pid {
                strangers.remove(child.pid)
            } else {
                strangers.insert(child.pid)
            }
        }
    }

    /// KILLs every descendant, and what comes of them meanwhile; returns once they are gone, or after `patience`.
    ///
    /// Only this process reaps them, so no pid can be a stranger's. What is in its own session was never below the
    /// supervisor, which begins one for each program.
    /// - Returns: those that SIGKILL did not end: they hang in the kernel, or belong to another user.
    public func end(patience: Duration) -> [ProcessEntry] {
        let limit = Instant.now + patience
        let session = getsid(0)
        var isFirst = true
        while true {
            // A kernel without lists of children is asked for all processes (`ProcessTable.children`).
            let children = ProcessTable.children(of: getpid()).filter { child in
                child.session != session && !strangers.contains(child.pid)
            }
            guard !children.isEmpty else { return [] }
            guard .now < limit else { return children }
            let table = isFirst ? ProcessTable.snapshot() : ProcessTable([])
            isFirst = false
            for child in children {
                kill(child.pid, SIGKILL)
                for each in table.descendants(of: child.pid) { ProcessTable.signal(each, .kill) }
            }
            for child in children {
                var status: Int32 = 0
                waitpid(child.pid, &status, WNOHANG)
            }
            if children.contains(where: { ProcessTable.entry($0.pid) != nil }) { _ = cp_await_child(50) }
        }
    }

    /// Closes the sockets that the supervisor left open, but for the standard streams.
    public func closeSockets() {
        // The first ones without a list of them, which takes a descriptor itself.
        for raw: Int32 in 3..<1024 where cp_is_socket(raw) != 0 { close(raw) }
        for name in (try? Kernel.real.list("/proc/self/fd")) ?? [] {
            guard let raw = Int32(name), raw > 2, cp_is_socket(raw) != 0 else { continue }
            close(raw)
        }
    }
}
