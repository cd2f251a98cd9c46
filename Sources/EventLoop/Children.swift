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
    private let workers = WorkerThreads("spawn", most: min(max(ThisProcess.processors, 2), 8))

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

    /// Starts a program (`ChildTable.spawn`); `onExit` is called once, never from within this call.
    public func spawn(
        _ request: SpawnRequest, stdin: Int32 = -1, stdout: Int32 = -1, stderr: Int32 = -1,
        onExit: @escaping (ExitStatus) -> Void
    ) throws(SpawnFailure) -> Int32 {
        let pid = try ChildTable.spawn(request, stdin: stdin, stdout: stdout, stderr: stderr, kernel: loop.kernel)
        exits[pid] = onExit
        return pid
    }

    /// The same on another thread, while the loop goes on.
    ///
    /// - Parameters:
    ///   - descriptors: closed once the program has them.
    ///   - done: called on a later turn with the pid; `onExit` only after it.
    public func spawn(
        _ request: SpawnRequest, _ descriptors: StandardDescriptors,
        onExit: @escaping (ExitStatus) -> Void, done: @escaping (Result<Int32, SpawnFailure>) -> Void
    ) {
        let (remote, kernel) = (loop.remote, loop.kernel)
        let bound = LoopBound((children: self, onExit: onExit, done: done), loop)
        workers.add {
            let result: Result<Int32, SpawnFailure>
            do throws(SpawnFailure) {
                result = .success(
                    try ChildTable.spawn(
                        request, stdin: descriptors.input.raw, stdout: descriptors.output.raw,
                        stderr: descriptors.errors.raw, kernel: kernel))
            } catch { result = .failure(error) }
            remote.post { _ in
                let (children, onExit, done) = bound.value
                if case .success(let pid) = result { children.exits[pid] = onExit }
                done(result)
                // Its SIGCHLD may have come before it was known.
                if case .success(let pid) = result, children.reap(pid) { children.tellObservers() }
            }
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

/// What becomes stdin, stdout and stderr of a program that is about to start.
public final class StandardDescriptors: Sendable {
    let input: Descriptor
    let output: Descriptor
    let errors: Descriptor

    public init(input: consuming Descriptor, output: consuming Descriptor, errors: consuming Descriptor) {
        self.input = input
        self.output = output
        self.errors = errors
    }
}
