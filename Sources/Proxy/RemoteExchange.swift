import EventLoop
import HTTP
import Platform

/// One HTTP exchange between a client and an `http` or `https` remote; both connections end with it.
///
///     client ──head──▶ rewritten ──▶ remote        readingRequest ▶ connecting ▶ exchanging ▶ (lingering)
///     client ──body──────────────▶ remote                                          └─101─▶ (relaying)
///     client ◀──────── rewritten ◀──head── remote
///     client ◀──────────────body── remote
///
/// Bodies stream: nothing is read from one side while bytes wait for the other.
final class RemoteExchange {
    private enum Stage {
        case readingRequest
        case connecting(RemoteDial)
        case awaitingResponse(Link)
        case passingResponse(Link, BodyCursor)
        case over
    }

    private unowned let connection: Connection
    private let target: RemoteTarget
    private let rewriting: HeadRewriting
    private var stage = Stage.readingRequest
    private var head = RequestHead()
    private var request: BodyCursor?
    private var method = HTTPMethod.other
    private var speaksOldHTTP = false
    private var form = Answer.Form.json
    private var isMoving = false

    init(_ connection: Connection, _ target: RemoteTarget) {
        self.connection = connection
        self.target = target
        rewriting = HeadRewriting(target: target)
    }

    private var client: Link { connection.client }
    private var loop: EventLoop { connection.loop }

    func begin() { readRequest() }

    func cancel() {
        switch stage {
        case .connecting(let dial): dial.cancel()
        case .awaitingResponse(let upstream), .passingResponse(let upstream, _): upstream.close(reset: true)
        case .readingRequest, .over: break
        }
        stage = .over
    }

    /// Goes on wherever it can.
    func moved(_ link: Link) {
        switch stage {
        case .readingRequest: readRequest()
        case .connecting: noticeGoneClient()
        case .awaitingResponse, .passingResponse: passOn()
        case .over: break
        }
    }

    // MARK: The request

    private func readRequest() {
        client.readEarly(limit: HTTPLimits.standard.head + 1)
        let early = client.earlyBytes
        switch early.withBytes({ Sniffer.look($0) }) {
        case .http2, .other: return connection.close(reset: true)
        case .needMore:
            if client.ending != nil { connection.close() }
            return
        case .http1: break
        }
        switch early.withBytes({ head.parse($0) }) {
        case .needMore: if client.ending != nil { connection.close() }
        case .invalid(let problem): refuse(problem)
        case .complete(let length):
            form = early.withBytes { Answer.Form(accepting: acceptValues(head, in: $0)) }
            method = head.method
            speaksOldHTTP = head.minorVersion == 0
            request = BodyCursor(head.framing)
            do throws(HTTPProblem) {
                connect(sending: try rewrite(early))
                client.dropEarly(length)
            } catch { refuse(error) }
        }
    }

    private func rewrite(_ early: ByteQueue) throws(HTTPProblem) -> [UInt8] {
        let result: Result<[UInt8], HTTPProblem> = early.withBytes { bytes in
            do throws(HTTPProblem) {
                return .success(try rewriting.request(head, in: bytes))
            } catch { return .failure(error) }
        }
        return try result.get()
    }

    private func refuse(_ problem: HTTPProblem) {
        stage = .over
        connection.respond(status: problem.status, problem.reason, as: form)
    }

    private func connect(sending bytes: [UInt8]) {
        let dial = RemoteDial(target, connection.destination.runtime) { [weak self] result in
            guard let self, case .connecting = self.stage else { return }
            switch result {
            case .success(let upstream):
                self.stage = .awaitingResponse(upstream)
                upstream.owner = self.connection
                upstream.write(bytes)
                self.passOn()
            case .failure(let error): self.fail(error)
            }
        }
        stage = .connecting(dial)
    }

    private func noticeGoneClient() {
        guard client.isHungUp else { return }
        client.readEarly(limit: 65536)
        if case .broken = client.ending { connection.close() }
    }

    // MARK: Passing on

    private func passOn() {
        guard !isMoving else { return }
        isMoving = true
        passRequestBody()
        passResponse()
        isMoving = false
        if upstream != nil, client.isDeaf { connection.close(reset: true) }
    }

    private var upstream: Link? {
        switch stage {
        case .awaitingResponse(let link), .passingResponse(let link, _): link
        default: nil
        }
    }

