import CPlatform
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A thread of the operating system.
public final class PlatformThread: Sendable {
    private let handle: Mutex<Handle?>

    // pthread_t is a pointer on Darwin; this class only hands it to pthread calls.
    private struct Handle: @unchecked Sendable { var native: pthread_t }
    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Starts at once; signals are blocked in it, so that handlers run on the main thread, but for those of a fault of
    /// its own.
    public convenience init(_ name: String, _ body: @escaping @Sendable () -> Void) throws(Errno) {
        try self.init(name, stack: 512 * 1024, body)
    }

    /// - Parameter stack: bytes; nil for as much as the first thread has.
    private init(_ name: String, stack: Int?, _ body: @escaping @Sendable () -> Void) throws(Errno) {
        handle = Mutex(nil)
        let start = Unmanaged.passRetained(Start(name, body))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        if let stack { pthread_attr_setstacksize(&attributes, stack) }
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        for fault in [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGABRT, SIGSYS] { sigdelset(&all, fault) }
        pthread_sigmask(SIG_SETMASK, &all, &before)
        #if canImport(Glibc)
            var native = pthread_t()
            let result = pthread_create(&native, &attributes, { run($0!) }, start.toOpaque())
        #else
            var maybe: pthread_t?
            let result = pthread_create(&maybe, &attributes, { run($0) }, start.toOpaque())
        #endif
        pthread_sigmask(SIG_SETMASK, &before, nil)
        guard result == 0 else {
            start.release()
            throw Errno(result)
        }
        #if canImport(Darwin)
            let native = maybe!
        #endif
        handle.withLock { $0 = Handle(native: native) }
    }

    /// Runs `body` on a new thread that takes the caller's place, and gets its signals, while the caller waits for it.
    public static func takeOver<T>(_ name: String, _ body: () -> T) throws(Errno) -> T {
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let signals = before
        // The caller does nothing before the thread has ended: one of the two at a time has what is shared.
        nonisolated(unsafe) var result: T?
        let outcome: Result<Void, Errno> = withoutActuallyEscaping(body) { body in
            nonisolated(unsafe) let body = body
            return Result { () throws(Errno) in
                let thread = try PlatformThread(name, stack: nil) {
                    var signals = signals
                    pthread_sigmask(SIG_SETMASK, &signals, nil)
                    result = body()
                }
                thread.join()
            }
        }
        try outcome.get()
        return result!
    }

    /// Tells threads apart while they live.
    public static var currentID: UInt {
        #if canImport(Glibc)
            UInt(pthread_self())
        #else
            UInt(bitPattern: pthread_self())
        #endif
    }

    /// Lets others run first (sched_yield(2)).
    public static func yield() { sched_yield() }

    /// Waits; for threads that may. A signal ends it early.
    public static func sleep(_ duration: Duration) {
        let nanoseconds = max(duration.nanoseconds, 0)
        var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        nanosleep(&time, nil)
    }

    /// Waits until it has ended. Without it the thread is left to itself.
    public func join() {
        let native = handle.withLock { handle in
            defer { handle = nil }
            return handle
        }
        if let native { pthread_join(native.native, nil) }
    }

    deinit {
        if let native = handle.withLock({ $0 }) { pthread_detach(native.native) }
    }

    fileprivate static func body(_ context: UnsafeMutableRawPointer) {
        // Retained in `init`, once.
        let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
        cp_thread_name(start.name)
        start.body()
    }
}

private func run(_ context: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    PlatformThread.body(context)
    return nil
}
