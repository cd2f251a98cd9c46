import Platform

/// What an HTTP server answered.
public struct MeshResponse: Sendable {
    public var status: Int
    /// Status line and fields.
    public var head: String
    public var body: String
}

/// A client of a front: one connection, used from top to bottom by a thread that may wait.
public final class MeshClient {
    private let descriptor: Descriptor
    private let poller: any Poller
    private var events: [PollEvent] = []
    private var held: [UInt8] = []

    /// Whoever waits this long has failed.
    private static let limit = patience(.seconds(60))

    /// Connects to a port of the loopback.
    public convenience init(port: Int, six: Bool = false) throws {
        try self.init(six ? .loopback6(port) : .loopback(port))
    }

    public init(_ address: SocketAddress) throws {
        descriptor = try Kernel.real.socket(for: address)
        poller = try PollerBackend.poll.make()
        let result = try Kernel.real.connect(descriptor, to: address)
        try poller.add(descriptor.raw, token: 1)
        guard result == .inProgress else { return }
        try wait(for: .writable, "a connection to \(address)")
        if let error = Kernel.real.connectionError(descriptor) { throw error }
    }

    public func send(_ text: String) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let result = try rest.withUnsafeBytes { try Kernel.real.send(descriptor, $0) }
            switch result {
            case .bytes(let count): rest = rest.dropFirst(count)
            case .wouldBlock: try wait(for: .writable, "room to send")
            }
        }
    }

    /// Nothing more comes from here.
    public func finish() { Kernel.real.shutdownWrite(descriptor) }

    /// Reads until `text` has come, and returns what came with it included; the rest is kept for the next call.
    public func read(until text: String) throws -> String {
        let wanted = Array(text.utf8)
        while true {
            if let end = held.firstRange(of: wanted)?.upperBound {
                defer { held.removeFirst(end) }
                return String(decoding: held[..<end], as: UTF8.self)
            }
            guard try more() else { throw MeshFailure("the connection ended before \"\(text)\": \(heldText)") }
        }
    }

    /// Reads to the end of the connection.
    public func readToEnd() throws -> String {
        while try more() {}
        defer { held = [] }
        return heldText
    }

    public func request(_ path: String, method: String = "GET", fields: [String] = [], body: String = "") throws {
        var lines = ["\(method) \(path) HTTP/1.1", "Host: localhost"] + fields
        if method != "GET" { lines.append("Content-Length: \(body.utf8.count)") }
        try send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
    }

    /// Reads an answer whose body has a Content-Length.
    public func response() throws -> MeshResponse {
        let head = try read(until: "\r\n\r\n")
        let fields = head.lowercased().split(separator: "\r\n")
        guard let length = fields.first(where: { $0.hasPrefix("content-length:") }),
            let count = Int(length.dropFirst(15).drop { $0 == " " }),
            let status = Int(head.split(separator: " ").dropFirst().first ?? "")
        else { throw MeshFailure("no answer with a length: \(head)") }
        while held.count < count {
            guard try more() else { throw MeshFailure("the connection ended within a body: \(head)\(heldText)") }
        }
        defer { held.removeFirst(count) }
        return MeshResponse(status: status, head: head, body: String(decoding: held[..<count], as: UTF8.self))
    }

    public func get(_ path: String, fields: [String] = []) throws -> MeshResponse {
        try request(path, fields: fields)
        return try response()
    }

    private var heldText: String { String(decoding: held, as: UTF8.self) }

    /// Waits for more bytes; false at the end.
    private func more() throws -> Bool {
        while true {
            var result = ReadResult.wouldBlock
            try withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 1) { buffer in
                result = try Kernel.real.read(descriptor, into: buffer)
                if case .bytes(let count) = result { held.append(contentsOf: buffer[..<count]) }
            }
            switch result {
            case .bytes: return true
            case .endOfFile: return false
            case .wouldBlock: try wait(for: .readable, "an answer")
            }
        }
    }

    private func wait(for wanted: Readiness, _ what: String) throws {
        let deadline = Instant.now + Self.limit
        poller.rearm(descriptor.raw, token: 1, wanted)
        while true {
            let left = (deadline - .now).nanoseconds
            guard left > 0 else { throw MeshFailure("waited in vain for \(what); there was: \(heldText)") }
            events.removeAll()
            try poller.wait(Int32(clamping: left / 1_000_000 + 1), into: &events)
            if events.contains(where: { !$0.readiness.isDisjoint(with: [wanted, .hangup]) }) { return }
        }
    }
}
