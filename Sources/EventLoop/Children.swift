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
        for pid in exits.keys.sorted() {
            guard let status = ChildTable.reap(pid), let onExit = exits.removeValue(forKey: pid) else { continue }
            onExit(status)
        }
        ChildTable.reapOrphans()
        for id in observers.keys.sorted() { observers[id]?() }
    }
}
