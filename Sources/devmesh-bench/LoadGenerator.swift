import HTTP
import Platform

/// The load on the proxies, as a program of its own: `devmesh-bench load -t1 -cCONNECTIONS -dSECONDSs --latency URL`,
/// which takes wrk's arguments and writes its report, so that wrk can take its place.
///
/// On each connection it sends the next request once it has the response to the one before. It shares a processor with
/// the site, so what it costs hides how the proxies differ: it makes a send and a receive for a small response and
/// nothing else, where wrk also changes twice what it waits for.
final class LoadGenerator {
    static let word = "load"

    private let poller: any Poller
    private let clients: [Client]
    // Both for as long as the process lives.
    private let request: UnsafeRawBufferPointer
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 262_144, alignment: 16)
    /// How long each response took, in nanoseconds.
    private var latencies: [Int64] = []
    private var failureCount = 0
    private var openCount: Int
    /// How long a response may still take when the time is over.
    private static let patience = Duration.milliseconds(250)

    private final class Client {
        let socket: Descriptor
        var asked = Instant(nanoseconds: 0)
        var head = ResponseHead()
        var isOpen = true
        /// How much of the response is to come; nil before its head.
        var rest: Int?

        init(_ socket: consuming Descriptor) { self.socket = socket }
    }

    /// Becomes the generator where that is what the program was started for, and never returns then.
    static func loadIfAsked(_ arguments: [String]) throws(Malfunction) {
        guard arguments.count == 7, arguments[1] == word else { return }
        let url = arguments[6].dropFirst("http://127.0.0.1:".count)
        let path = url.drop { $0 != "/" }
        guard let port = Int(url.dropLast(path.count)), let connections = Int(arguments[3].dropFirst(2)),
            let seconds = Int(arguments[4].dropFirst(2).dropLast())
        else { throw Malfunction("load: can't read \(arguments.dropFirst(2))") }
        let generator = try attempt("can't connect to port \(port)") { () throws(Errno) in
            try LoadGenerator(port: port, path: path, connections: connections)
        }
        print(try generator.run(for: .seconds(seconds)))
        ThisProcess.exit(0)
    }

    private init(port: Int, path: Substring, connections: Int) throws(Errno) {
        let kernel = Kernel.real
        let text = "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\r\n"
        let request = UnsafeMutableRawBufferPointer.allocate(byteCount: text.utf8.count, alignment: 16)
        request.copyBytes(from: text.utf8)
        self.request = UnsafeRawBufferPointer(request)
        poller = try PollerBackend.native.make()
        var clients: [Client] = []
        for index in 0..<connections {
            let socket = try kernel.socket(for: .loopback(port))
            kernel.setNoDelay(socket)
            kernel.setUnpaced(socket)
            try kernel.setNonblocking(socket, false)
            _ = try kernel.connect(socket, to: .loopback(port))
            try kernel.setNonblocking(socket)
            try poller.add(socket.raw, token: UInt64(index))
            clients.append(Client(socket))
        }
        self.clients = clients
        openCount = clients.count
    }

    private func run(for duration: Duration) throws(Malfunction) -> String {
        let began = Instant.now
        for index in clients.indices { ask(index, at: began) }
        var events: [PollEvent] = []
        var now = began
        while now - began < duration, openCount > 0 {
            events.removeAll(keepingCapacity: true)
            try attempt("can't wait") { () throws(Errno) in try poller.wait(100, into: &events) }
            for event in events { advance(Int(event.token)) }
            now = .now
        }
        // A response that does not come is no faster than one that comes late.
        for client in clients where client.isOpen && now - client.asked > Self.patience {
            failureCount += 1
            latencies.append((now - client.asked).nanoseconds)
        }
        latencies.sort()
        guard !latencies.isEmpty else { throw Malfunction("no response came") }
        let rate = Double(latencies.count) / (Double((now - began).nanoseconds) / 1e9)
        return """
                50%  \(latency(50))us
                99%  \(latency(99))us
              \(latencies.count) requests
              Non-2xx or 3xx responses: \(failureCount)
            Requests/sec: \(rate)
            """
    }

    /// Microseconds within which so many of a hundred were answered.
    private func latency(_ percent: Int) -> Double { Double(latencies[latencies.count * percent / 100]) / 1000 }

    private func ask(_ index: Int, at now: Instant) {
        let client = clients[index]
        client.asked = now
        client.rest = nil
        client.head.reset()
        guard case .bytes(request.count)? = try? Kernel.real.send(client.socket, request) else { return giveUp(index) }
    }

    /// Counts a connection that broke, and does without it.
    private func giveUp(_ index: Int) {
        failureCount += 1
        openCount -= 1
        clients[index].isOpen = false
        poller.remove(clients[index].socket.raw, token: UInt64(index))
    }

    /// Reads what has come.
    private func advance(_ index: Int) {
        let client = clients[index]
        while client.isOpen {
            guard let result = try? Kernel.real.receive(client.socket, into: buffer) else { return giveUp(index) }
            switch result {
            case .wouldBlock: return
            case .endOfFile: return giveUp(index)
            case .bytes(let count):
                take(UnsafeRawBufferPointer(rebasing: buffer[..<count]), index)
                // After a short read the poller speaks up when more comes.
                if count < buffer.count { return }
            }
        }
    }

    private func take(_ bytes: UnsafeRawBufferPointer, _ index: Int) {
        let client = clients[index]
        guard let whole = client.rest ?? length(of: bytes, client), whole >= bytes.count else { return giveUp(index) }
        client.rest = whole - bytes.count
        guard client.rest == 0 else { return }
        let now = Instant.now
        latencies.append((now - client.asked).nanoseconds)
        ask(index, at: now)
    }

    /// How long the response is that begins with these bytes; nil where that can't be told. Its head comes whole: it is
    /// short.
    private func length(of bytes: UnsafeRawBufferPointer, _ client: Client) -> Int? {
        guard case .complete(let length) = client.head.parse(bytes) else { return nil }
        if !(200..<400).contains(client.head.status) { failureCount += 1 }
        switch client.head.framing(answering: .get) {
        case .none: return length
        case .length(let body): return length + Int(body)
        case .chunked, .untilClose, .tunnel: return nil
        }
    }
}
