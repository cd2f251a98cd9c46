import HTTP

/// Writes the heads that pass between a client and an HTTP remote anew: never a byte of the old one as it came.
///
///     client   GET /a  Host: 127.0.0.1:20003        ──▶  remote   GET /base/a  Host: members.example
///     client   200 OK  Connection: close            ◀──  remote   200 OK
///
/// Fields that end at this hop are left out (RFC 9110 §7.6.1), and each connection carries one exchange.
struct HeadRewriting {
    let target: RemoteTarget

    /// The head that goes to the remote.
    /// - Throws: what the client is to be answered with.
    func request(_ head: RequestHead, in buffer: UnsafeRawBufferPointer) throws(HTTPProblem) -> [UInt8] {
        guard head.method != .connect else { throw HTTPProblem(405, "CONNECT is not served here") }
        var writer = HeadWriter()
        writer.request(head, in: buffer, target: path(head, in: buffer))
        try writer.field("Host", target.hostHeader)
        copyFields(head.section, head.fields, in: buffer, to: &writer) { $0 != .host }
        if head.framing == .chunked { try writer.field("Transfer-Encoding", "chunked") }
        if head.asksUpgrade {
            for field in head.fields where field.kind == .upgrade { writer.copy(field, from: buffer) }
            try writer.field("Connection", "upgrade")
        } else if asksTrailers(head, in: buffer) {
            try writer.field("TE", "trailers")
            try writer.field("Connection", "close, TE")
        } else {
            try writer.field("Connection", "close")
        }
        writer.end()
        return writer.bytes
    }

    /// The head that goes to the client.
    /// - Parameter isChunked: whether the body that follows will be in chunks.
    func response(_ head: ResponseHead, in buffer: UnsafeRawBufferPointer, isChunked: Bool)
        throws(HTTPProblem) -> [UInt8]
    {
        var writer = HeadWriter()
        writer.response(head, in: buffer)
        copyFields(head.section, head.fields, in: buffer, to: &writer) { _ in true }
        if isChunked { try writer.field("Transfer-Encoding", "chunked") }
        if head.status == 101 {
            for field in head.fields where field.kind == .upgrade { writer.copy(field, from: buffer) }
            try writer.field("Connection", "upgrade")
        } else if !head.isInterim {
            try writer.field("Connection", "close")
        }
        writer.end()
        return writer.bytes
    }

    /// The remote's path and behind it the request's; an absolute target's authority is left out, for the remote has
    /// its own.
    private func path(_ head: RequestHead, in buffer: UnsafeRawBufferPointer) -> [UInt8] {
        var base = Array(target.path.utf8)
        while base.last == UInt8(ascii: "/") { base.removeLast() }
        switch head.form {
        case .origin: return base + buffer[head.target]
        case .absolute(_, let range):
            let slash: [UInt8] = range.isEmpty || buffer[range.lowerBound] != UInt8(ascii: "/") ? [0x2f] : []
            return base + slash + buffer[range]
        case .asterisk, .authority: return Array(buffer[head.target])
        }
    }

    private func copyFields(
        _ section: FieldSection, _ fields: [HeaderField], in buffer: UnsafeRawBufferPointer,
        to writer: inout HeadWriter, where isWanted: (HeaderField.Kind) -> Bool
    ) {
        for field in fields where isWanted(field.kind) && !field.kind.isHopByHop {
            if !section.connectionNames(field, in: buffer) { writer.copy(field, from: buffer) }
        }
    }

    private func asksTrailers(_ head: RequestHead, in buffer: UnsafeRawBufferPointer) -> Bool {
        head.fields.contains { field in
            field.kind == .te
                && String(decoding: buffer[field.value], as: UTF8.self).lowercased().contains("trailers")
        }
    }
}
