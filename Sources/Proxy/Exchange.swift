import EventLoop
import HTTP
import Platform

/// The HTTP/1 exchanges of one client's connection, one after another: each request goes to where its service is then.
///
///     idle ──head──▶ waiting ──server──▶ awaitingResponse ──head──▶ passingResponse ──▶ idle
///      ▲               (routed, held, dialled)     │ 101                                  │
///      └───────────────────────────────────────────┼──────────────────────────────────────┘
///                                                  └─▶ (a raw relay)
///
/// Bodies stream: nothing is read from one side while bytes wait for the other. Once complete, the server's connection
/// goes back to its pool, and the client's waits for the next request.
final class Exchange {
    enum Stage {
        case idle
        /// The request's head lies in the client's early bytes, or what was sent of it in `sent`.
        case waiting
        case awaitingResponse(Link)
        case passingResponse(Link)
    }

    /// Owns this, and is kept by whatever calls it.
    unowned(unsafe) let connection: Connection
    var stage = Stage.idle
    /// Whose connection it uses.
    var lease: Lease?

    // Of the request.
    var method = HTTPMethod.other
    var speaksOldHTTP = false
    var clientKeepsAlive = false
    var asksUpgrade = false
    var form = Answer.Form.json
    var requestBody = BodyCursor(.none)
    var requestIsChunked = false
    /// The client's early bytes that the request's head takes, while it waits there.
    var headLength = 0

    // For another try: a pooled connection may turn out to have been ended by its server.
    var isReused = false
    /// What was sent of a request that may be sent again; empty for any other.
    var sent: [UInt8] = []

    // Of the response.
    var responseBody = BodyCursor(.none)
    var responseIsChunked = false
    var closesClient = false
    var serverKeepsAlive = false
    /// Server-sent events, which have no end worth waiting for.
    private(set) var isStream = false

    var isMoving = false
    /// Runs once the client has ended its side: it may only have said all that it had to say.
    private var grace: Timer?
    private static let graceLimit = Duration.seconds(1)

    init(_ connection: Connection) { self.connection = connection }

    var client: Link { connection.client }
    var loop: EventLoop { connection.loop }
    var bench: Workbench { connection.destination.runtime.bench }

    var upstream: Link? {
        switch stage {
        case .awaitingResponse(let link), .passingResponse(let link): link
        case .idle, .waiting: nil
        }
    }

    // MARK: Life

    /// Takes a request whose head is whole at the beginning of `bytes`; `bench.request` has parsed it.
    /// - Parameter areEarly: whether `bytes` are the client's early ones; else they were just read.
    func begin(_ bytes: UnsafeRawBufferPointer, _ length: Int, areEarly: Bool) {
        let head = bench.request
        method = head.method
        speaksOldHTTP = head.minorVersion == 0
        clientKeepsAlive = head.keepsAlive
        asksUpgrade = head.asksUpgrade
        form = Answer.Form(head, in: bytes)
        requestBody = BodyCursor(head.framing)
        requestIsChunked = head.framing == .chunked
        isStream = false
        sent.removeAll(keepingCapacity: true)
        if let problem = HeadRewriting.refusal(of: head, in: bytes) { return refuse(problem) }
        if let lease = connection.destination.readyLease(), let link = take(from: lease) {
            return send(to: link, lease, isReused: true, bytes, length, areEarly: areEarly)
        }
        if !areEarly { client.pushEarly(bytes) }
        headLength = length
        stage = .waiting
        connection.destination.route(connection)
    }

    /// A connection that an earlier exchange has left.
    func take(from lease: Lease) -> Link? {
        // What can't be sent twice is worth asking first whether the server is still there.
        guard let link = lease.pool.take(isSure: !method.isIdempotent || !requestBody.isFinished) else { return nil }
        lease.add(connection)
        return link
    }

    /// Goes on with a request that has waited, now that there is a server for it.
    func start(_ link: Link, _ lease: Lease, isReused: Bool) {
        guard sent.isEmpty else {
            connect(to: link, lease, isReused: isReused)
            link.write(sent)
            return passOn()
        }
        let early = client.earlyBytes
        early.withBytes { bytes in
            bench.request.reset()
            guard case .complete = bench.request.parse(bytes) else { return connection.close() }
            send(to: link, lease, isReused: isReused, bytes, headLength, areEarly: true)
        }
    }

