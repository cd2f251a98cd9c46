import EventLoop
import HTTP
import Platform

/// Is told whenever one of its links may have something to do: bytes to read, room to write, an end.
protocol LinkOwner: AnyObject {
    func linkMoved(_ link: Link)
}

/// One end of a connection: a socket, what waits to be sent on it, and what was read from it too early.
///
///     socket ──▶ read ──▶ owner          socket ◀── queue ◀── write ◀── owner
///
/// A link does nothing by itself but send its queue; its owner reads when it likes, which is the backpressure. Short
/// messages go by way of the loop's outbox.
/// Reading past a short count goes on after a hangup, so that an end that came with data is not lost.
final class Link: ReadinessHandler, Sender {
    enum Read {
        case bytes(Int)
        case wouldBlock
        /// The peer ended its side in order.
        case end
        /// Indirect, so that the others are small.
        indirect case broken(ProxyError)
    }

    /// How the peer's side ended.
    enum Ending {
        case inOrder
        indirect case broken(ProxyError)
    }

    /// Held until the link is closed. (Objects that anything refers to weakly are counted the slow way from then on,
    /// which is why connections, loops and destinations are not.)
    var owner: (any LinkOwner)?
    let loop: EventLoop
    /// What errors call the other side.
    let peer: String

    private var registration: Registration?
    // Unchecked, as elsewhere on the way of a request: used by one loop only, and while one of these is in use nobody is
    // called who knows of links. The checks took a quarter of an exchange's instructions.
    @exclusivity(unchecked) private var descriptor: Descriptor?
    @exclusivity(unchecked) private var queue = ByteQueue()
    @exclusivity(unchecked) private var early = ByteQueue()
    private var mayRead = false
    private var mayWrite = false
    private var sawHangup = false
    private var hasEnded = false
    private var endsWhenSent = false
    /// Whether something of it is in the loop's outbox.
    private var hasPosted = false
    private(set) var isConnecting = false
    private(set) var connectError: Errno?
    private(set) var ending: Ending?
    /// Whether the peer takes no more bytes; what is written is thrown away.
    private(set) var isDeaf = false
    private(set) var secured: SecuredLink?

    /// Takes over a connected socket.
    init(_ descriptor: consuming Descriptor, peer: String, on loop: EventLoop) throws(Errno) {
        self.loop = loop
        self.peer = peer
        let raw = descriptor.raw
        self.descriptor = consume descriptor
        loop.kernel.setNoDelay(self.descriptor!)
        registration = try loop.watch(raw, self)
    }

    /// Begins to connect; once `isConnecting` is false again, `connectError` tells how it went.
    init(connectingTo address: SocketAddress, on loop: EventLoop) throws(Errno) {
        self.loop = loop
        peer = address.description
        let socket = try loop.kernel.socket(for: address)
        loop.kernel.setNoDelay(socket)
        // Networks forget connections, such as while the machine sleeps, and tell nobody.
        if address.isLoopback { loop.kernel.setUnpaced(socket) } else { loop.kernel.setProbed(socket) }
        isConnecting = try loop.kernel.connect(socket, to: address) == .inProgress
        let raw = socket.raw
        descriptor = consume socket
        registration = try loop.watch(raw, self)
    }

    var isOpen: Bool { registration != nil }
    /// Whether a read may give more than would-block.
    var canRead: Bool {
        !early.isEmpty || (ending == nil && canReadSocket)
    }
    /// Whether the peer's side has ended and everything before that was read.
    var isExhausted: Bool { ending != nil && early.isEmpty }
    /// Whether bytes written now would not have to wait behind others. What was posted is sent before, so that it is
    /// true only where nothing is left.
    var hasRoom: Bool {
        sendPosted()
        return isDeaf || (queue.isEmpty && secured?.isHeldUp != true)
    }
    /// Nothing can pass in either direction any more.
    var isDead: Bool { !isOpen || (isExhausted && isDeaf) }
    /// Whether the peer has ended its side or everything; a read tells which.
    var isHungUp: Bool { sawHangup }
    /// Bytes read early and not taken yet.
    var earlyBytes: ByteQueue { early }

    // MARK: Reading

