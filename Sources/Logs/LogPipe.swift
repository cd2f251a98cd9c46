import EventLoop
import Platform

/// One pipe of a program on the log loop: read, split, stored.
///
///     pipe ──► loop.scratch ──► LineSplitter ──► LogStore
///                                   └──► LogWatch (until it has seen its line)
final class LogPipe: ReadinessHandler {
    /// So that one noisy pipe leaves the others their turn: reads of 64 KiB.
    private static let readsPerTurn = 4
    /// What a pipe can hold at most (pipe(7)): more than this was written after the process ended.
    private static let mostInPipe = 1 << 20

    let store: LogStore
    let stream: LogStream
    let instance: Int
    /// The lines to look for; shared by the two pipes of an instance.
    let watch: LogWatch?

    private let loop: EventLoop
    private var descriptor: Descriptor?
    /// Its number, valid while it is open.
    private let raw: Int32
    private var registration: Registration?
    private(set) var splitter = LineSplitter()
    private(set) var lastRead: Instant
    private var isEnlarged = false
    /// Whether the pump has it on its list of pipes that hold an unfinished line.
    var isListed = false
    /// Called after each turn that has read something.
    private let onRead: (LogPipe) -> Void
    /// Called once, when the writers are gone or the pipe is closed.
    private var onEnd: (() -> Void)?

    init(
        _ descriptor: consuming Descriptor, stream: LogStream, instance: Int, store: LogStore, watch: LogWatch?,
        on loop: EventLoop, onRead: @escaping (LogPipe) -> Void, onEnd: @escaping () -> Void
    ) {
        self.store = store
        self.stream = stream
        self.instance = instance
        self.watch = watch
        self.loop = loop
        self.onRead = onRead
        self.onEnd = onEnd
        lastRead = loop.now
        raw = descriptor.raw
        self.descriptor = consume descriptor
    }

    /// Begins to read. A pipe that can't be watched is an error; it stays open so that its program gets no SIGPIPE.
    func start() throws(Errno) {
        try loop.kernel.setNonblocking(descriptor!)
        registration = try loop.watch(raw, self)
    }

    var isOpen: Bool { descriptor != nil }

    func ready(_ readiness: Readiness) { turn() }

    /// Reads a bounded amount; goes on in the loop's next turn where there is more.
    private func turn() {
        if read(atMost: Self.readsPerTurn) { loop.later { [weak self] in self?.turn() } }
    }

    /// Reads until nothing is there or `limit` reads are done; returns whether there may be more.
    private func read(atMost limit: Int) -> Bool {
        guard isOpen else { return false }
        var hasBegun = false
        var mayHaveMore = true
        var atEnd = false
        reading: for _ in 0..<limit {
            // A pipe's errors (read(2)) mean that nothing more will come from it.
            switch (try? loop.kernel.read(descriptor!, into: loop.scratch)) ?? .endOfFile {
            case .bytes(let count):
                if !hasBegun {
                    store.begin(stream, instance: instance, time: .now)
                    hasBegun = true
                }
                // The kernel fills pages: lines that don't fit the rest of one leave it empty (pipe_write).
                if count > loop.scratch.count / 2 { enlarge() }
                let bytes = UnsafeRawBufferPointer(rebasing: loop.scratch[..<count])
                splitter.feed(bytes) { store(line: $0, $1) }
            case .wouldBlock:
                registration?.rearm(.readable)
                mayHaveMore = false
                break reading
            case .endOfFile:
                mayHaveMore = false
                atEnd = true
                break reading
            }
        }
        if hasBegun {
            store.endBatch()
            lastRead = loop.now
            onRead(self)
        }
        if atEnd { close() }
        return mayHaveMore
    }

    /// Gives a program that fills its pipe the largest there is, so that it seldom waits.
    private func enlarge() {
        guard !isEnlarged else { return }
        isEnlarged = true
        for size in [1 << 20, 256 << 10] where loop.kernel.setPipeSize(descriptor!, size) != nil { break }
    }

    @inline(__always)
    private func store(line: UnsafeRawBufferPointer, _ mark: LineMark) {
        store.append(line, mark)
        if let watch, watch.isWaiting { watch.look(at: line, mark, stream) }
    }

    /// Stores what there is of an unfinished line, after a pause.
    func flushQuiet() {
        store.begin(stream, instance: instance, time: .now)
        splitter.flushQuiet { store(line: $0, $1) }
        store.endBatch()
    }

    /// The process is gone: stores what it left in the pipe, an unfinished line included. Others may hold the pipe
    /// still; what they write is read as before.
    func drain() {
        let reads = Self.mostInPipe / loop.scratch.count + 1
        _ = read(atMost: reads)
        finishLine()
    }

    /// Stores what is left and closes; the writers, if any, get SIGPIPE from now on.
    func close() {
        guard isOpen else { return }
        finishLine()
        registration?.cancel()
        registration = nil
        descriptor = nil
        let onEnd = self.onEnd
        self.onEnd = nil
        onEnd?()
    }

    private func finishLine() {
        guard splitter.isUnfinished else { return }
        store.begin(stream, instance: instance, time: .now)
        splitter.finish { store(line: $0, $1) }
        store.endBatch()
    }
}
