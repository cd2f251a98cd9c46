import Platform
import TestSupport

/// A socket of a test, used from top to bottom: each call waits for what it needs, ten seconds at most.
final class Peer {
    enum Failure: Error, Equatable {
        case timedOut(soFar: String)
        case ended(soFar: String)
        case broken(Errno)
    }

    private var descriptor: Descriptor?
    private let raw: Int32
    private let poller: any Poller = try! PollerBackend.poll.make()
    private let kernel: Kernel = .real
    private var held: [UInt8] = []
    private var wasReset = false
    private var buffer = [UInt8](repeating: 0, count: 65536)

    init(_ descriptor: consuming Descriptor) throws {
        raw = descriptor.raw
        try poller.add(raw, token: 1)
        self.descriptor = consume descriptor
    }

    /// Connects to a port of the loopback.
    convenience init(port: Int, six: Bool = false) throws {
        let address: SocketAddress = six ? .loopback6(port) : .loopback(port)
        let socket = try Kernel.real.socket(for: address)
        let result = try Kernel.real.connect(socket, to: address)
        try self.init(socket)
        guard result == .inProgress else { return }
        try wait(.writable)
        // Accepted and reset before this thread looked: told by the first use.
        let error = kernel.connectionError(descriptor!)
        wasReset = error == .connectionReset
        if let error, !wasReset { throw Failure.broken(error) }
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let result = try bytes.withUnsafeBytes {
                try kernel.send(descriptor!, UnsafeRawBufferPointer(rebasing: $0[sent...]))
            }
            switch result {
            case .bytes(let count): sent += count
            case .wouldBlock: try wait(.writable)
            }
        }
    }

    /// Sends what fits without waiting; how many bytes that was.
    func sendSome(_ bytes: [UInt8]) throws -> Int {
        let result = try bytes.withUnsafeBytes { try kernel.send(descriptor!, $0) }
        if case .bytes(let count) = result { return count }
        return 0
    }

    /// Sends `block` over and over, each time from where it was cut, until the mesh takes no more of it; how many bytes
    /// that was, 64 MiB or a little more at most.
    func stuff(_ block: [UInt8], into mesh: Mesh) throws -> Int {
        var stuffed = 0
        var rest = block[...]
        var rounds = 0
        while rounds < 50, stuffed < 64 << 20 {
            let count = try sendSome(Array(rest))
            stuffed += count
            rest = count == rest.count ? block[...] : rest.dropFirst(count)
            rounds = count == 0 ? rounds + 1 : 0
            if count == 0 { mesh.settle() }
        }
        return stuffed
    }

    /// Sends what is left of `size` bytes "a", of which `sent` are on their way, as `receiver` takes them; whether those
    /// are what it gets.
    func send(_ size: Int, sent: Int = 0, to receiver: Peer) throws -> Bool {
        let block = [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 20)
        var (sent, received) = (sent, 0)
        while received < size {
            if sent < size { sent += try sendSome(Array(block.prefix(size - sent))) }
            let count = min(sent - received, 1 << 16)
            guard try receiver.receiveBytes(count: count).allSatisfy({ $0 == block[0] }) else { return false }
            received += count
        }
        return true
    }

    /// Receives a head and answers it.
    func answer(_ response: String) throws {
        try receive(until: "\r\n\r\n")
        try send(response)
    }

    /// Receives up to and including `marker`.
    @discardableResult
    func receive(until marker: String) throws -> String {
        let wanted = Array(marker.utf8)
        while true {
            if let end = held.range(of: wanted) { return take(end) }
            guard try receiveMore() else { throw Failure.ended(soFar: text(held)) }
        }
    }

    func receive(count: Int) throws -> String { text(try receiveBytes(count: count)) }

    func receiveBytes(count: Int) throws -> [UInt8] {
        while held.count < count {
            guard try receiveMore() else { throw Failure.ended(soFar: text(held)) }
        }
        defer { held.removeFirst(count) }
        return Array(held[..<count])
    }

    /// Receives everything until the peer ends its side.
    func receiveAll() throws -> String {
        while try receiveMore() {}
        return take(held.count)
    }

    /// Receives and throws away until the peer ends its side; how many bytes those were and whether those looked at,
    /// one of a thousand, were `byte`.
    func countAll(of byte: UInt8) throws -> (count: Int, areAll: Bool) {
        var count = 0
        var areAll = true
        while true {
            let more = try receiveMore()
            count += held.count
            areAll = areAll && stride(from: 0, to: held.count, by: 1000).allSatisfy { held[$0] == byte }
            held.removeAll(keepingCapacity: true)
            if !more { return (count, areAll) }
        }
    }

    /// Waits for the peer's end, with nothing before it.
    func expectEnd() throws -> Bool { try receiveAll().isEmpty }

    /// Waits for the peer's reset.
    func expectReset() throws -> Bool {
        do {
            _ = try receiveAll()
            return false
        } catch Failure.broken(let error) { return error == .connectionReset }
    }

    /// Whether nothing arrives for a while.
    func isQuiet(for duration: Duration = .milliseconds(100)) throws -> Bool {
        do {
            _ = try receiveMore(within: duration)
            return false
        } catch Failure.timedOut { return true }
    }

    func end() { kernel.shutdownWrite(descriptor!) }

    func close() {
        if descriptor != nil { poller.remove(raw, token: 1) }
        descriptor = nil
    }

    func reset() {
        kernel.resetOnClose(descriptor!)
        close()
    }

    deinit { if descriptor != nil { poller.remove(raw, token: 1) } }

    private func take(_ count: Int) -> String {
        defer { held.removeFirst(count) }
        return text(Array(held[..<count]))
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private func receiveMore(within limit: Duration = patience(.seconds(10))) throws -> Bool {
        if wasReset { throw Failure.broken(.connectionReset) }
        while true {
            let result = try buffer.withUnsafeMutableBytes { bytes in
                do throws(Errno) {
                    return try kernel.read(descriptor!, into: bytes)
                } catch { throw Failure.broken(error) }
            }
            switch result {
            case .bytes(let count):
                held += buffer[..<count]
                return true
            case .endOfFile: return false
            case .wouldBlock: try wait(.readable, within: limit)
            }
        }
    }

    private func wait(_ direction: Readiness, within limit: Duration = patience(.seconds(10))) throws {
        poller.rearm(raw, token: 1, direction)
        let deadline = Instant.now + limit
        var events: [PollEvent] = []
        while true {
            let left = deadline - Instant.now
            guard left > .zero else { throw Failure.timedOut(soFar: text(held)) }
            events.removeAll()
            try poller.wait(Int32(left.nanoseconds / 1_000_000 + 1), into: &events)
            for event in events {
                if !event.readiness.isDisjoint(with: [direction, .hangup]) { return }
                // Not what was waited for: it must be reported again when it is.
            }
        }
    }
}

