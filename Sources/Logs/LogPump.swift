import EventLoop
import Platform

/// What `LogHub` is on its own thread: the stores, the pipes, and one timer for all that waits for quiet.
/// Its pipes and timers keep it alive until `close`.
final class LogPump {
    /// After which an unfinished line is stored as it is.
    static let quiet = Duration.milliseconds(100)
    /// How often a store that could not write is tried again while nothing new comes.
    static let retryPause = Duration.seconds(1)

    let loop: EventLoop
    private let root: String
    let encoder: RecordEncoder
    let unstored: UnstoredOutput
    private let defaultLimit: Int
    private let onTrouble: @Sendable (_ service: String, _ error: Errno) -> Void
    private var limits: [String: Int] = [:]
    private var stores: [String: LogStore] = [:]
    private var sources: [Int: [LogPipe]] = [:]
    /// Pipes with an unfinished line that has not been stored.
    private var unfinished: [LogPipe] = []
    private var timer: Timer?
    private var lastBatch: Instant
    private var troubled: Set<String> = []
    private var retryTimer: Timer?

    init(
        on loop: EventLoop, root: String, limit: Int, unstored: UnstoredOutput,
        onTrouble: @escaping @Sendable (String, Errno) -> Void
    ) {
        self.loop = loop
        self.root = root
        encoder = RecordEncoder(nextSeq: 1)
        self.unstored = unstored
        defaultLimit = limit
        self.onTrouble = onTrouble
        lastBatch = loop.now
    }

    var nextSeq: Int { encoder.nextSeq }

    /// Opens the stores there are, and goes on where the newest record left off; before the first one is stored.
    func resume() {
        let services = LogArchive.services(in: root, kernel: loop.kernel)
        encoder.resume(behind: services.map { store($0).seqAtOpening }.max() ?? 0)
    }

    func setLimit(_ service: String, _ bytes: Int) {
        limits[service] = bytes
        stores[service]?.limit = bytes
    }

    private func store(_ service: String) -> LogStore {
        if let store = stores[service] { return store }
        let store = LogStore(
            folder: Path.join(root, Path.part(service)), limit: limits[service] ?? defaultLimit, encoder: encoder,
            kernel: loop.kernel, onOutage: { [self] in noteOutage(service, $0) })
        stores[service] = store
        return store
    }

    // MARK: Sources

    /// Takes the pipes (descriptors, owned from here on) of a program that has just been started.
    func attach(
        _ id: Int, service: String, instance: Int, pipes: [(raw: Int32, stream: LogStream)], watch: LogWatchRequest?,
        tap: LogTap?
    ) {
        let store = store(service)
        let watch = watch.map { LogWatch($0) }
        for (raw, stream) in pipes {
            let pipe = LogPipe(
                Descriptor(owning: raw), of: service, stream: stream, instance: instance, store: store, watch: watch,
                tap: tap, to: self, onEnd: { [self] in forget(id) })
            sources[id, default: []].append(pipe)
            do throws(Errno) {
                try pipe.start()
            } catch {
                store.note("devmesh can't read this output (\(error)); what the program writes there is lost")
            }
        }
    }

    /// Stores a line of devmesh's own.
    func note(_ service: String, _ text: String) {
        store(service).note(text)
        expectQuiet()
    }

    /// The process behind a source is gone: what it wrote is in the store when this returns.
    func ended(_ id: Int) {
        for pipe in sources[id] ?? [] { pipe.drain() }
    }

    /// Takes what is in every pipe, and closes everything.
    func close() {
        let pipes = sources.values.flatMap(\.self)
        for pipe in pipes {
            pipe.drain()
            pipe.close()
        }
        for store in stores.values {
            store.retry()
            store.close()
        }
        stores = [:]
        timer?.cancel()
        retryTimer?.cancel()
    }

    private func forget(_ id: Int) {
        if sources[id]?.contains(where: \.isOpen) != true { sources[id] = nil }
    }

    // MARK: Quiet

    func noteRead(_ pipe: LogPipe) {
        if pipe.splitter.holdsBytes && !pipe.isListed {
            pipe.isListed = true
            unfinished.append(pipe)
        }
        expectQuiet()
    }

    private func expectQuiet() {
        lastBatch = loop.now
        if timer?.isPending != true { arm(Self.quiet) }
    }

    private func arm(_ delay: Duration) {
        timer = loop.after(delay) { [self] in lookForQuiet() }
    }

    /// Stores the unfinished lines of pipes that have paused, and gives buffers back once all have.
    private func lookForQuiet() {
        var next: Duration?
        var waiting: [LogPipe] = []
        for pipe in unfinished {
            let rest = Self.quiet - (loop.now - pipe.lastRead)
            if rest > .zero && pipe.splitter.holdsBytes {
                waiting.append(pipe)
                next = min(next ?? rest, rest)
            } else {
                pipe.isListed = false
                if pipe.splitter.holdsBytes { pipe.flushQuiet() }
            }
        }
        unfinished = waiting
        let rest = Self.quiet - (loop.now - lastBatch)
        if rest > .zero { next = min(next ?? rest, rest) } else { encoder.release() }
        if let next { arm(next) }
    }

    // MARK: Trouble

    private func noteOutage(_ service: String, _ error: Errno) {
        troubled.insert(service)
        onTrouble(service, error)
        if retryTimer?.isPending != true {
            retryTimer = loop.after(Self.retryPause) { [self] in retry() }
        }
    }

    private func retry() {
        for service in troubled.sorted() {
            stores[service]?.retry()
            if stores[service]?.failure == nil { troubled.remove(service) }
        }
        if !troubled.isEmpty { retryTimer = loop.after(Self.retryPause) { [self] in retry() } }
    }
}
