import Testing

/// What tests of one front have in common.
class OneFront {
    var mesh: Mesh!
    let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    /// A client of the front of `reader`, behind which is that server.
    func client(of server: Server) throws -> Peer {
        mesh = try Mesh(["reader"], edges: ["purge>reader"])
        mesh.pass("reader", server)
        return try mesh.call("reader")
    }

    /// One exchange on a connection of the server's that is there.
    func exchange(_ client: Peer, _ upstream: Peer) throws {
        try client.send(get)
        try upstream.answer(ok)
        #expect(try client.receive(until: "ok") == ok)
    }

    /// One exchange on a new connection, which is returned.
    func exchangeAnew(_ client: Peer, _ server: Server) throws -> Peer {
        try client.send(get)
        let upstream = try server.accept()
        try upstream.answer(ok)
        #expect(try client.receive(until: "ok") == ok)
        return upstream
    }
}
