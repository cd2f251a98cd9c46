import CPlatform
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
    private struct State {
        var known: Set<Int32> = []
        /// Children that may not have executed their program yet.
        var starting: [Starting] = []
    }

    /// A child of which another thread knows nothing but this, until its program has been executed.
    private final class Starting: @unchecked Sendable {
        // Written by the child and its thread, by atomic operations; freed when no thread can read it any more.
        let pid: UnsafeMutablePointer<Int32>
        let tag: UInt64?

        init(tag: UInt64?) {
            self.tag = tag
            pid = .allocate(capacity: 1)
            pid.initialize(to: -1)
        }

        deinit { pid.deallocate() }

        /// -1 before, and 0 for the moment that it takes to make a process.
        var current: Int32 { cp_load(pid) }
    }

    private static let state = Mutex(State())

    /// Whether programs may be started while other threads make descriptors: every one is close-on-exec from its very
    /// beginning.
    public static var spawnsConcurrently: Bool {
        #if os(Linux)
            true
        #else
            false
        #endif
    }

    /// Starts a program; see `Kernel.spawn` for what it finds. It stays in the table until `reap` returns its status.
    ///
    /// Any number of threads may start programs at a time; each waits until its own has been executed, which may take
    /// as long as the disk that it lies on.
    ///
    /// - Parameters: descriptors to become stdin, stdout and stderr; -1 for `/dev/null`.
    public static func spawn(
        _ request: SpawnRequest, stdin: Int32 = -1, stdout: Int32 = -1, stderr: Int32 = -1, kernel: Kernel = .real
    ) throws(SpawnFailure) -> Int32 {
        let starting = Starting(tag: request.tag)
        state.withLock { $0.starting.append(starting) }
        let result: Result<Int32, SpawnFailure>
        do throws(SpawnFailure) {
            result = .success(
                try kernel.spawn(request, stdin: stdin, stdout: stdout, stderr: stderr, started: starting.pid))
        } catch { result = .failure(error) }
        state.withLock { state in
            state.starting.removeAll { $0 === starting }
            if case .success(let pid) = result { state.known.insert(pid) }
        }
        return try result.get()
    }

    /// KILLs the children with these tags that have not executed their programs yet, which on a dead network disk may
    /// take for ever; each `spawn` then returns a child that has ended.
    public static func killStarting(_ tags: Set<UInt64>) {
        state.withLock { state in
            // One that can't be executed is reaped a moment before it leaves the list: no pid is given again that soon.
            for child in state.starting where child.tag.map(tags.contains) ?? false {
                let pid = child.current
                if pid > 0 { kill(pid, SIGKILL) }
            }
        }
    }

    /// Runs `body` while no process is being made, so that none gets a copy of a descriptor that `body` makes and
    /// closes: it would keep what the descriptor names (a bound port) until it has closed its own. `body` is short and
    /// asks nothing of this table.
    public static func whileNothingForks<T>(_ body: () -> T) -> T {
        while true {
            let result: T? = state.withLock { state in
                state.starting.contains { $0.current <= 0 } ? nil : body()
            }
            if let result { return result }
            PlatformThread.yield()
        }
    }

    /// How a child ended, or nil while it runs. Once told, it is forgotten.
    public static func reap(_ pid: Int32) -> ExitStatus? {
        state.withLock { state in
            guard state.known.contains(pid) else { return nil }
            var status: Int32 = 0
            let found = waitpid(pid, &status, WNOHANG)
            // Reaped by others, as one is that was KILLed before it could say that it is ours: how it ended nobody knows.
            let isLost = found < 0 && errno == ECHILD
            guard found == pid || isLost else { return nil }
            state.known.remove(pid)
            return isLost ? .unknown : ExitStatus(waitStatus: status)
        }
    }

    /// Waits until a child ends; for threads that may wait.
    public static func wait(_ pid: Int32) -> ExitStatus {
        awaitEnd(of: pid)
        return reap(pid) ?? .unknown
    }

    /// Waits until a child ends; for threads that may wait. Once `patience` is over, its group is killed.
    /// - Parameter onDelay: called once a fifth of it is over.
    /// - Returns: how it ended by itself; nil where it had to be killed.
    public static func wait(_ pid: Int32, within patience: Duration, onDelay: () -> Void = {}) -> ExitStatus? {
        if let status = reap(pid) { return status }
        let hasEnded = PlatformSemaphore()
        // Not every system has a call that waits for a child and for a while at once.
        let waiter = try? PlatformThread("child") {
            awaitEnd(of: pid)
            hasEnded.signal()
        }
        var isInTime = waiter != nil && hasEnded.wait(within: patience / 5)
        if waiter != nil, !isInTime {
            onDelay()
            isInTime = hasEnded.wait(within: patience * 4 / 5)
        }
        // Where no thread can be had, it is looked now and then.
        let end = Instant.now + patience
        while waiter == nil, !isInTime, .now < end {
            if let status = reap(pid) { return status }
            PlatformThread.sleep(.milliseconds(10))
        }
        if !isInTime { signal(pid, .kill, group: true) }
        // Until then nobody else may get this pid.
        waiter?.join()
        let status = wait(pid)
        return isInTime ? status : nil
    }

    private static func awaitEnd(of pid: Int32) {
        var info = siginfo_t()
        // The child is left as it is (WNOWAIT), so that `reap` takes it under the lock.
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
    }

    /// Sends a signal to a child, or with `group` to its whole process group. One that is gone is no error.
    @discardableResult
    public static func signal(_ pid: Int32, _ signal: Signal, group: Bool, kernel: Kernel = .real) -> Bool {
        state.withLock { state in
            guard group || state.known.contains(pid), (try? kernel.limit(.kill)) != nil else { return false }
            return kill(group ? -pid : pid, signal.number) == 0
        }
    }

    /// The processes that this one adopted as subreaper, those included that have ended.
    public static func orphans() -> [ProcessEntry] {
        let starting = state.withLock { $0.starting }
        let children = ProcessTable.children(of: getpid())
        // One that was just made may be among them and not have said so: that takes it a moment.
        while state.withLock({ $0.starting.contains { $0.current == 0 } }) { PlatformThread.yield() }
        // One whose program could not be executed is forgotten meanwhile, but none the less ours.
        return children.filter { child in !contains(child.pid) && !starting.contains { $0.current == child.pid } }
    }

    /// Reaps the orphans that this process adopted as subreaper and that have ended.
    public static func reapOrphans() {
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

    /// Whether `pid` is a child that this process started itself.
    public static func contains(_ pid: Int32) -> Bool {
        state.withLock { state in state.known.contains(pid) || state.starting.contains { $0.current == pid } }
    }
}

/// Whose end a `siginfo_t` of waitid(2) tells; 0 for nobody's.
private func processID(_ info: siginfo_t) -> Int32 {
    #if canImport(Glibc)
        info._sifields._sigchld.si_pid
    #else
        info.si_pid
    #endif
}
