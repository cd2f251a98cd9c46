import CPlatform

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Who waits for the end of a process that it made, however it comes, and ends what that one leaves behind.
///
///     shell ─► first process ─► guardian ─► supervisor ─► programs and their offspring
///              in the job       in none     in the job
///
/// Two wait, each for the next one: a SIGKILL to the whole job, as `kill -9 %1` and timeout(1) send it, spares the
/// guardian. Orphans of who was killed come to who waited for it (prctl(2), PR_SET_CHILD_SUBREAPER). The supervisor is
/// KILLed with the guardian (PR_SET_PDEATHSIG), and by it once the first process has ended.
///
/// All three share one table of descriptors (clone(2), CLONE_FILES): pipes and locks of a supervisor that was killed stay
/// open until a guardian has done with them, and while all is well nobody has to hand on anything.
///
/// Where there can be a control group, the supervisor is made in one, and its programs with it. Those who wait are not.
///
/// Terminal signals reach the job; of others each hands on what processes send. It waits in one system call.
public struct Guardian: Sendable {
    /// Who goes on after `split`.
    public enum Side: Sendable {
        /// The process that does the work, in a group of its own where there is one.
        case supervisor(ControlGroup?)
        /// One of those that wait.
        case guardian(Guardian)
        /// The system has no such thing: the caller goes on alone.
        case alone
    }

    /// What a guardian waits for.
    public enum End: Sendable, Equatable {
        /// Of the process that it made.
        case ended(ExitStatus)
        /// Of the one that made it.
        case orphaned
    }

    /// Whom it waits for.
    public let child: Int32
    private let parent: Int32
    /// Children that come from whoever executed this program, and from those.
    private var strangers: Set<Int32>
    /// Its pid, which whoever makes it stores there.
    private let shared: SharedMemory
    /// The supervisor's, unless it could not be made there; then there is none any more.
    private let group: ControlGroup?

    private var supervisor: Int32 { shared.bytes.load(as: Int32.self) }
    /// Whether it waits for the other guardian, which ends what the supervisor leaves behind.
    public var hasSecond: Bool { child != supervisor }

    /// Makes the guardian and the supervisor; to be called while this process has one thread.
    ///
    /// The supervisor must go on in a new thread (`PlatformThread.takeOver`): its first one still has in mind, for each
    /// `Mutex` and for what Swift makes on first use, the number that it has in the first process. As soon as two threads
    /// want the same, both would wait for ever (futex(2), FUTEX_LOCK_PI).
    /// - Parameter prefix: of the control group's name.
    public static func split(group prefix: String) -> Side {
        let first = getpid()
        let strangers = Set(ProcessTable.children(of: first).map(\.pid))
        guard cp_become_subreaper() >= 0, let shared = try? SharedMemory(size: 4) else { return .alone }
        let place = shared.bytes.bindMemory(to: Int32.self).baseAddress!
        let group = ControlGroup.make(prefix)
        // Until there is a supervisor, it is the guardian: it goes on as such where there is room for no more.
        let guardian = cp_split(SIGUSR2, place, -1)
        if guardian < 0 {
            group?.remove()
            return .alone
        }
        guard guardian == 0 else {
            return .guardian(
                Guardian(child: guardian, parent: 0, strangers: strangers, shared: shared, group: group))
        }
        _ = cp_become_subreaper()
        let (supervisor, enclosure) = makeSupervisor(place, group)
        if supervisor < 0 { return .supervisor(nil) }
        guard supervisor == 0 else {
            ThisProcess.leaveJob()
            // Who ends all that is named devmesh (killall(1), pkill(1)) leaves one to end the rest.
            cp_rename("mesh-guardian")
            return .guardian(
                Guardian(child: supervisor, parent: first, strangers: [], shared: shared, group: enclosure))
        }
        // Nothing is started before it would survive the job.
        while getsid(getppid()) == getsid(0) { PlatformThread.yield() }
        return .supervisor(enclosure)
    }