    /// Reads what is there. `buffer` may be the loop's scratch buffer.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Read {
        if !early.isEmpty {
            let count = early.withBytes { bytes in
                let count = min(bytes.count, buffer.count)
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
                return count
            }
            early.removeFirst(count)
            return .bytes(count)
        }
        if let ending {
            switch ending {
            case .inOrder: return .end
            case .broken(let error): return .broken(error)
            }
        }
        let result = secured?.read(from: self, into: buffer) ?? readSocket(into: buffer)
        switch result {
        case .end: ending = .inOrder
        case .broken(let error):
            ending = .broken(error)
            becomeDeaf()
        case .bytes, .wouldBlock: break
        }
        return result
    }

    /// Reads from the socket itself.
    func readSocket(into buffer: UnsafeMutableRawBufferPointer) -> Read {
        guard isOpen, mayRead else { return .wouldBlock }
        do throws(Errno) {
            switch try loop.kernel.receive(descriptor!, into: buffer) {
            case .bytes(let count):
                if count < buffer.count, !sawHangup { drained() }
                return .bytes(count)
            case .wouldBlock:
                drained()
                return .wouldBlock
            case .endOfFile:
                mayRead = false
                return .end
            }
        } catch {
            mayRead = false
            return .broken(.broken(peer: peer, error))
        }
    }

    private func drained() {
        mayRead = false
        registration?.rearm(.readable)
    }

    /// Reads ahead, up to `limit` bytes in all, so that they can be looked at; `read` gives them again.
    func readEarly(limit: Int) {
        while early.count < limit, ending == nil, canReadSocket {
            let room = UnsafeMutableRawBufferPointer(rebasing: loop.scratch[..<min(limit - early.count, 65536)])
            // What was read early must come first: ask the socket, not `read`.
            switch secured?.read(from: self, into: room) ?? readSocket(into: room) {
            case .bytes(let count): early.append(UnsafeRawBufferPointer(rebasing: room[..<count]))
            case .wouldBlock: return
            case .end: ending = .inOrder
            case .broken(let error):
                ending = .broken(error)
                becomeDeaf()
            }
        }
    }

    private var canReadSocket: Bool { isOpen && !isConnecting && (mayRead || secured?.mayHoldPlaintext == true) }

    /// Whether nothing is known that would keep it from carrying another exchange.
    var isFresh: Bool { isOpen && !isConnecting && !sawHangup && ending == nil && early.isEmpty && hasRoom && !isDeaf }

    /// The same, and nothing has come that was not asked for, nor an end.
    /// - Parameter asking: the system is asked although it has announced nothing yet.
    func isSilent(asking: Bool = false) -> Bool {
        guard isFresh else { return false }
        if asking { mayRead = true }
        guard canRead else { return true }
        // Not the scratch buffer, in which a request may lie. What comes of TLS may be its own, as a session ticket.
        var room: (UInt64, UInt64) = (0, 0)
        return withUnsafeMutableBytes(of: &room) { buffer in
            if case .wouldBlock = read(into: buffer) { true } else { false }
        }
    }

    /// Tells the peer at once that what it sent has come, rather than with the next bytes that go its way: there are
    /// programs that write a head and wait for that before they write the body (RFC 1122 §4.2.3.2 and §4.2.3.4).
    func acknowledge() {
        if isOpen, !mayRead { loop.kernel.acknowledge(descriptor!) }
    }

    /// Puts bytes back that were read and are not for now.
    func pushEarly(_ bytes: UnsafeRawBufferPointer) { if !bytes.isEmpty { early.append(bytes) } }

    /// Takes `count` bytes off what was read early.
    func dropEarly(_ count: Int) { early.removeFirst(count) }

    /// Reads and throws away what comes, at most a few buffers full at a time.
    func discardInput() {
        for _ in 0..<16 {
            guard canRead else { return }
            switch read(into: loop.scratch) {
            case .bytes: continue
            case .wouldBlock, .end, .broken: return
            }
        }
        loop.later { [self] in if isOpen { owner?.linkMoved(self) } }
    }

    // MARK: Writing

    /// Sends what fits and queues the rest.
    func write(_ bytes: UnsafeRawBufferPointer) {
        guard isOpen, !isDeaf, !bytes.isEmpty else { return }
        if let secured {
            secured.write(bytes, to: self)
        } else {
            writeSocket(bytes)
        }
    }

    func write(_ bytes: [UInt8]) { bytes.withUnsafeBytes { write($0) } }

    func write(_ written: borrowing HeadWriter) { written.withBytes { write($0) } }

    /// Sends on the socket itself, what is short at the end of the turn.
    func writeSocket(_ bytes: UnsafeRawBufferPointer) {
        guard queue.isEmpty, mayWrite else { return sendNow(bytes) }
        hasPosted = true
        if !loop.outbox.post(bytes, from: self) { sendNow(bytes) }
    }

    private func sendPosted() { if hasPosted { loop.outbox.flush() } }

    func sendNow(_ bytes: UnsafeRawBufferPointer) {
        hasPosted = false
        guard isOpen, !isDeaf else { return }
        var sent = 0
        if queue.isEmpty, mayWrite { sent = send(bytes) }
        if sent < bytes.count, !isDeaf { queue.append(UnsafeRawBufferPointer(rebasing: bytes[sent...])) }
    }

    /// Ends our side once everything is sent.
    func end() {
        guard !hasEnded else { return }
        hasEnded = true
        secured?.end(self)
        endsWhenSent = true
        endIfSent()
    }

    /// Sends until all is sent or would-block, which alone promises another event.
    private func send(_ bytes: UnsafeRawBufferPointer) -> Int {
        var sent = 0
        while sent < bytes.count {
            do throws(Errno) {
                switch try loop.kernel.send(descriptor!, UnsafeRawBufferPointer(rebasing: bytes[sent...])) {
                case .bytes(let count): sent += count
                case .wouldBlock:
                    blocked()
                    return sent
                }
            } catch {
                becomeDeaf()
                // Its owner has gone on since it wrote.
                loop.later { [self] in owner?.linkMoved(self) }
                return bytes.count
            }
        }
        return sent
    }

    private func blocked() {
        mayWrite = false
        registration?.rearm(.writable)
    }

    private func becomeDeaf() {
        isDeaf = true
        queue.removeAll()
    }

    private func flush() {
        while !queue.isEmpty, mayWrite {
            let sent = queue.withBytes { send($0) }
            if !isDeaf { queue.removeFirst(sent) }
        }
        endIfSent()
    }

    private func endIfSent() {
        guard endsWhenSent, isOpen, hasRoom, !isConnecting else { return }
        endsWhenSent = false
        if !isDeaf { loop.kernel.shutdownWrite(descriptor!) }
    }

    // MARK: Securing and closing

    /// Speaks TLS from now on.
    func secure(_ secured: SecuredLink) { self.secured = secured }

    /// What TLS had to hold up has been written.
    func secureWritesGoOn() {
        endIfSent()
        owner?.linkMoved(self)
    }

    /// The user at the other end of a connection within this machine; nil where nobody is there any more.
    func peerUser() -> UInt32? {
        guard isOpen, let client = loop.kernel.peerAddress(descriptor!), let own = loop.kernel.localAddress(descriptor!)
        else { return nil }
        return SocketTable.user(of: client, connectedTo: own)
    }

    /// Closes at once.
    /// - Parameter reset: the peer sees a reset instead of an end.
    func close(reset: Bool = false) {
        guard isOpen else { return }
        if !reset, !hasEnded { secured?.end(self) }
        sendPosted()
        registration?.cancel()
        registration = nil
        if reset { loop.kernel.resetOnClose(descriptor!) }
        descriptor = nil
        queue.removeAll()
        early.removeAll()
        secured = nil
        owner = nil
    }

    func ready(_ readiness: Readiness) {
        if isConnecting {
            guard readiness.contains(.writable) || readiness.contains(.hangup) else { return }
            isConnecting = false
            connectError = loop.kernel.connectionError(descriptor!)
        }
        if readiness.contains(.hangup) { sawHangup = true }
        if readiness.contains(.readable) || readiness.contains(.hangup) { mayRead = true }
        if readiness.contains(.writable) {
            mayWrite = true
            flush()
        }
        // Its owner may not want to read while it can't write; TLS can't write before it has read.
        if secured?.isHeldUp == true { readEarly(limit: early.count + 16384) }
        owner?.linkMoved(self)
    }
}
