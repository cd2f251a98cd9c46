import Platform

/// The site behind the proxies, as a program of its own: `devmesh-bench site PORT`.
///
/// Load and site share a processor, so what the site costs is taken from the load, and hides how the proxies differ:
/// this one makes a receive and a send for a small request and nothing else. It answers `/` with a line and `/big` with
/// `Site.fileSize` bytes of a file; everything a proxy may ask it is a GET.
final class SiteServer {
    private let listener: Descriptor
    private let poller: any Poller
    /// By descriptor.
    private var clients: [Client?] = []
    // For as long as the process lives.
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)
    private let small = SiteServer.head(of: Site.greeting.utf8.count, Site.greeting)
    private let bigHead = SiteServer.head(of: Site.fileSize)
    private let file: Descriptor

    private final class Client {
        let socket: Descriptor
        /// How many bytes of a request's head have come, and how many of the four that end it.
        var headLength = 0
        var endLength = 0
        var asksForBig = false
        /// What is to be sent: whether the big answer; the first from `offset` on.
        var answers: [Bool] = []
        var offset = 0

        init(_ socket: consuming Descriptor) { self.socket = socket }
    }

    private static func head(of length: Int, _ body: String = "") -> UnsafeRawBufferPointer {
        let text = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: \(length)\r\n\r\n\(body)"
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: text.utf8.count, alignment: 16)
        bytes.copyBytes(from: text.utf8)
        return UnsafeRawBufferPointer(bytes)
    }

    static let word = "site"

    /// Becomes the server where that is what the program was started for, and never returns then.
    static func serveIfAsked(_ arguments: [String]) throws(Malfunction) {
        guard arguments.count == 3, arguments[1] == word, let port = Int(arguments[2]) else { return }
        _ = ThisProcess.raiseOpenFiles()
        try attempt("can't serve at port \(port)") { () throws(Errno) in try SiteServer(port: port).serve() }
    }

    private init(port: Int) throws(Errno) {
        listener = try Kernel.real.listen(at: .loopback(port))
        // Its connections inherit that: pacing is work, and taken from the load.
        Kernel.real.setUnpaced(listener)
        poller = try PollerBackend.native.make()
        try poller.add(listener.raw, token: UInt64(listener.raw))
        // In the mesh's folder, and gone with this process.
        let path = "big-\(port)"
        file = try Kernel.real.open(path, .readWrite)
        try Kernel.real.remove(path)
        try Kernel.real.writeAll(file, String(repeating: "x", count: Site.fileSize))
    }

    /// Serves until something ends the process.
    private func serve() throws(Errno) {
        var events: [PollEvent] = []
        while true {
            events.removeAll(keepingCapacity: true)
            try poller.wait(-1, into: &events)
            for event in events {
                if event.token == UInt64(listener.raw) {
                    try accept()
                } else if let client = clients[Int(event.token)], !advance(client) {
                    poller.remove(client.socket.raw, token: event.token)
                    clients[Int(event.token)] = nil
                }
            }
        }
    }

    private func accept() throws(Errno) {
        while case .connection(let socket) = try Kernel.real.accept(listener) {
            let raw = socket.raw
            Kernel.real.setNoDelay(socket)
            try poller.add(raw, token: UInt64(raw))
            while clients.count <= Int(raw) { clients.append(nil) }
            clients[Int(raw)] = Client(socket)
        }
        poller.rearm(listener.raw, token: UInt64(listener.raw), .readable)
    }

    /// Sends and reads what can be now; false once the client is gone.
    private func advance(_ client: Client) -> Bool {
        do throws(Errno) {
            while try send(client) {
                let result = try Kernel.real.receive(client.socket, into: buffer)
                guard case .bytes(let count) = result else { return result == .wouldBlock }
                for byte in buffer[..<count] { take(byte, client) }
                // After a short read the poller speaks up when more comes.
                if count < buffer.count {
                    _ = try send(client)
                    return true
                }
            }
            return true
        } catch { return false }
    }

    /// Finds the end of a head, which is all there is to a request.
    private func take(_ byte: UInt8, _ client: Client) {
        // `GET /big`, `GET / HTTP/1.1`
        if client.headLength == 5 { client.asksForBig = byte == UInt8(ascii: "b") }
        client.headLength += 1
        switch byte {
        case UInt8(ascii: "\r"): client.endLength = client.endLength == 2 ? 3 : 1
        case UInt8(ascii: "\n") where client.endLength == 1: client.endLength = 2
        case UInt8(ascii: "\n") where client.endLength == 3:
            client.answers.append(client.asksForBig)
            client.headLength = 0
            client.endLength = 0
        default: client.endLength = 0
        }
    }

    /// Sends what is to be sent; false where the client must read first.
    private func send(_ client: Client) throws(Errno) -> Bool {
        while let isBig = client.answers.first {
            let first = isBig ? bigHead : small
            let sent =
                client.offset < first.count
                ? try Kernel.real.send(client.socket, UnsafeRawBufferPointer(rebasing: first[client.offset...]))
                : try sendFile(from: client.offset - first.count, to: client.socket)
            guard case .bytes(let count) = sent else { return false }
            client.offset += count
            if client.offset == first.count + (isBig ? Site.fileSize : 0) {
                client.offset = 0
                client.answers.removeFirst()
            }
        }
        return true
    }

    private func sendFile(from offset: Int, to socket: borrowing Descriptor) throws(Errno) -> WriteResult {
        try Kernel.real.sendFile(file, from: offset, count: Site.fileSize - offset, to: socket)
    }
}
