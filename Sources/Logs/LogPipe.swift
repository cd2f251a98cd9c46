import EventLoop
import Platform

/// One pipe of a program, or its terminal, on the log loop: read, split, stored.
///
///     pipe ──► UnstoredOutput ──► LineSplitter ──► LogStore
///                     └──► LogTap     └──► LogWatch (until it has seen its line)
final class LogPipe: ReadinessHandler {
    /// So that one noisy pipe leaves the others their turn: reads of 64 KiB.
    private static let readsPerTurn = 4
    /// What a pipe can hold at most (pipe(7)): more than this was written after the process ended.
    static let mostInPipe = 1 << 20

    let store: LogStore
    let stream: LogStream
    let instance: Int
    /// The lines to look for; shared by the two pipes of an instance.
    let watch: LogWatch?
    /// Of a terminal, whose lines end in CR LF; nil for a pipe.
    private let tap: LogTap?

    private let loop: EventLoop
    private let encoder: RecordEncoder
    private let unstored: UnstoredOutput
    /// Its place there.
    private var slot: Int?
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
        _ descriptor: consuming Descriptor, of service: String, stream: LogStream, instance: Int, store: LogStore,
        watch: LogWatch?, tap: LogTap?, to pump: LogPump, onEnd: @escaping () -> Void
    ) {
        self.store = store
        self.stream = stream
        self.instance = instance
        self.watch = watch
        self.tap = tap
        loop = pump.loop
        encoder = pump.encoder
        unstored = pump.unstored
        onRead = { pump.noteRead($0) }
        self.onEnd = onEnd
        lastRead = loop.now
        raw = descriptor.raw
        self.descriptor = consume descriptor
        slot = unstored.add(raw, service: service, stream, instance: instance)
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
        var hasRead = false
        var mayHaveMore = true
        var atEnd = false
        reading: for _ in 0..<limit {
            unstored.begin(slot, nextSeq: encoder.nextSeq, size: store.newestSize)
            // Errors (read(2)) mean that nothing more will come from it: EIO of a terminal, that it was hung up.
            switch (try? loop.kernel.read(descriptor!, into: unstored.scratch)) ?? .endOfFile {
            case .bytes(let count):
                hasRead = true
                take(count)
            case .wouldBlock:
                unstored.cancel()
                registration?.rearm(.readable)
                mayHaveMore = false
                break reading
            case .endOfFile:
                unstored.cancel()
                mayHaveMore = false
                atEnd = true
                break reading
            }
        }
        if hasRead {
            lastRead = loop.now
            onRead(self)
        }
        if atEnd { close() }
        return mayHaveMore
    }

    /// Stores what has been read.
    private func take(_ count: Int) {
        let time = WallTime.now
        unstored.took(count, at: time)
        // The kernel fills pages: lines that don't fit the rest of one leave it empty (pipe_write).
        if count > UnstoredOutput.scratchSize / 2 { enlarge() }
        store.begin(stream, instance: instance, time: time)
        let bytes = UnsafeRawBufferPointer(rebasing: unstored.scratch[..<count])
        tap?.pass(bytes)
        splitter.feed(bytes) { store(line: $0, $1) }
        store.endBatch()
        unstored.commit(slot, splitter, read: count)
    }

    /// Gives a program that fills its pipe the largest there is, so that it seldom waits.
    private func enlarge() {
        guard !isEnlarged else { return }
        isEnlarged = true
        for size in [1 << 20, 256 << 10] where loop.kernel.setPipeSize(descriptor!, size) != nil { break }
    }

    @inline(__always)
    private func store(line: UnsafeRawBufferPointer, _ mark: LineMark) {
        let line = tap == nil ? line : withoutReturn(line, mark)
        store.append(line, mark)
        if let watch, watch.isWaiting { watch.look(at: line, mark, stream) }
    }

    /// Stores what there is of an unfinished line, after a pause.
    func flushQuiet() {
        storeHeld { splitter, emit in splitter.flushQuiet(emit) }
    }

    private func storeHeld(_ body: (inout LineSplitter, LineSplitter.Emit) -> Void) {
        unstored.begin(slot, nextSeq: encoder.nextSeq, size: store.newestSize)
        store.begin(stream, instance: instance, time: .now)
        body(&splitter) { store(line: $0, $1) }
        store.endBatch()
        unstored.commit(slot, splitter, read: 0)
    }

    /// The process is gone: stores what it left in the pipe, an unfinished line included. Others may hold the pipe
    /// still; what they write is read as before.
    func drain() {
        let reads = Self.mostInPipe / UnstoredOutput.scratchSize + 1
        _ = read(atMost: reads)
        finishLine()
    }

    /// Stores what is left and closes; the writers, if any, get SIGPIPE from now on.
    func close() {
        guard isOpen else { return }
        finishLine()
        registration?.cancel()
        registration = nil
        unstored.remove(slot)
        descriptor = nil
        let onEnd = self.onEnd
        self.onEnd = nil
        onEnd?()
    }

    private func finishLine() {
        guard splitter.isUnfinished else { return }
        storeHeld { splitter, emit in splitter.finish(emit) }
    }
}
