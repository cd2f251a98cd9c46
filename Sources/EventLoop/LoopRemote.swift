import Platform
import Synchronization

/// How other threads reach a loop.
public final class LoopRemote: Sendable {
    public typealias Work = @Sendable (EventLoop) -> Void

    private struct State {
        var work: [Work] = []
        /// The running loop's thread; nil before and after.
        var thread: UInt?
    }

    let wakeup: Wakeup
    private let state = Mutex(State())

    init(kernel: Kernel) throws(Errno) { wakeup = try Wakeup(kernel: kernel) }

    /// Runs `work` on the loop's thread, in the order of posting. Work posted after the loop's end is never run.
    public func post(_ work: @escaping Work) {
        let wasEmpty = state.withLock { state in
            state.work.append(work)
            return state.work.count == 1
        }
        if wasEmpty { wakeup.signal() }
    }

    /// Whether the caller is on the loop's thread.
    public var isCurrent: Bool {
        let caller = PlatformThread.currentID
        return state.withLock { $0.thread == caller }
    }

    func take(_ into: inout [Work]) {
        state.withLock { swap(&$0.work, &into) }
    }

    func begin() {
        let caller = PlatformThread.currentID
        state.withLock { $0.thread = caller }
    }

    func end() {
        state.withLock { $0.thread = nil }
    }
}

/// Carries something that belongs to a loop through code that doesn't: it can be opened on that loop only.
public struct LoopBound<Value>: @unchecked Sendable {
    // Read only by `value`, which requires the loop's thread; released wherever the last copy dies, so the value must
    // not care about the thread of its deinit.
    private let stored: Value
    private let remote: LoopRemote

    public init(_ value: Value, _ loop: EventLoop) {
        stored = value
        remote = loop.remote
    }

    public var value: Value {
        assert(remote.isCurrent, "a loop's object was used on another thread")
        return stored
    }
}