    /// - Returns: what `cp_split` does, and the group that it was made in.
    private static func makeSupervisor(_ place: UnsafeMutablePointer<Int32>, _ group: ControlGroup?)
        -> (pid: Int32, ControlGroup?)
    {
        if let entrance = group?.entrance() {
            // Both have it open, and whoever stays closes it.
            let raw = entrance.release()
            let pid = cp_split(SIGKILL, place, raw)
            if pid != 0 { close(raw) }
            if pid >= 0 { return (pid, group) }
        }
        // Linux before 5.7, a container's filter of system calls, a group of threads.
        group?.remove()
        return (cp_split(SIGKILL, place, -1), nil)
    }

    public mutating func wait() -> End {
        ThisProcess.dropCode()
        while true {
            let status = cp_guard(child, parent)
            if status >= 0 { return .ended(ExitStatus(waitStatus: status)) }
            if status == CP_ORPHANED { return .orphaned }
            lookForStrangers()
        }
    }

    /// The next one adopts what its own offspring leaves: until it begins to end, what comes here is somebody else's.
    private mutating func lookForStrangers() {
        let children = ProcessTable.children(of: getpid())
        // Asked afterwards: then it had not begun before either.
        guard let entry = ProcessTable.entry(child), !entry.isExiting else { return }
        for stranger in children where stranger.pid != child {
            var status: Int32 = 0
            if waitpid(stranger.pid, &status, WNOHANG) == stranger.pid {
                strangers.remove(stranger.pid)
            } else {
                strangers.insert(stranger.pid)
            }
        }
    }

    /// KILLs every descendant and all that is in the supervisor's group, and what comes of them meanwhile; returns once
    /// they are gone and the group with them, or after `patience`.
    ///
    /// Only this process reaps them, so no pid can be a stranger's. What is in its own session, but for the supervisor,
    /// was never below that, which begins one for each program.
    /// - Parameter isSpared: whether a process, with what is below it, may outlive the supervisor.
    /// - Returns: those that SIGKILL did not end: they hang in the kernel, or belong to another user.
    public func end(patience: Duration, sparing isSpared: (ProcessEntry) -> Bool) -> [ProcessEntry] {
        let limit = Instant.now + patience
        // At one blow: one by one, those that fork faster than anybody looks would get away.
        group?.killAll()
        let left = endDescendants(by: limit, isSpared)
        guard let group else { return left }
        group.removeOthers()
        if group.end(by: limit) { return left }
        return left + group.members().compactMap(ProcessTable.entry).filter { !left.contains($0) }
    }

    private func endDescendants(by limit: Instant, _ isSpared: (ProcessEntry) -> Bool) -> [ProcessEntry] {
        let session = getsid(0)
        let supervisor = supervisor
        var isFirst = true
        while true {
            // A kernel without lists of children is asked for all processes (`ProcessTable.children`).
            let children = ProcessTable.children(of: getpid()).filter { child in
                child.pid == supervisor
                    || child.session != session && !strangers.contains(child.pid) && !isSpared(child)
            }
            guard !children.isEmpty else { return [] }
            guard .now < limit else { return children }
            let table = isFirst ? ProcessTable.snapshot() : ProcessTable([])
            isFirst = false
            for child in children {
                kill(child.pid, SIGKILL)
                for each in table.descendants(of: child.pid) where !isSpared(each) {
                    ProcessTable.signal(each, .kill)
                }
            }
            for child in children {
                var status: Int32 = 0
                waitpid(child.pid, &status, WNOHANG)
            }
            if children.contains(where: { ProcessTable.entry($0.pid) != nil }) { _ = cp_await_child(50) }
        }
    }

    /// Closes the sockets that the supervisor has left open, but for the standard streams.
    public func closeSockets() {
        // The first ones without a list of them, which takes a descriptor itself.
        for raw: Int32 in 3..<1024 where cp_is_socket(raw) != 0 { close(raw) }
        for name in (try? Kernel.real.list("/proc/self/fd")) ?? [] {
            guard let raw = Int32(name), raw > 2, cp_is_socket(raw) != 0 else { continue }
            close(raw)
        }
    }
}
