import EventLoop
import Platform

/// Prints logs: once (`print`), or on a thread of its own for as long as they come (`init`).
///
/// Reads the store files alone, so it needs no mesh, and a slow terminal or pipe slows nobody: it waits for its
/// reader, and what a rotation takes meanwhile is counted and said.
public final class LogPrinter: Sendable {
    public enum End: Sendable, Equatable {
        /// All has been printed that was to be.
        case finished
        /// Whoever read the output has gone (`| head`).
        case outputClosed
        case failed(Errno)
    }

    /// Written out when so much is ready.
    static let batch = 64 << 10

    private let remote: LoopRemote
    private let follower: LoopBound<LogFollower>

    /// Prints what is stored; for threads that may wait.
    public static func print(
        _ query: LogQuery, _ format: LogFormat, to output: borrowing Descriptor, kernel: Kernel = .real
    ) -> End {
        let session = LogSession(query, format, follows: false, kernel: kernel)
        do throws(Errno) {
            var isDone = false
            while !isDone {
                isDone = session.read(limit: batch)
                if isDone { session.finish() }
                try kernel.writeAll(output, session.out.bytes)
                session.out.clear()
            }
            return .finished
        } catch { return error == .brokenPipe ? .outputClosed : .failed(error) }
    }

    /// Prints what is stored and then what comes, through restarts and across `up`s, until `finish`, until
    /// `query.until` has come, or until nobody reads any more.
    ///
    /// - Parameters:
    ///   - output: written with blocking calls, on the printer's own thread.
    ///   - sink: made on that thread, it writes in their place.
    ///   - onEnd: called once, on that thread.
    public init(
        following query: LogQuery, _ format: LogFormat, to output: consuming Descriptor, kernel: Kernel = .real,
        sink: (@Sendable (EventLoop) -> any LogSink)? = nil, onEnd: @escaping @Sendable (End) -> Void
    ) throws(Errno) {
        let raw = output.release()
        let made = Handoff<LoopBound<LogFollower>>()
        // Never joined: it may wait in a write for as long as its reader likes.
        let thread = try LoopThread("printer", kernel: kernel) { loop in
            let session = LogSession(query, format, follows: true, kernel: kernel)
            let follower = LogFollower(
                session, to: Descriptor(owning: raw), sink: sink?(loop), on: loop, onEnd: onEnd)
            made.give(LoopBound(follower, loop))
            follower.start()
        }
        remote = thread.remote
        follower = made.take()
    }

    /// From now on leaves the lines of some services out, or shows them again.
    public func show(where isShown: @escaping @Sendable (_ service: String) -> Bool) {
        let follower = self.follower
        remote.post { _ in follower.value.show(where: isShown) }
    }

    /// Prints lines that are not in the store, after whatever line is unfinished; without any it only ends that.
    public func say(_ lines: [String]) {
        let follower = self.follower
        remote.post { _ in follower.value.say(lines) }
    }

    /// Prints what is stored by now, and ends. A caller that can't wait for a slow reader sets a timer and goes.
    public func finish() {
        let follower = self.follower
        remote.post { _ in follower.value.finish() }
    }
}