    private func connect(to link: Link, _ lease: Lease, isReused: Bool) {
        self.lease = lease
        self.isReused = isReused
        link.owner = connection
        stage = .awaitingResponse(link)
        connection.phase = .exchanging
    }

    private func send(
        to link: Link, _ lease: Lease, isReused: Bool, _ bytes: UnsafeRawBufferPointer, _ length: Int, areEarly: Bool
    ) {
        let bench = bench
        if lease.addsCredentials, let problem = connection.refusal(of: bench.request, in: bytes) {
            lease.pool.put(link)
            lease.remove(connection)
            return refuse(problem)
        }
        connect(to: link, lease, isReused: isReused)
        bench.writer.clear()
        do throws(HTTPProblem) {
            try HeadRewriting.request(
                bench.request, in: bytes, to: lease, trustsClient: connection.caller != nil,
                isClientV6: connection.isClientV6, service: connection.destination.name, &bench.writer)
        } catch { return refuse(error) }
        var at = length
        guard requestBody.copy(bytes, &at, to: &bench.writer, inChunks: requestIsChunked) else { return cut() }
        if method.isIdempotent, at == length, requestBody.isFinished { sent.append(contentsOf: bench.writer.bytes) }
        link.write(bench.writer.bytes)
        if areEarly {
            client.dropEarly(at)
        } else if at < bytes.count {
            client.pushEarly(UnsafeRawBufferPointer(rebasing: bytes[at...]))
        }
        passOn()
    }

    /// The exchange is complete; the client may go on.
    func finish() {
        guard case .passingResponse(let link) = stage else { return }
        let isReusable = serverKeepsAlive && requestBody.isFinished && link.isFresh
        let lease = leave()
        let runtime = connection.destination.runtime
        if isReusable, runtime.starved.isEmpty, let lease {
            lease.pool.put(link)
        } else {
            link.close()
            runtime.descriptorsWereFreed(by: nil)
        }
        lease?.remove(connection)
        if closesClient || !requestBody.isFinished { return connection.linger() }
        connection.awaitRequest()
    }

    /// Lets go of the server.
    private func leave() -> Lease? {
        defer { lease = nil }
        grace?.cancel()
        grace = nil
        stage = .idle
        return lease
    }

    /// Ends everything of it but the client's connection.
    /// - Parameter reset: the server sees a reset, and stops working for it.
    func cancel(reset: Bool = true) {
        let link = upstream
        let lease = leave()
        link?.close(reset: reset)
        lease?.remove(connection)
    }

    /// What was begun can't be completed: the client must not take it for whole.
    func cut() { connection.close(reset: true) }

    /// Answers a request that breaks the rules, or that is not served here.
    private func refuse(_ problem: HTTPProblem) {
        cancel()
        connection.respond(status: problem.status, problem.reason, as: form, withBody: method != .head)
    }

    /// Says in the service's stead why it can't be used.
    func answer(_ reason: String, status: Int) {
        stage = .idle
        connection.respond(status: status, reason, as: form, withBody: method != .head)
    }

    /// The server failed before it said anything. A request that is safe to send again goes to another connection.
    func fail(_ error: ProxyError) {
        let canResend = isReused && !sent.isEmpty && client.ending == nil
        let isRemote = lease?.remote != nil
        cancel()
        if canResend {
            stage = .waiting
            return connection.routeAnew()
        }
        if isRemote { connection.destination.remoteWasUsed(error) }
        connection.respond(status: 502, error.message, as: form, withBody: method != .head)
    }

    func becameStream() { isStream = true }

    /// Whoever closes and whoever just ends its side look alike: what is answered soon is delivered, for the rest
    /// nobody waits.
    func clientEnded() {
        guard grace == nil else { return }
        grace = loop.after(Exchange.graceLimit) { [connection] in connection.exchange.cut() }
    }
}
