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
        /// Threads that were made and don't run yet, and those that wait for work.
        var starting = 0
        var idle = 0
        /// When a thread took work last.
        var lastTaken = Instant.now
    }

    private let name: String
    private let most: Int
    private let state = Mutex(State())
    private let work = PlatformSemaphore()

    /// - Parameter most: how many pieces of work are done at a time, unless `reinforce` adds threads.
    public init(_ name: String, most: Int) {
        self.name = name
        self.most = most
    }

    /// Has a thread do `work`, begun in the order of adding. Where the system has no thread left, the caller does it.
    public func add(_ work: @escaping Work) {
        let needsThread = state.withLock { state in
            state.waiting.append(work)
            return state.waiting.count > state.idle + state.starting && state.threads < most
        }
        if needsThread { start() }
        self.work.signal()
    }

    /// Adds a thread if there is work and nobody has taken any for `patience`: those there are must be stuck.
    public func reinforce(after patience: Duration) {
        let areStuck = state.withLock { state in
            !state.waiting.isEmpty && state.idle + state.starting == 0 && state.threads < Self.mostOfAll
                && .now - state.lastTaken >= patience
        }
        if areStuck { start() }
    }

    private static let mostOfAll = 64

    private func start() {
        state.withLock {
            $0.threads += 1
            $0.starting += 1
        }
        do throws(Errno) { _ = try PlatformThread(name) { [self] in run() } } catch {
            let isAlone = state.withLock { state in
                state.threads -= 1
                state.starting -= 1
                return state.threads == 0
            }
            if isAlone { next()?() }
        }
    }

    private func run() {
        state.withLock {
            $0.starting -= 1
            $0.idle += 1
        }
        while true {
            work.wait()
            state.withLock { $0.idle -= 1 }
            next()?()
            state.withLock { $0.idle += 1 }
        }
    }

    private func next() -> Work? {
        state.withLock { state in
            state.lastTaken = .now
            return state.waiting.isEmpty ? nil : state.waiting.removeFirst()
        }
    }
}
