import Platform
import Synchronization

/// A loop on a thread of its own.
public final class LoopThread: Sendable {
    public let remote: LoopRemote
    private let thread: PlatformThread

    /// Starts the thread, makes the loop there and runs `setUp` on it before anything else.
    public init(
        _ name: String, kernel: Kernel = .real, backend: PollerBackend = .native,
        setUp: @escaping @Sendable (EventLoop) -> Void = { _ in }
    ) throws(Errno) {
        let ready = Handoff<Result<LoopRemote, Errno>>()
        thread = try PlatformThread(name) {
            do throws(Errno) {
                let loop = try EventLoop(kernel: kernel, backend: backend)
                loop.remote.post(setUp)
                ready.give(.success(loop.remote))
                try loop.run()
            } catch { ready.give(.failure(error)) }
        }
        remote = try ready.take().get()
    }

    /// Ends the loop after what was posted before, and waits for its thread. Not to be called from it.
    public func stop() {
        remote.post { $0.stop() }
        thread.join()
    }
}

/// A value that one thread waits for and another gives, once.
public final class Handoff<Value: Sendable>: Sendable {
    private let slot = Mutex<Value?>(nil)
    private let semaphore = PlatformSemaphore()

    public init() {}

    /// The first value counts; later ones are dropped.
    public func give(_ value: Value) {
        let isFirst = slot.withLock { slot in
            guard slot == nil else { return false }
            slot = value
            return true
        }
        if isFirst { semaphore.signal() }
    }

    /// Waits for the value; for one caller only.
    public func take() -> Value {
        semaphore.wait()
        return slot.withLock { $0! }
    }

    /// Nil if no value came within `timeout`.
    public func take(within timeout: Duration) -> Value? {
        semaphore.wait(within: timeout) ? slot.withLock { $0! } : nil
    }
}