    private func passRequestBody() {
        guard let upstream else { return }
        let scratch = loop.scratch
        for _ in 0..<16 {
            guard request?.isFinished == false, client.canRead, upstream.hasRoom else { break }
            guard case .bytes(let count) = client.read(into: scratch) else { break }
            let bytes = UnsafeRawBufferPointer(rebasing: scratch[..<count])
            var at = 0
            guard request?.advance(bytes, &at) == true else { return connection.close(reset: true) }
            upstream.write(UnsafeRawBufferPointer(rebasing: bytes[..<at]))
        }
        if request?.isFinished == false {
            // A client that goes away in the middle of its request wants no response.
            if client.isExhausted { return connection.close(reset: true) }
            if client.canRead, upstream.hasRoom { goOnLater() }
        } else {
            // The connection ends with this exchange: what the client says behind its request is not for the remote.
            client.discardInput()
            if case .broken = client.ending { connection.close(reset: true) }
        }
    }

    private func passResponse() {
        // Interim heads without end must neither pile up for a slow client nor keep the loop to themselves.
        for _ in 0..<16 {
            guard case .awaitingResponse(let upstream) = stage else { break }
            guard client.hasRoom, readResponseHead(upstream) else { return }
        }
        if case .awaitingResponse = stage { return goOnLater() }
        guard case .passingResponse(let upstream, var body) = stage else { return }
        let scratch = loop.scratch
        for _ in 0..<16 {
            guard !body.isFinished, upstream.canRead, client.hasRoom else { break }
            guard case .bytes(let count) = upstream.read(into: scratch) else { break }
            let bytes = UnsafeRawBufferPointer(rebasing: scratch[..<count])
            var at = 0
            let isSound = body.advance(bytes, &at) { range in
                if speaksOldHTTP { client.write(UnsafeRawBufferPointer(rebasing: bytes[range])) }
            }
            guard isSound else { return connection.close(reset: true) }
            if !speaksOldHTTP { client.write(UnsafeRawBufferPointer(rebasing: bytes[..<at])) }
        }
        stage = .passingResponse(upstream, body)
        if body.isFinished { return finish(upstream) }
        if upstream.isExhausted {
            if case .inOrder = upstream.ending, body.endsWithConnection { return finish(upstream) }
            // Cut short: the client must not take it for whole.
            if client.hasRoom { connection.close(reset: true) }
        } else if upstream.canRead, client.hasRoom {
            goOnLater()
        }
    }

    private func goOnLater() {
        loop.later { [weak self] in self?.passOn() }
    }

    /// Reads one head of the response, which may be an interim one; false if there is none yet.
    private func readResponseHead(_ upstream: Link) -> Bool {
        upstream.readEarly(limit: HTTPLimits.standard.head + 1)
        let early = upstream.earlyBytes
        var head = ResponseHead()
        switch early.withBytes({ head.parse($0) }) {
        case .needMore:
            guard let ending = upstream.ending else { return false }
            if case .broken(let error) = ending, !early.isEmpty {
                fail(error)
            } else {
                fail(.noResponse(host: target.host))
            }
            return false
        case .invalid(let problem):
            fail(.badResponse(host: target.host, reason: problem.reason))
            return false
        case .complete(let length):
            take(head, length, early, upstream)
            return true
        }
    }

    private func take(_ head: ResponseHead, _ length: Int, _ early: ByteQueue, _ upstream: Link) {
        let framing = head.framing(answering: method)
        let isChunked = framing == .chunked && !speaksOldHTTP
        let rewritten: Result<[UInt8], HTTPProblem> = early.withBytes { bytes in
            do throws(HTTPProblem) {
                return .success(try rewriting.response(head, in: bytes, isChunked: isChunked))
            } catch { return .failure(error) }
        }
        upstream.dropEarly(length)
        switch rewritten {
        case .failure(let problem): return fail(.badResponse(host: target.host, reason: problem.reason))
        case .success(let bytes):
            // HTTP/1.0 knows no interim responses (RFC 9110 §15.2).
            if !(head.isInterim && speaksOldHTTP) { client.write(bytes) }
        }
        if head.isInterim { return }
        connection.destination.remoteWasUsed(nil)
        if framing == .tunnel {
            stage = .over
            connection.relay(Relay(upstream: upstream, lease: nil, tracker: nil))
        } else {
            stage = .passingResponse(upstream, BodyCursor(framing))
        }
    }

    // MARK: The end

    private func finish(_ upstream: Link) {
        stage = .over
        upstream.close()
        connection.linger()
    }

    /// Nothing of a response was passed on yet: the client is told what happened.
    private func fail(_ error: ProxyError) {
        if let upstream { upstream.close() }
        stage = .over
        connection.destination.remoteWasUsed(error)
        connection.respond(status: 502, error.message, as: form, withBody: method != .head)
    }
}
