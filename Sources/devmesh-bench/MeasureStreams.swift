import JSON
import Platform

private let messageCount = 500

/// What a proxy adds to each message of a WebSocket and to each server-sent event: this process is both client and
/// server, so nobody else's time is in it.
func measureStreams(_ options: Options, _ tools: ProxyTools) throws(Malfunction) {
    let rounds = options.repetitions * 4
    print("  streams: messages of 32 bytes, one at a time; median of \(rounds) x \(messageCount), in turns")
    let server = try StreamServer()
    let mesh = try Mesh(
        options, services: ["echo"], run: ["true"],
        extra: [.init("remote", .string("http://127.0.0.1:\(server.port)")), .init("target", "remote")])
    let program = try mesh.up()
    let nginx = try Peer.nginx(tools, to: server.port, in: mesh.folder)
    defer { nginx.end() }
    while (try? connected(to: mesh.fronts["echo"]!)) == nil {
        if program.hasEnded { throw Malfunction("'devmesh up' has ended") }
        pause(.milliseconds(1))
    }
    let proxies = [try ReverseProxy.devmesh(mesh, service: "echo", options), nginx.proxy]
    _ = try tools.place(proxies.flatMap(\.processes), on: 0)
    let ways = [ReverseProxy(name: "direct", port: server.port, processes: [])] + proxies
    let table = Table(["", "direct", "devmesh adds", "nginx adds"], widths: [26, 12, 14, 12])
    for kind in StreamServer.Kind.allCases {
        var times = ways.map { _ in [Duration]() }
        for round in 0..<rounds {
            for index in inTurns(ways.count, round) {
                times[index].append(try server.median(kind, through: ways[index]))
            }
        }
        let base = median(times[0])
        let added = times.dropFirst().map { median($0) - base }
        table.row([kind.rawValue, microseconds(base), microseconds(added[0]), microseconds(added[1])])
        verdict("\(kind.rawValue): no more added than by nginx", ours: times[1], theirs: times[2])
    }
    try mesh.down()
}

/// The far end of a stream, and the near one: each message is sent by one and received by the other.
private final class StreamServer {
    enum Kind: String, CaseIterable {
        /// There and back.
        case webSocket = "WebSocket echo"
        /// One way.
        case events = "server-sent event"
    }

    let port: Int
    private let listener: Descriptor
    private static let message = String(repeating: "m", count: 30)

    init() throws(Malfunction) {
        listener = try attempt("can't listen") { () throws(Errno) in
            let socket = try Kernel.real.listen(at: .loopback(0))
            try Kernel.real.setNonblocking(socket, false)
            return socket
        }
        port = Kernel.real.localAddress(listener)?.port ?? 0
    }

    func median(_ kind: Kind, through proxy: ReverseProxy) throws(Malfunction) -> Duration {
        let client = try connected(to: proxy.port)
        let upgrade = kind == .webSocket ? "Connection: Upgrade\r\nUpgrade: websocket\r\n" : ""
        try send(client, "GET / HTTP/1.1\r\nHost: x\r\n\(upgrade)\r\n")
        let far = try accepted()
        _ = try receive(far, until: "\r\n\r\n")
        switch kind {
        case .webSocket:
            try send(far, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        case .events:
            try send(
                far,
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Accel-Buffering: no\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n")
        }
        _ = try receive(client, until: "\r\n\r\n")
        var times: [Duration] = []
        for _ in 0..<messageCount {
            let began = Instant.now
            switch kind {
            case .webSocket:
                try send(client, StreamServer.message + "\r\n")
                try send(far, try receive(far, until: "\r\n"))
                _ = try receive(client, until: "m\r\n")
            case .events:
                // One chunk each, of 32 bytes with the empty line.
                try send(far, "20\r\n\(StreamServer.message)\n\n\r\n")
                _ = try receive(client, until: "m\n\n\r\n")
            }
            times.append(Instant.now - began)
        }
        return devmesh_bench.median(times)
    }

    private func accepted() throws(Malfunction) -> Descriptor {
        try attempt("can't accept") { () throws(Errno) in
            guard case .connection(let socket) = try Kernel.real.accept(listener) else { throw .again }
            try Kernel.real.setNonblocking(socket, false)
            Kernel.real.setNoDelay(socket)
            return socket
        }
    }
}
