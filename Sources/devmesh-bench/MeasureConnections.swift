import JSON
import Platform

private let connectionCount = 10_000

/// What a keep-alive connection on which nothing happens costs.
func measureIdleConnections(_ options: Options, _ tools: ProxyTools) throws(Malfunction) {
    print("  idle: \(connectionCount) keep-alive connections, after a request on each")
    let files = ThisProcess.raiseOpenFiles().now
    guard files > UInt64(connectionCount) + 100 else {
        print("  only \(files) files may be open, so this can't be measured: raise `ulimit -Hn`")
        return
    }
    // A fresh one: memory that an earlier load has left would take these connections up unseen.
    let site = try Site()
    let mesh = try Mesh(
        options, services: [Site.name], run: site.command, extra: [.init("listens", .int(site.port))])
    try mesh.upUntilAllAnswer()
    let nginx = try Peer.nginx(tools, to: site.port, in: mesh.folder)
    defer { nginx.end() }
    let table = Table(["", "memory (PSS) each"], widths: [10, 20])
    var ours = 0.0
    for proxy in [try ReverseProxy.devmesh(mesh, service: Site.name, options), nginx.proxy] {
        let each = try cost(of: proxy)
        if proxy.name == "devmesh" { ours = each }
        table.row([proxy.name, "\(Int(each)) bytes"])
    }
    try mesh.down()
    verdict("under 4 KB each: \(Int(ours)) bytes", isMet: ours > 0 && ours < 4096)
}

/// In bytes.
private func cost(of proxy: ReverseProxy) throws(Malfunction) -> Double {
    for _ in 0..<100 { try KeptConnection(to: proxy.port).get() }
    let before = proxy.processes.map(proportionalSetSize).reduce(0, +)
    var connections: [KeptConnection] = []
    for _ in 0..<connectionCount {
        let connection = try KeptConnection(to: proxy.port)
        try connection.get()
        connections.append(connection)
    }
    let after = proxy.processes.map(proportionalSetSize).reduce(0, +)
    // They must all be there, or something else was measured.
    for connection in connections { try connection.get() }
    return Double(after - before) * 1024 / Double(connectionCount)
}

/// A client's connection that stays.
private final class KeptConnection {
    private let socket: Descriptor

    init(to port: Int) throws(Malfunction) { socket = try connected(to: port) }

    func get() throws(Malfunction) {
        try send(socket, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        let answer = try receive(socket, until: "\r\n\r\n\(Site.greeting)")
        guard answer.hasPrefix("HTTP/1.1 200 ") else { throw Malfunction("a proxy answered with \(answer)") }
    }
}

// MARK: Blocking sockets

func connected(to port: Int) throws(Malfunction) -> Descriptor {
    try attempt("can't connect to port \(port)") { () throws(Errno) in
        let socket = try Kernel.real.socket(for: .loopback(port))
        try Kernel.real.setNonblocking(socket, false)
        Kernel.real.setNoDelay(socket)
        _ = try Kernel.real.connect(socket, to: .loopback(port))
        return socket
    }
}

func send(_ socket: borrowing Descriptor, _ text: String) throws(Malfunction) {
    do throws(Errno) { try Kernel.real.writeAll(socket, text) } catch { throw Malfunction("can't send: \(error)") }
}

/// Reads until what came ends with `end`.
func receive(_ socket: borrowing Descriptor, until end: String) throws(Malfunction) -> String {
    var bytes: [UInt8] = []
    while !bytes.suffix(end.utf8.count).elementsEqual(end.utf8) {
        do throws(Errno) {
            let more = try Kernel.real.next(socket, atMost: 4096)
            if more.isEmpty { throw .connectionReset }
            bytes += more
        } catch {
            throw Malfunction("can't receive: \(error), after \(String(decoding: bytes.prefix(200), as: UTF8.self))")
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
