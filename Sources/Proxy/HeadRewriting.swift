import HTTP

/// Writes the heads that pass between a client and its server anew: never a byte of the old one as it came.
///
///     client   GET /a  Host: 127.0.0.1:20003        ──▶  remote     GET /base/a  Host: members.example
///     client   GET /a  Host: members.localhost      ──▶  instance   GET /a       Host: members.localhost
///     client   200 OK                               ◀──  server     200 OK  Keep-Alive: timeout=5
///
/// Fields that end at this hop are left out (RFC 9110 §7.6.1).
enum HeadRewriting {
    /// More passages than these are a loop.
    private static let mostHops = 16

    /// Why a request goes nowhere; nil for an ordinary one.
    static func refusal(of head: RequestHead, in buffer: UnsafeRawBufferPointer) -> HTTPProblem? {
        if head.method == .connect { return HTTPProblem(405, "CONNECT is not served here") }
        var hops = 0
        for field in head.fields where field.kind == .via { hops += ours(buffer[field.value]) }
        if hops < mostHops { return nil }
        return HTTPProblem(508, "the request has passed here \(hops) times: services call each other in a circle")
    }

    /// Writes the head that goes to the server; requests to an instance of this machine keep their `Host`.
    /// - Parameters:
    ///   - strippedCount: how many bytes of the path are left out, and told as its prefix.
    ///   - trustsClient: whether what the client says of those before it is to be believed: on an edge, where a
    ///     service calls.
    ///   - marks: what it takes along.
    ///   - service: `Host` where a client of old says none.
    /// - Throws: what the client is to be answered with.
    static func request(
        _ head: RequestHead, in buffer: UnsafeRawBufferPointer, to lease: Lease, without strippedCount: Int = 0,
        trustsClient: Bool, isClientV6: Bool, isSecured: Bool = false, marks: Propagation? = nil,
        service: @autoclosure () -> String,
        _ writer: inout HeadWriter
    ) throws(HTTPProblem) {
        writeRequestLine(head, in: buffer, base: lease.basePath, without: strippedCount, to: &writer)
        if let remote = lease.remote {
            try writer.field("Host", remote.hostHeader)
        } else if case .absolute(let authority, _) = head.form {
            writer.field("Host", from: buffer, authority)
        } else if let host = head.host {
            writer.copy(host, from: buffer)
        } else {
            try writer.field("Host", service())
        }
        let headers = lease.headers
        var hasLength = head.framing == .chunked
        for field in head.fields {
            switch field.kind {
            case .host: continue
            case .contentLength:
                writeLength(head.section, &hasLength, to: &writer)
                continue
            case .forwarded, .xForwarded: if !trustsClient { continue }
            case let kind: if kind.isHopByHop { continue }
            }
            if !headers.isEmpty, headers.hasName(buffer[field.name]) { continue }
            if let marks, marks.rewrites(field, of: head, in: buffer) { continue }
            if !head.section.connectionNames(field, in: buffer) { writer.copy(field, from: buffer) }
        }
        let isTold = trustsClient && head.fields.contains { $0.kind == .xForwarded || $0.kind == .forwarded }
        if !isTold {
            writeForwarding(
                head, in: buffer, isClientV6: isClientV6, isSecured: isSecured, besides: headers, to: &writer)
        }
        if strippedCount > 0, let start = head.path?.lowerBound {
            writer.field("X-Forwarded-Prefix", from: buffer, start..<start + strippedCount)
        }
        writer.lines("Via: 1.1 devmesh\r\n")
        marks?.write(head, in: buffer, besides: headers, to: &writer)
        for header in headers { try writer.field(header.name, header.value) }
        if head.framing == .chunked { writer.lines("Transfer-Encoding: chunked\r\n") }
        if head.asksUpgrade {
            for field in head.fields where field.kind == .upgrade { writer.copy(field, from: buffer) }
            writer.lines("Connection: upgrade\r\n")
        } else if asksTrailers(head, in: buffer) {
            writer.lines("TE: trailers\r\nConnection: TE\r\n")
        }
        writer.end()
    }

