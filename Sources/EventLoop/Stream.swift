import Platform

/// Is told what happens to a stream; every call comes on the stream's loop.
public protocol StreamDelegate: AnyObject {
    /// Bytes arrived. They are valid during the call only.
    func stream(_ stream: Stream, received bytes: UnsafeRawBufferPointer)
    /// The peer has ended its side; writing is still possible.
    func streamEnded(_ stream: Stream)
    /// Everything that had to wait has been sent.
    func streamDrained(_ stream: Stream)
    /// The connection has broken and is closed; nothing more will be told.
    func stream(_ stream: Stream, failed error: Errno)
}

/// A non-blocking connection of any kind, with a queue for what can't be sent at once.
///
///     descriptor → received(bytes) → delegate
///     delegate → write → descriptor, or → queue → descriptor
///
/// Backpressure is the owner's: stop reading (`isPaused`) where the other side's `queuedCount` grows.
public final class Stream: ReadinessHandler {
    public let loop: EventLoop
    public weak var delegate: (any StreamDelegate)?

    private var descriptor: Descriptor?
    private var registration: Registration?
    private var queue = ByteQueue()
    private var state = State()

    private struct State {
        var isConnecting = false
        var mayRead = false
        var isReading = false
        var mayWrite = false
        var isPaused = false
        var sawEnd = false
        var endsWhenDrained = false
        var closesWhenDrained = false
    }

    /// How many reads a turn, so that one stream can't keep the loop to itself.
    private static let readsPerTurn = 16

    /// Takes over a connected, non-blocking descriptor.
    public init(_ descriptor: consuming Descriptor, on loop: EventLoop) throws(Errno) {
        self.loop = loop
        let raw = descriptor.raw
        self.descriptor = consume descriptor
        registration = try loop.watch(raw, self)
    }

    /// Begins to connect; the outcome is told by `onConnected` or as a failure.
    public init(
        connectingTo address: SocketAddress, on loop: EventLoop, onConnected: @escaping (Stream) -> Void
    ) throws(Errno) {
        self.loop = loop
        let socket = try loop.kernel.socket(for: address)
        let result = try loop.kernel.connect(socket, to: address)
        if case .unix = address {} else { loop.kernel.setNoDelay(socket) }
        let raw = socket.raw
        descriptor = consume socket
        registration = try loop.watch(raw, self)
        switch result {
        case .connected: loop.later { [weak self] in if let self, self.isOpen { onConnected(self) } }
        case .inProgress:
            state.isConnecting = true
            self.onConnected = onConnected
        }
    }

    private var onConnected: ((Stream) -> Void)?

    public var isOpen: Bool { registration != nil }
    /// Bytes that wait to be sent.
    public var queuedCount: Int { queue.count }

    /// While true nothing is read, so that the peer is slowed down.
    public var isPaused: Bool {
        get { state.isPaused }
        set {
            let resumes = state.isPaused && !newValue
            state.isPaused = newValue
            if resumes { loop.later { [weak self] in self?.readAvailable() } }
        }
    }

    // MARK: Sending

    /// Sends what fits now and queues the rest. After a failure or `close` it does nothing.
    public func write(_ bytes: UnsafeRawBufferPointer) {
        guard isOpen, !bytes.isEmpty else { return }
        var rest = bytes[...]
        if queue.isEmpty, state.mayWrite {
            guard let sent = send(bytes) else { return }
            rest = rest.dropFirst(sent)
        }
        if !rest.isEmpty { queue.append(UnsafeRawBufferPointer(rebasing: rest)) }
    }

    public func write(_ bytes: [UInt8]) { bytes.withUnsafeBytes { write($0) } }

    public func write(_ text: String) {
        var copy = text
        copy.withUTF8 { write(UnsafeRawBufferPointer($0)) }
    }

    /// Ends our side once everything queued is sent (shutdown(2)); reading goes on.
    public func end() {
        state.endsWhenDrained = true
        finishIfDrained()
    }

    /// Closes once everything queued is sent, without telling the delegate.
    public func closeWhenDrained() {
        state.closesWhenDrained = true
        finishIfDrained()
    }

    /// Closes now; the delegate is not told.
    public func close() {
        registration?.cancel()
        registration = nil
        descriptor = nil
        queue.removeAll()
        onConnected = nil
    }

    /// Calls `body` with the descriptor, for what a stream doesn't do itself.
    public func withDescriptor<T>(_ body: (borrowing Descriptor) -> T) -> T? {
        guard descriptor != nil else { return nil }
        return body(descriptor!)
    }

    // MARK: Readiness

    public func ready(_ readiness: Readiness) {
        if state.isConnecting {
            guard readiness.contains(.writable) || readiness.contains(.hangup) else { return }
            state.isConnecting = false
            if let error = loop.kernel.connectionError(descriptor!) { return fail(error) }
            state.mayWrite = true
            let told = onConnected
            onConnected = nil
            told?(self)
        }
        if readiness.contains(.writable) { flush() }
        if readiness.contains(.readable) || readiness.contains(.hangup) {
            state.mayRead = true
            readAvailable()
        }
    }

    private func readAvailable() {
        guard !state.isReading else { return }
        state.isReading = true
        defer { state.isReading = false }
        for _ in 0..<Self.readsPerTurn {
            guard isOpen, state.mayRead, !state.isPaused, !state.sawEnd else { return }
            let scratch = loop.scratch
            do throws(Errno) {
                switch try loop.kernel.read(descriptor!, into: scratch) {
                case .bytes(let count):
                    delegate?.stream(self, received: UnsafeRawBufferPointer(rebasing: scratch[..<count]))
                case .wouldBlock:
                    state.mayRead = false
                    registration?.rearm(.readable)
                    return
                case .endOfFile:
                    state.sawEnd = true
                    delegate?.streamEnded(self)
                    return
                }
            } catch { return fail(error) }
        }
        loop.later { [weak self] in self?.readAvailable() }
    }

    private func flush() {
        state.mayWrite = true
        guard isOpen else { return }
        if queue.isEmpty { return finishIfDrained() }
        var broken = false
        while !queue.isEmpty, state.mayWrite {
            guard let sent = queue.withBytes({ send($0) }) else {
                broken = true
                break
            }
            queue.removeFirst(sent)
        }
        if broken || !queue.isEmpty { return }
        delegate?.streamDrained(self)
        finishIfDrained()
    }

    /// Sends what fits; nil where the connection broke.
    private func send(_ bytes: UnsafeRawBufferPointer) -> Int? {
        do throws(Errno) {
            switch try loop.kernel.send(descriptor!, bytes) {
            case .bytes(let count):
                if count < bytes.count { blocked() }
                return count
            case .wouldBlock:
                blocked()
                return 0
            }
        } catch {
            // Told later: the caller is in the middle of its own work.
            let failure = error
            loop.later { [weak self] in self?.fail(failure) }
            state.mayWrite = false
            return nil
        }
    }

    private func blocked() {
        state.mayWrite = false
        registration?.rearm(.writable)
    }

    private func finishIfDrained() {
        guard isOpen, queue.isEmpty, !state.isConnecting else { return }
        if state.closesWhenDrained { return close() }
        if state.endsWhenDrained {
            state.endsWhenDrained = false
            loop.kernel.shutdownWrite(descriptor!)
        }
    }

    private func fail(_ error: Errno) {
        guard isOpen else { return }
        close()
        delegate?.stream(self, failed: error)
    }
}
