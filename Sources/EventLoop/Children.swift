import Platform

/// The children of this process that one loop looks after.
///
/// Exits are seen through SIGCHLD, in whatever order they come; orphans that this process adopted are reaped on the way.
public final class Children: ReadinessHandler {
    private let loop: EventLoop
    private let signals: SignalPipe
    private var registration: Registration?
    private var exits: [Int32: (ExitStatus) -> Void] = [:]
    private var observers: [Int: () -> Void] = [:]
    private var nextObserver = 0
    /// Programs that are being started.
    private var outstanding = 0
    /// Whether programs are being started that nobody knows yet.
    public var areStarting: Bool { outstanding > 0 }
    private var watchdog: Timer?
    /// Of the whole process, for which they stay.
    private static let workers = WorkerThreads("spawn", most: min(max(ThisProcess.processors, 2), 8))
    /// After which a start is taken to be stuck, so that others should not wait for it.
    private static let patience = Duration.milliseconds(200)

    public init(on loop: EventLoop) throws(Errno) {
        self.loop = loop
        signals = try SignalPipe([.child], kernel: loop.kernel)
        registration = nil
        registration = try loop.watch(signals.reader, self)
    }

    /// Must be called before the last reference goes.
    public func close() {
        registration?.cancel()
        registration = nil
    }

    /// Starts a program (`ChildTable.spawn`) on another thread, while the loop goes on, with pipes that are made there
    /// too: what waits to be started costs no descriptors.
    ///
    /// - Parameters:
    ///   - onPipes: called on that thread before there is a process, with our ends of its stdout and stderr; with those
    ///     of a terminal's output alone.
    ///   - onStart: called on that thread as soon as there is a process, with the time before it was started
    ///     (`Instant.sinceBoot`).
    ///   - onExit: called once, after `done`.
    ///   - done: called with the pid and our ends of its pipes or its terminal, on a later turn.
    public func spawn(
        _ request: SpawnRequest, io: StandardIO = .pipes,
        onPipes: (@Sendable (_ stdout: Int32, _ stderr: Int32?) -> Void)? = nil,
        onStart: (@Sendable (_ pid: Int32, _ began: Instant) -> Void)? = nil, onExit: @escaping (ExitStatus) -> Void,
        done: @escaping (Result<(pid: Int32, pipes: PipeEnds?), SpawnFailure>) -> Void
    ) {
        let (remote, kernel) = (loop.remote, loop.kernel)
        outstanding += 1
        watchForStuck()
        let bound = LoopBound((children: self, onExit: onExit, done: done), loop)
        let work: WorkerThreads.Work = {
            let result: Result<(pid: Int32, pipes: PipeEnds?), SpawnFailure>
            do throws(SpawnFailure) {
                let began = Instant.sinceBoot
                let (pid, ends) = try start(request, io, onPipes, kernel)
                onStart?(pid, began)
                result = .success((pid, ends))
            } catch { result = .failure(error) }
            remote.post { _ in
                let (children, onExit, done) = bound.value
                children.outstanding -= 1
                if case .success(let (pid, _)) = result { children.exits[pid] = onExit }
                done(result)
                // Its SIGCHLD may have come before it was known.
                if case .success(let (pid, _)) = result, children.reap(pid) { children.tellObservers() }
            }
        }
        // Elsewhere a descriptor that another thread makes meanwhile could come into the program's hands.
        ChildTable.spawnsConcurrently ? Self.workers.add(work) : work()
    }

    /// Looks after starts that take long, for as long as there are any.
    private func watchForStuck() {
        guard watchdog?.isPending != true else { return }
        watchdog = loop.after(Self.patience) { [weak self] in
            guard let self, outstanding > 0 else { return }
            Self.workers.reinforce(after: Self.patience)
            watchForStuck()
        }
    }

    /// Calls `body` after every exit of a child or of an adopted orphan, until `removeObserver`: the moment to look
    /// again whether a tree of processes is gone.
    public func addObserver(_ body: @escaping () -> Void) -> Int {
        nextObserver += 1
        observers[nextObserver] = body
        return nextObserver
    }

    public func removeObserver(_ id: Int) { observers[id] = nil }

    public func ready(_ readiness: Readiness) {
        signals.drain { _ in }
        registration?.rearm(.readable)
        for pid in exits.keys.sorted() { _ = reap(pid) }
        ChildTable.reapOrphans()
        tellObservers()
    }

    private func reap(_ pid: Int32) -> Bool {
        guard let status = ChildTable.reap(pid), let onExit = exits.removeValue(forKey: pid) else { return false }
        onExit(status)
        return true
    }

    private func tellObservers() {
        for id in observers.keys.sorted() { observers[id]?() }
    }
}

private func start(
    _ request: SpawnRequest, _ io: StandardIO, _ onPipes: (@Sendable (Int32, Int32?) -> Void)?, _ kernel: Kernel
) throws(SpawnFailure) -> (pid: Int32, pipes: PipeEnds?) {
    let made: (programs: StandardDescriptors, ours: PipeEnds)?
    do throws(Errno) { made = try StandardDescriptors.make(io, kernel) } catch {
        throw SpawnFailure(stage: .stdio, error: error)
    }
    guard let (programs, ours) = made else { return (try ChildTable.spawn(request, kernel: kernel), nil) }
    onPipes?(ours.read.stdout, ours.read.stderr)
    var request = request
    if case .terminal = io { request.takesTerminal = true }
    let pid = try ChildTable.spawn(
        request, stdin: programs.input.raw, stdout: programs.output.raw, stderr: programs.errors.raw, kernel: kernel)
    return (pid, ours)
}