    /// One line, however often and in whatever form it was said.
    private static func writeLength(
        _ section: FieldSection, _ hasLength: inout Bool, to writer: inout HeadWriter
    ) {
        guard !hasLength, let length = section.contentLength else { return }
        hasLength = true
        writer.contentLength(length)
    }

    /// How the client's connection goes on behind a response.
    enum Persistence {
        case keepsAlive
        /// To a client that must be told (HTTP/1.0).
        case saysKeepAlive
        case closes
    }

    /// Writes the head that goes to the client.
    /// - Parameter isChunked: whether the body that follows will be in chunks.
    static func response(
        _ head: ResponseHead, in buffer: UnsafeRawBufferPointer, isChunked: Bool, _ persistence: Persistence,
        to writer: inout HeadWriter
    ) {
        writer.response(head, in: buffer)
        var hasLength = isChunked || head.status < 200 || head.status == 204
        for field in head.fields where !field.kind.isHopByHop {
            if field.kind == .contentLength {
                writeLength(head.section, &hasLength, to: &writer)
                continue
            }
            if !head.section.connectionNames(field, in: buffer) { writer.copy(field, from: buffer) }
        }
        if isChunked {
            writer.lines("Transfer-Encoding: chunked\r\n")
        }
        if head.status == 101 {
            for field in head.fields where field.kind == .upgrade { writer.copy(field, from: buffer) }
            writer.lines("Connection: upgrade\r\n")
        } else if !head.isInterim {
            switch persistence {
            case .keepsAlive: break
            case .saysKeepAlive: writer.lines("Connection: keep-alive\r\n")
            case .closes: writer.lines("Connection: close\r\n")
            }
        }
        writer.end()
    }

    /// The remote's path and behind it the request's.
    private static func writeRequestLine(
        _ head: RequestHead, in buffer: UnsafeRawBufferPointer, base: String, without strippedCount: Int,
        to writer: inout HeadWriter
    ) {
        guard let path = head.path?.dropFirst(strippedCount) else { return writer.request(head, in: buffer) }
        let isAbsolute = !path.isEmpty && buffer[path.lowerBound] == UInt8(ascii: "/")
        writer.request(head, in: buffer, base: isAbsolute ? base : base + "/", target: path)
    }

    /// Says who called (RFC 7239's forerunners, which everyone reads).
    private static func writeForwarding(
        _ head: RequestHead, in buffer: UnsafeRawBufferPointer, isClientV6: Bool, isSecured: Bool,
        besides headers: [RemoteTarget.Header], to writer: inout HeadWriter
    ) {
        if headers.isEmpty || !headers.hasName("x-forwarded-for".utf8) {
            writer.lines(isClientV6 ? "X-Forwarded-For: ::1\r\n" : "X-Forwarded-For: 127.0.0.1\r\n")
        }
        if let host = head.host, headers.isEmpty || !headers.hasName("x-forwarded-host".utf8) {
            writer.field("X-Forwarded-Host", from: buffer, host.value)
        }
        if headers.isEmpty || !headers.hasName("x-forwarded-proto".utf8) {
            writer.lines(isSecured ? "X-Forwarded-Proto: https\r\n" : "X-Forwarded-Proto: http\r\n")
        }
    }

    /// How many of the hops that a `Via` line names are ours.
    private static func ours(_ via: Slice<UnsafeRawBufferPointer>) -> Int {
        var rest = via
        var count = 0
        while !rest.isEmpty {
            if hasPrefix(" devmesh", part(of: &rest, upTo: UInt8(ascii: ",")).suffix(8)) { count += 1 }
        }
        return count
    }

    private static func asksTrailers(_ head: RequestHead, in buffer: UnsafeRawBufferPointer) -> Bool {
        head.fields.contains { field in
            guard field.kind == .te else { return false }
            var rest = buffer[field.value]
            while !rest.isEmpty {
                var coding = part(of: &rest, upTo: UInt8(ascii: ","))
                if equals("trailers", part(of: &coding, upTo: UInt8(ascii: ";"))) { return true }
            }
            return false
        }
    }
}
