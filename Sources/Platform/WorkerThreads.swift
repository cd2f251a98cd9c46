import Synchronization

/// Threads for work that makes its caller wait, as starting a program does: vfork(2) returns once the program has been
/// executed, a millisecond later, or as much later as the disk takes.
///
/// They are made when there is work for them and stay for as long as the process: a program may ask to be signalled
/// when its parent's thread ends (prctl(2), PR_SET_PDEATHSIG).
public final class WorkerThreads: Sendable {
    public typealias Work = @Sendable () -> Void

    private struct State {
        var waiting: [Work] = []
        var threads = 0
        /// Threads that wait for work.
        var idle = 0
    }

    private let name: String
    private let most: Int
    private let state = Mutex(State())
    private let work = PlatformSemaphore()

    /// - Parameter most: how many pieces of work are done at a time, unless `reinforce` adds to them.
    public init(_ name: String, most: Int) {
        self.name = name
        self.most = most
    }

    /// Has a thread do `work`, begun in the order of adding. Where the system has no thread left, the caller does it.
    public func add(_ work: @escaping Work) {
        let needsThread = state.withLock { state in
            state.waiting.append(work)
            return state.waiting.count > state.idle && state.threads < most
        }
        if needsThread { start() }
        self.work.signal()
    }

    /// Adds a thread if there is work that nobody has begun: those there are may be stuck for long.
    public func reinforce() {
        if state.withLock({ !$0.waiting.isEmpty && $0.idle == 0 }) { start() }
    }

    private func start() {
        state.withLock { $0.threads += 1 }
        do throws(Errno) { _ = try PlatformThread(name) { [self] in run() } } catch {
            state.withLock { $0.threads -= 1 }
            if state.withLock({ $0.threads == 0 }), let work = next() { work() }
        }
    }

    private func run() {
        while true {
            state.withLock { $0.idle += 1 }
            work.wait()
            state.withLock { $0.idle -= 1 }
            next()?()
        }
    }

    private func next() -> Work? {
        state.withLock { $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }
    }
}
