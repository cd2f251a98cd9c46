import Synchronization

/// Threads for work that makes its caller wait, as starting a program does: vfork(2) returns once the program has been
/// executed, a millisecond later.
///
/// There are threads only while there is work.
public final class WorkerThreads: Sendable {
    public typealias Work = @Sendable () -> Void

    private struct State {
        var waiting: [Work] = []
        var threads = 0
    }

    private let name: String
    private let most: Int
    private let state = Mutex(State())

    /// - Parameter most: how many pieces of work are done at a time.
    public init(_ name: String, most: Int) {
        self.name = name
        self.most = most
    }

    /// Has a thread do `work`, begun in the order of adding. Where the system has no thread left, the caller does it.
    public func add(_ work: @escaping Work) {
        let needsThread = state.withLock { state in
            state.waiting.append(work)
            guard state.threads < most else { return false }
            state.threads += 1
            return true
        }
        guard needsThread else { return }
        do throws(Errno) { _ = try PlatformThread(name) { self.workOff() } } catch { workOff() }
    }

    private func workOff() {
        while let work = next() { work() }
    }

    private func next() -> Work? {
        state.withLock { state in
            if state.waiting.isEmpty {
                state.threads -= 1
                return nil
            }
            return state.waiting.removeFirst()
        }
    }
}
