#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A counting semaphore for threads that may wait (pthread_cond_wait(3)).
public final class PlatformSemaphore: @unchecked Sendable {
    // `count` is touched under `mutex` only; both C objects stay where they were allocated until deinit.
    private var count = 0
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    public init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        #if canImport(Glibc)
            // Whoever sets the wall clock makes nobody wait.
            var attributes = pthread_condattr_t()
            pthread_condattr_init(&attributes)
            pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
            pthread_cond_init(condition, &attributes)
            pthread_condattr_destroy(&attributes)
        #else
            pthread_cond_init(condition, nil)
        #endif
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    public func signal() {
        pthread_mutex_lock(mutex)
        count += 1
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    public func wait() {
        pthread_mutex_lock(mutex)
        while count == 0 { pthread_cond_wait(condition, mutex) }
        count -= 1
        pthread_mutex_unlock(mutex)
    }

    /// Returns false if no signal came within `timeout`.
    public func wait(within timeout: Duration) -> Bool {
        let end = Instant.now + timeout
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while count == 0 { if !isSignalled(before: end), count == 0 { return false } }
        count -= 1
        return true
    }

    private func isSignalled(before end: Instant) -> Bool {
        #if canImport(Glibc)
            var time = timespec(nanoseconds: end.nanoseconds)
            return pthread_cond_timedwait(condition, mutex, &time) == 0
        #else
            var time = timespec(nanoseconds: max((end - .now).nanoseconds, 0))
            return pthread_cond_timedwait_relative_np(condition, mutex, &time) == 0
        #endif
    }
}

extension timespec {
    fileprivate init(nanoseconds: Int64) {
        self.init(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    }
}
