import EventLoop
import Platform
import Synchronization

/// The log thread of a mesh: reads what its programs write, and stores it line by line.
///
///     attach ─► pipes ─► LogPump (its own loop and thread) ─► logs/SERVICE/*.log ◄─ LogPrinter, recent
///
/// Everything here may be called from any thread and returns at once; calls are carried out in their order.
/// `close` must be called before the last reference goes, unless the process ends anyway.
public final class LogHub: Sendable {
    /// A program whose output is being read.
    public struct Source: Sendable, Hashable {
        let id: Int
    }

    /// The folder with a folder of segments for each service.
    public let folder: String

    private let unstored: UnstoredOutput
    private let remote: LoopRemote
    private let pump: LoopBound<LogPump>
    private let nextID = Atomic<Int>(1)

    /// Starts the thread; `seq` goes on where the newest record of any service left off.
    ///
    /// - Parameters:
    ///   - folder: made when the first line is stored.
    ///   - unstored: of another process that is to store what this one could not; nil: of nobody's concern.
    ///   - limit: bytes that a service's log may take; `setLimit` sets another for one service.
    ///   - onTrouble: called on the log thread when a service's log begins to fail; the programs run on, and the
    ///     store says afterwards how many lines are missing.
    public init(
        folder: String, unstored: UnstoredOutput? = nil, limit: Int = 256 << 20, kernel: Kernel = .real,
        onTrouble: @escaping @Sendable (_ service: String, _ error: Errno) -> Void = { _, _ in }
    ) throws(Errno) {
        self.folder = folder
        let output: UnstoredOutput
        if let unstored { output = unstored } else { output = try UnstoredOutput() }
        self.unstored = output
        let made = Handoff<LoopBound<LogPump>>()
        // The thread outlives this value: the loop ends itself in `close`.
        let thread = try LoopThread("logs", kernel: kernel) { loop in
            let pump = LogPump(on: loop, root: folder, limit: limit, unstored: output, onTrouble: onTrouble)
            made.give(LoopBound(pump, loop))
            // On this thread, before anything that is posted: whoever starts the hub need not wait for the disk.
            pump.resume()
        }
        remote = thread.remote
        pump = made.take()
    }

    /// How many bytes a service's log may take.
    public func setLimit(_ service: String, _ bytes: Int) {
        post { $0.setLimit(service, bytes) }
    }

    // MARK: Sources

    /// Says whose pipes will be attached, so that what comes before that can be rescued as well.
    /// - Parameter instance: nil for a build.
    public func expect(service: String, instance: Int?, stdout: Int32, stderr: Int32?) {
        for case (let raw?, let stream) in [(stdout, LogStream.stdout), (stderr, .stderr)] {
            unstored.expect(raw, service: service, instance == nil ? .build : stream, instance: instance ?? 0)
        }
    }

    /// Reads what an instance writes, from now until the last writer is gone.
    ///
    /// - Parameters:
    ///   - stdout: the read end of its pipe; owned by the hub from here on, as is `stderr`.
    ///   - watch: a line to wait for.
    public func attach(
        service: String, instance: Int, stdout: consuming Descriptor, stderr: consuming Descriptor,
        watch: LogWatchRequest? = nil
    ) -> Source {
        let pipes = [(raw: stdout.release(), stream: LogStream.stdout), (raw: stderr.release(), stream: .stderr)]
        return attach(service, instance, pipes, watch)
    }

    /// Reads what an instance shows on its terminal, from now until that is hung up. Its stream is stdout.
    ///
    /// - Parameters:
    ///   - terminal: our side of it; owned by the hub from here on.
    ///   - tap: gets the same bytes.
    public func attach(
        service: String, instance: Int, terminal: consuming Descriptor, tap: LogTap, watch: LogWatchRequest? = nil
    ) -> Source {
        attach(service, instance, [(raw: terminal.release(), stream: .stdout)], watch, tap)
    }

    /// Reads what a build writes, stdout and stderr in one pipe.
    public func attachBuild(service: String, output: consuming Descriptor) -> Source {
        attach(service, 0, [(raw: output.release(), stream: .build)], nil)
    }

    private func attach(
        _ service: String, _ instance: Int, _ pipes: [(raw: Int32, stream: LogStream)], _ watch: LogWatchRequest?,
        _ tap: LogTap? = nil
    ) -> Source {
        let source = Source(id: nextID.wrappingAdd(1, ordering: .relaxed).oldValue)
        post { $0.attach(source.id, service: service, instance: instance, pipes: pipes, watch: watch, tap: tap) }
        return source
    }

    /// Says that the process behind `source` is gone. What it wrote is stored, an unterminated last line included;
    /// then `done` is called. Descendants that hold its pipes are read on, and nobody waits for them.
    public func ended(
        _ source: Source, on remote: LoopRemote? = nil, done: (@Sendable (EventLoop) -> Void)? = nil
    ) {
        post {
            $0.ended(source.id)
            if let remote, let done { remote.post(done) }
        }
    }

    /// Stores a line that devmesh itself has to say about a service.
    public func note(_ service: String, _ text: String) {
        post { $0.note(service, text) }
    }

    // MARK: Reading

    /// The newest lines of a service, oldest first, with everything that was attached or noted before.
    /// - Parameter streams: of which streams; all unless told.
    public func recent(
        _ service: String, count: Int, streams: Set<LogStream> = Set(LogStream.allCases), on remote: LoopRemote,
        done: @escaping @Sendable (EventLoop, [RecentLine]) -> Void
    ) {
        let folder = self.folder
        post { _ in
            let lines = LogArchive.recent(service, count: count, streams: streams, in: folder)
            remote.post { done($0, lines) }
        }
    }

    /// The number that the next record will get, once everything asked for before is stored.
    public func nextSeq(on remote: LoopRemote, done: @escaping @Sendable (EventLoop, Int) -> Void) {
        post { pump in
            let seq = pump.nextSeq
            remote.post { done($0, seq) }
        }
    }

    /// Calls `done` once what programs have written before is stored: all of those that have ended; of others what is
    /// read in one turn, but for lines that have no end yet.
    public func caughtUp(on remote: LoopRemote, done: @escaping @Sendable (EventLoop) -> Void) {
        self.remote.post { loop in
            // Between the two the pipes are read.
            loop.later { loop.later { remote.post(done) } }
        }
    }

    /// Takes what is in the pipes, stores it, and ends the thread; then calls `done`.
    public func close(on remote: LoopRemote? = nil, done: (@Sendable (EventLoop) -> Void)? = nil) {
        let pump = self.pump
        self.remote.post { loop in
            pump.value.close()
            if let remote, let done { remote.post(done) }
            loop.stop()
        }
    }

    private func post(_ work: @escaping @Sendable (LogPump) -> Void) {
        let pump = self.pump
        remote.post { _ in work(pump.value) }
    }
}
