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
        case awaitingResponse
        case passingResponse
        /// Both have agreed to speak another protocol from here on.
        case switching
    }

    /// Owns this, and is kept by whatever calls it.
    unowned(unsafe) let connection: Connection
    var stage = Stage.idle
    /// The server's connection, from `awaitingResponse` on.
    private(set) var upstream: Link?
    /// Whose connection that is.
    var lease: Lease?
    let bench: Workbench

    // Of the request.
    /// How many bytes of its path the service does not see.
    var strippedCount = 0
    var method = HTTPMethod.other
    var speaksOldHTTP = false
    var clientKeepsAlive = false
    var form = Answer.Form.json
    /// Unchecked, as what follows: used by one loop only, and cursors and arrays of bytes call nobody.
    @exclusivity(unchecked) var requestBody = BodyCursor(.none)
    var requestIsChunked = false
    /// When anything of it came last.
    var bodyMoved = Instant(nanoseconds: 0)
    /// The client's early bytes that the request's head takes, while it waits there.
    var headLength = 0

    // For another try: a pooled connection may turn out to have been ended by its server.
    var isReused = false
    /// Its server's connection has carried another before.
    private(set) var isSecond = false
    /// The head, as the client wrote it, of a request that may be sent again; empty for any other.
    @exclusivity(unchecked) var sent: [UInt8] = []
    /// Why it is being sent again, to the server that it was sent to before.
    var resendReason: ProxyError?
    var hasBody = false
    var asksUpgrade = false

    /// How many more times it may be tried.
    var attemptsLeft = 0

    // Of the service's policies.
    /// What the breaker gave, until it has learned how the request went.
    var pass: (token: CircuitBreaker.Pass, target: Target)?
    /// Ends the wait for a response.
    var patience: Timer?
    var starvation: Timer?
    /// When idle connections were given up for the sake of this exchange.
    var reliefBegan: Instant?
    /// The server's connection that carried this client's last request, if that had a body: should its server have
    /// left some of the body unread, nobody else is to get it for a request.
    var kept: (link: Link, lease: Lease, since: Instant)?
    @exclusivity(unchecked) var throttles: Throttles?
    var mirror: Mirror?

    // Of the response.
    /// A head that has not come whole.
    var partialResponse: ResponseHead?
    @exclusivity(unchecked) var responseBody = BodyCursor(.none)
    var responseIsChunked = false
    var closesClient = false
    var serverKeepsAlive = false
    /// Server-sent events, which have no end worth waiting for.
    private(set) var isStream = false

    var isMoving = false
    /// Runs once the client has ended its side: it may only have said all that it had to say.
    private var grace: Timer?
    private static let graceLimit = Duration.seconds(1)

    init(_ connection: Connection) {
        self.connection = connection
        bench = connection.destination.runtime.bench
    }

    var client: Link { connection.client }
    var loop: EventLoop { connection.loop }

    // MARK: Life

    /// Takes a request whose head is whole at the beginning of `bytes`; `bench.request` has parsed it.
    /// - Parameter areEarly: whether `bytes` are the client's early ones; else they were just read.
    func begin(_ bytes: UnsafeRawBufferPointer, _ length: Int, areEarly: Bool) {
        let head = bench.request
        method = head.method
        speaksOldHTTP = head.minorVersion == 0
        clientKeepsAlive = head.keepsAlive
        form = Answer.Form(head, in: bytes)
        requestBody = BodyCursor(head.framing)
        requestIsChunked = head.framing == .chunked
        hasBody = !requestBody.isFinished
        asksUpgrade = head.asksUpgrade
        resendReason = nil
        isStream = false
        mirror = nil
        sent.removeAll(keepingCapacity: true)
        if let problem = HeadRewriting.refusal(of: head, in: bytes) { return refuse(problem) }
        if let gateway = connection.gateway, !find(by: gateway, bytes) { return }
        let destination = connection.destination
        let target = destination.choose(in: bytes, for: connection)
        connection.target = target
        guard isAdmitted(to: target) else { return }
        let action = destination.faultAction(for: connection)
        throttles = action.rate.map { Throttles(rate: $0, at: loop.now) }
        let isPlain = action.delay == .zero && action.ending == nil
        if isPlain, let (link, lease) = takeKept(for: target) {
            return send(head, to: link, lease, isReused: true, bytes, length, areEarly: areEarly)
        }
        dropKept()
        if isPlain, let lease = target.readyLease(), let link = take(from: lease) {
            return send(head, to: link, lease, isReused: true, bytes, length, areEarly: areEarly)
        }
        if !areEarly { client.pushEarly(bytes) }
        headLength = length
        stage = .waiting
        connection.suffer(action)
    }

    /// Chooses once more for a request that waits; nil where its head is gone.
    func chooseTarget() -> Target? {
        guard case .waiting = stage else { return nil }
        return withWaitingHead { connection.destination.choose(in: $0, for: connection) }
    }

    /// Has `bench.request` parse the head of the request that waits, where that is kept, and calls `body` with those
    /// bytes; nil where it is gone.
    func withWaitingHead<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
        func parse(_ bytes: UnsafeRawBufferPointer) -> Result? {
            bench.request.reset()
            guard case .complete = bench.request.parse(bytes) else { return nil }
            return body(bytes)
        }
        let (early, head) = (client.earlyBytes, sent)
        return head.isEmpty ? early.withBytes(parse) : head.withUnsafeBytes(parse)
    }

    /// A connection that an earlier exchange has left.
    func take(from lease: Lease) -> Link? {
        // What can't be sent twice is worth asking first whether the server is still there.
        let isSure = !method.isIdempotent || hasBody
        guard let link = lease.pool.take(isSure: isSure) else { return nil }
        lease.add(connection)
        return link
    }

    /// Goes on with a request that has waited, now that there is a server for it.
    func start(_ link: Link, _ lease: Lease, isReused: Bool) {
        let isEarly = sent.isEmpty
        let isThere: Void? = withWaitingHead { bytes in
            let length = isEarly ? headLength : bytes.count
            send(bench.request, to: link, lease, isReused: isReused, bytes, length, areEarly: isEarly)
        }
        if isThere == nil { connection.close() }
    }

    private func connect(to link: Link, _ lease: Lease, isReused: Bool) {
        self.lease = lease
        self.isReused = isReused
        isSecond = isReused
        partialResponse = nil
        link.owner = connection
        stage = .awaitingResponse
        upstream = link
        connection.phase = .exchanging
        connection.watchIdleness()
        if hasBody { bodyMoved = loop.now }
    }

    private func send(
        _ head: RequestHead, to link: Link, _ lease: Lease, isReused: Bool, _ bytes: UnsafeRawBufferPointer,
        _ length: Int, areEarly: Bool
    ) {
        if lease.addsCredentials, let problem = connection.refusal(of: head, in: bytes) {
            // It may be one that was kept for this client.
            link.close()
            lease.remove(connection)
            return refuse(problem)
        }
        connect(to: link, lease, isReused: isReused)
        bench.writer.clear()
        do throws(HTTPProblem) {
            try HeadRewriting.request(
                head, in: bytes, to: lease, without: strippedCount, trustsClient: connection.caller != nil,
                isClientV6: connection.isClientV6, isSecured: client.secured != nil,
                marks: connection.destination.propagation(in: bytes), service: connection.destination.name,
                &bench.writer)
        } catch { return refuse(error) }
        let written = bench.writer.count
        var at = length
        // What is slowed down goes through `passOn`.
        if throttles == nil {
            guard requestBody.copy(bytes, &at, to: &bench.writer, inChunks: requestIsChunked) else {
                return refuse(Exchange.malformedChunk)
            }
        }
        let isFirstTry = sent.isEmpty
        if method.isIdempotent, !hasBody, isFirstTry {
            sent.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[..<length]))
        }
        link.write(bench.writer)
        if !isReused, !lease.servesSeveral { watchForStarvation() }
        if isFirstTry, !asksUpgrade, let copy = connection.destination.mirror(besides: connection.target) {
            mirrorRequest(to: copy, bytes, headLength: written)
        }
        if areEarly {
            client.dropEarly(at)
        } else if at < bytes.count {
            client.pushEarly(UnsafeRawBufferPointer(rebasing: bytes[at...]))
        }
        passOn()
    }

    /// The exchange is complete; the client may go on.
    func finish() {
        guard case .passingResponse = stage, let link = upstream else { return }
        let isReusable = serverKeepsAlive && requestBody.isFinished && link.isFresh
        let lease = leave()
        let runtime = connection.destination.runtime
        if isReusable, runtime.starved.isEmpty, let lease {
            if isSecond { lease.pool.isProven = true }
            if !hasBody {
                lease.pool.put(link)
                lease.remove(connection)
            } else if !closesClient, lease.pool.isOpen {
                keep(link, lease, since: loop.now)
            } else {
                link.close()
                lease.remove(connection)
            }
        } else {
            link.close()
            lease?.remove(connection)
            runtime.descriptorsWereFreed(by: nil)
        }
        if closesClient || !requestBody.isFinished { return connection.linger() }
        connection.awaitRequest()
    }

    /// Lets go of the server.
    func leave() -> Lease? {
        defer { lease = nil }
        grace?.cancel()
        grace = nil
        patience?.cancel()
        patience = nil
        starvation?.cancel()
        starvation = nil
        if pass != nil { learn(.unknown) }
        // A copy whose rest will not come keeps nobody waiting.
        if !requestBody.isFinished { mirror?.close() }
        mirror = nil
        stage = .idle
        upstream = nil
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

    static let malformedChunk = HTTPProblem(400, "a malformed chunk in the request's body")

    /// Answers a request that breaks the rules, or that is not served here.
    func refuse(_ problem: HTTPProblem) {
        cancel()
        connection.respond(status: problem.status, problem.reason, as: form, withBody: method != .head)
    }

    /// Says in the service's stead why it can't be used.
    func answer(_ reason: String, status: Int) {
        learn(.unknown)
        stage = .idle
        connection.respond(status: status, reason, as: form, withBody: method != .head)
    }

    /// The server failed before it said anything. A request that is safe to send again goes to another connection.
    func fail(_ error: ProxyError) {
        // A pooled connection that was ended meanwhile says nothing about the server.
        if isReused, resend(after: error) { return }
        learn(.failure)
        if connection.destination.resilience.retries.onReset, mayRetry() { return sendAgain() }
        let isRemote = lease?.remote != nil
        cancel()
        if isRemote { connection.target?.remoteWasUsed(error) }
        connection.respond(status: error.status, error.message, as: form, withBody: method != .head)
    }

    func becameStream() { isStream = true }

    /// Whoever closes and whoever just ends its side look alike: what is answered soon is delivered, for the rest
    /// nobody waits.
    func clientEnded() {
        guard grace == nil else { return }
        grace = loop.after(Exchange.graceLimit) { [connection] in
            switch connection.exchange.stage {
            case .waiting, .awaitingResponse: connection.exchange.cut()
            // What is being delivered shows by itself whether anybody takes it.
            case .idle, .passingResponse, .switching: break
            }
        }
    }
}
