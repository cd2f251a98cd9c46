import EventLoop
import Platform

/// Something that goes on until it ends by itself or the user has had enough of it.
///
///     main thread: waits for ^C ─┐
///     reader:      body ─────────┴─▶ whichever comes first
enum Following {
    enum End: Sendable, Equatable {
        /// The reader ended by itself, with this code.
        case finished(Int32)
        /// ^C, or a signal that asks to end.
        case interrupted
    }

    /// Runs `body` on a thread of its own; when a signal comes first, it is left behind as it is.
    static func run(_ body: @escaping @Sendable () -> Int32) throws(CommandFailure) -> End {
        do {
            let loop = try EventLoop()
            let end = Handoff<End>()
            let signals = try SignalWatch([.interrupt, .terminate, .hangup], on: loop) { [unowned loop] _ in
                end.give(.interrupted)
                loop.stop()
            }
            defer { signals.close() }
            let remote = loop.remote
            let reader = try PlatformThread("reader") {
                end.give(.finished(body()))
                remote.post { $0.stop() }
            }
            try loop.run()
            return withExtendedLifetime(reader) { end.take() }
        } catch {
            throw .failed(Sentences.cannotFollow(error))
        }
    }
}