/// A listening socket of a test, which accepts when told to.
final class Server {
    let port: Int
    private var listener: Descriptor?
    private let raw: Int32
    private let poller: any Poller = try! PollerBackend.poll.make()

    init(port: Int = 0, six: Bool = false) throws {
        let socket = try Kernel.real.listen(at: six ? .loopback6(port) : .loopback(port))
        self.port = Kernel.real.localAddress(socket)!.port!
        raw = socket.raw
        try poller.add(raw, token: 1)
        listener = consume socket
    }

    func accept() throws -> Peer {
        while true {
            switch try Kernel.real.accept(listener!) {
            case .connection(let connection): return try Peer(connection)
            case .wouldBlock:
                guard try hasVisitor(within: patience(.seconds(10))) else { throw Peer.Failure.timedOut(soFar: "") }
            }
        }
    }

    /// Has a client ask, and takes the head of the request on a new connection.
    func asked(by client: Peer, _ request: String) throws -> Peer {
        try client.send(request)
        let connection = try accept()
        try connection.receive(until: "\r\n\r\n")
        return connection
    }

    /// Whether somebody connects within `duration`.
    func hasVisitor(within duration: Duration = .milliseconds(100)) throws -> Bool {
        poller.rearm(raw, token: 1, .readable)
        var events: [PollEvent] = []
        try poller.wait(Int32(duration.nanoseconds / 1_000_000), into: &events)
        return !events.isEmpty
    }

    func close() {
        if listener != nil { poller.remove(raw, token: 1) }
        listener = nil
    }

    deinit { close() }
}

extension [UInt8] {
    /// The offset behind the first occurrence of `wanted`.
    fileprivate func range(of wanted: [UInt8]) -> Int? {
        guard count >= wanted.count else { return nil }
        for start in 0...(count - wanted.count) where self[start..<start + wanted.count].elementsEqual(wanted) {
            return start + wanted.count
        }
        return nil
    }
}
