import Synchronization

/// What a test makes the kernel say: faults at the Nth call of a kind.
///
/// A plan belongs to the `Kernel` values that carry it, so tests that run in parallel don't disturb each other.
public final class FaultPlan: Sendable {
    public enum Call: Sendable, Hashable, CaseIterable {
        case accept, access, bind, connect, kill, listen, mkdir, open, pipe, poll, read, rename, rmdir, send, socket
        case spawn, sync, watch, write
    }

    public enum Outcome: Sendable, Equatable {
        case fails(Errno)
        /// At most so many bytes are read or written.
        case short(Int)
    }

    private struct State {
        var faults: [Call: [ClosedRange<Int>: Outcome]] = [:]
        var counts: [Call: Int] = [:]
    }

    private let state = Mutex(State())

    public init() {}

    /// Makes the `nth` call of a kind (counted from 1, from the plan's beginning) and the `times - 1` after it end so.
    public func inject(_ call: Call, nth: Int = 1, times: Int = 1, _ outcome: Outcome) {
        state.withLock { $0.faults[call, default: [:]][nth...(nth + max(times, 1) - 1)] = outcome }
    }

    /// The same for the calls that come next, however many there were before.
    public func injectNext(_ call: Call, times: Int = 1, _ outcome: Outcome) {
        state.withLock {
            let next = $0.counts[call, default: 0] + 1
            $0.faults[call, default: [:]][next...(next + max(times, 1) - 1)] = outcome
        }
    }

    /// Lets every call through again.
    public func clear() {
        state.withLock { $0.faults = [:] }
    }

    /// How many calls of a kind there were.
    public func count(_ call: Call) -> Int {
        state.withLock { $0.counts[call, default: 0] }
    }

    func outcome(_ call: Call) -> Outcome? {
        state.withLock { state in
            let count = state.counts[call, default: 0] + 1
            state.counts[call] = count
            return state.faults[call]?.first { $0.key.contains(count) }?.value
        }
    }
}
