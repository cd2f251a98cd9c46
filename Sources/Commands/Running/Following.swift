import EventLoop
import Platform

/// Something that goes on until it ends by itself or the user has had enough of it.
///
///     main thread: waits for ^C ──────────┐
///     others:      print, and say the end ─┴─▶ whichever comes first
enum Following {
    enum End: Sendable, Equatable {
        /// It ended by itself, with this exit code.
        case finished(Int32)
        case failed(CommandFailure)
        /// ^C, or a signal that asks to end.
        case interrupted

        /// What a command that only looked returns: ^C is how that ends.
        func exitCode() throws(CommandFailure) -> Int32 {
            switch self {
            case .finished(let code): return code
            case .failed(let failure): throw failure
            case .interrupted: return 0
            }
        }
    }

    /// Watches signals, calls `begin`, and waits. What `begin` started on other threads is left behind as it is.
    ///
    /// - Parameters:
    ///   - onResize: called on this thread when the terminal's window has another size.
    ///   - begin: starts the work and returns; what it is given may be called on any thread, and the first call counts.
    static func run(
        onResize: (() -> Void)? = nil,
        _ begin: (_ end: @escaping @Sendable (End) -> Void) throws(Errno) -> Void
    ) throws(CommandFailure) -> End {
        do throws(Errno) {
            let loop = try EventLoop()
            let end = Handoff<End>()
            let wanted = [.interrupt, .terminate, .hangup] + (onResize == nil ? [] : [Signal.windowSize])
            let signals = try SignalWatch(wanted, on: loop) { [unowned loop] arrival in
                if arrival.signal == .windowSize { return onResize?() ?? () }
                end.give(.interrupted)
                loop.stop()
            }
            defer { signals.close() }
            let remote = loop.remote
            try begin { result in
                end.give(result)
                remote.post { $0.stop() }
            }
            try loop.run()
            return end.take()
        } catch {
            throw .failed(Sentences.cannotFollow(error))
        }
    }

    /// Runs `body` on a thread that nobody waits for.
    static func onThread(_ body: @escaping @Sendable () -> Void) throws(Errno) {
        _ = try PlatformThread("follower", body)
    }
}
