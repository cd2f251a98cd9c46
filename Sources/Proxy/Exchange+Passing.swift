import EventLoop
import HTTP
import Platform

/// Moving the bytes of an exchange.
extension Exchange {
    /// How many reads a turn and direction, so that one connection can't keep the loop to itself.
    private static let readsPerTurn = 16

    /// Moves what can be moved.
    func passOn() {
        // Writing may tell the owner; what it would do then is being done.
        guard !isMoving, let upstream else { return }
        isMoving = true
        let isWhole = passRequestBody(upstream)
        if isWhole {
            if !requestBody.isFinished {
                connection.watchBody()
            } else if case .awaitingResponse = stage {
                beginPatience()
            }
            passResponse(upstream)
        }
        isMoving = false
        guard isWhole else {
            if case .awaitingResponse = stage { return refuse(Exchange.malformedChunk) }
            return cut()
        }
        afterMoving()
    }

    private func afterMoving() {
        if case .idle = stage { return }
        if case .switching = stage, let upstream { return becomeRaw(upstream) }
        if case .passingResponse = stage, responseBody.isFinished { return finish() }
        if client.isDeaf { return cut() }
        if client.isHungUp, requestBody.isFinished { client.readEarly(limit: HTTPLimits.standard.head) }
        switch client.ending {
        case nil: break
        case .broken: cut()
        case .inOrder:
            if !requestBody.isFinished {
                if client.isExhausted { cut() }
            } else if case .awaitingResponse = stage {
                clientEnded()
            }
        }
    }

    private func goOnLater() {
        loop.later { [connection] in connection.exchange.passOn() }
    }

    // MARK: The request's body

    /// Returns false where it breaks the rules of chunks.
    private func passRequestBody(_ upstream: Link) -> Bool {
        guard !requestBody.isFinished else { return true }
        let scratch = loop.scratch
        for _ in 0..<Exchange.readsPerTurn {
            guard !requestBody.isFinished, client.canRead, upstream.hasRoom else { return true }
            guard let room = throttles == nil ? scratch : room(in: scratch, \.request) else { return true }
            guard case .bytes(let count) = client.read(into: room) else { return true }
            bodyMoved = loop.now
            throttles?.request.spend(count)
            let bytes = UnsafeRawBufferPointer(rebasing: scratch[..<count])
            var at = 0
            guard pass(&requestBody, bytes, &at, to: upstream, inChunks: requestIsChunked) else { return false }
            if at < count { client.pushEarly(UnsafeRawBufferPointer(rebasing: bytes[at...])) }
        }
        if client.canRead, upstream.hasRoom { goOnLater() }
        return true
    }

    /// Passes what belongs to a body. Payload alone goes as it lies; chunks are written anew.
    private func pass(
        _ body: inout BodyCursor, _ bytes: UnsafeRawBufferPointer, _ at: inout Int, to sink: Link, inChunks: Bool
    ) -> Bool {
        if body.isPlain {
            let start = at
            guard body.advance(bytes, &at) else { return false }
            write(UnsafeRawBufferPointer(rebasing: bytes[start..<at]), to: sink)
            return true
        }
        bench.writer.clear()
        guard body.copy(bytes, &at, to: &bench.writer, inChunks: inChunks) else { return false }
        bench.writer.withBytes { write($0, to: sink) }
        return true
    }

    private func write(_ bytes: UnsafeRawBufferPointer, to sink: Link) {
        sink.write(bytes)
        if let mirror, sink !== client { mirror.write(bytes) }
    }

    // MARK: The response

    private func passResponse(_ upstream: Link) {
        // Interim heads without end must neither pile up for a slow client nor keep the loop to themselves.
        for _ in 0..<Exchange.readsPerTurn {
            guard case .awaitingResponse = stage, self.upstream === upstream else { break }
            guard client.hasRoom, readHead(upstream) else { return }
        }
        switch stage {
        case .awaitingResponse: goOnLater()
        case .passingResponse: passResponseBody(upstream)
        case .idle, .waiting, .switching: break
        }
    }

    private func passResponseBody(_ upstream: Link) {
        let scratch = loop.scratch
        for _ in 0..<Exchange.readsPerTurn {
            guard !responseBody.isFinished, upstream.canRead, client.hasRoom else { break }
            guard let room = throttles == nil ? scratch : room(in: scratch, \.response) else { return }
            guard case .bytes(let count) = upstream.read(into: room) else { break }
            throttles?.response.spend(count)
            let bytes = UnsafeRawBufferPointer(rebasing: scratch[..<count])
            var at = 0
            guard pass(&responseBody, bytes, &at, to: client, inChunks: responseIsChunked) else { return cut() }
            if at < count { serverKeepsAlive = false }
        }
        if responseBody.isFinished { return }
        upstream.acknowledge()
        if upstream.isExhausted {
            if case .inOrder = upstream.ending, responseBody.endsWithConnection { return endBody() }
            // Cut short: the client must not take it for whole, and has what came before.
            if client.hasRoom { cut() }
        } else if upstream.canRead, client.hasRoom {
            goOnLater()
        }
    }

    private func endBody() {
        responseBody = BodyCursor(.none)
        serverKeepsAlive = false
    }

    /// Reads one head of the response, which may be an interim one, and what follows it; false if there is none yet.
    private func readHead(_ upstream: Link) -> Bool {
        if !upstream.earlyBytes.isEmpty { return readEarlyHead(upstream) }
        guard upstream.canRead else { return endedBeforeHead(upstream) }
        let scratch = loop.scratch
        guard let room = throttles == nil ? scratch : room(in: scratch, \.response) else { return false }
        guard case .bytes(let count) = upstream.read(into: room) else { return endedBeforeHead(upstream) }
        throttles?.response.spend(count)
        let bytes = UnsafeRawBufferPointer(rebasing: loop.scratch[..<count])
        guard let used = takeHead(bytes, upstream) else {
            upstream.pushEarly(bytes)
            return upstream.canRead || upstream.ending != nil ? readEarlyHead(upstream) : false
        }
        upstream.pushEarly(UnsafeRawBufferPointer(rebasing: bytes[min(used, count)...]))
        return true
    }

    private func readEarlyHead(_ upstream: Link) -> Bool {
        let before = upstream.earlyBytes.count
        guard let room = room(in: loop.scratch, \.response) else { return false }
        upstream.readEarly(limit: throttles == nil ? HTTPLimits.standard.head + 1 : before + room.count)
        throttles?.response.spend(upstream.earlyBytes.count - before)
        let early = upstream.earlyBytes
        guard let used = early.withBytes({ takeHead($0, upstream) }) else {
            // What was left in the socket for now is announced by nobody.
            if throttles != nil, upstream.canRead { _ = self.room(in: loop.scratch, \.response) }
            return endedBeforeHead(upstream)
        }
        if upstream.isOpen { upstream.dropEarly(used) }
        return true
    }

    /// Always false.
    private func endedBeforeHead(_ upstream: Link) -> Bool {
        guard let ending = upstream.ending, let lease else { return false }
        // Whoever has begun to answer has begun to work: that request is not sent again.
        if !upstream.earlyBytes.isEmpty { sent.removeAll(keepingCapacity: true) }
        switch ending {
        case .broken(let error) where !upstream.earlyBytes.isEmpty || lease.remote != nil: fail(error)
        case .inOrder where !upstream.earlyBytes.isEmpty:
            fail(.badResponse(host: lease.name, reason: "it ends within its head"))
        case .broken, .inOrder: fail(.noResponse(host: lease.name))
        }
        return false
    }

    /// Writes a head and what follows it to the client; returns how many bytes that took, nil while it is not whole.
    private func takeHead(_ bytes: UnsafeRawBufferPointer, _ upstream: Link) -> Int? {
        if partialResponse != nil { bench.response = partialResponse.take()! } else { bench.response.reset() }
        switch bench.response.parse(bytes) {
        case .needMore:
            partialResponse = bench.response
            isReused = false
            return nil
        case .invalid(let problem):
            return refuseResponse(bytes, problem.reason)
        case .complete where bench.response.status == 101 && !(asksUpgrade && requestBody.isFinished):
            return refuseResponse(bytes, "it changes to a protocol that nobody has asked for")
        case .complete(let length):
            isReused = false
            return bench.response.isInterim ? passInterim(bytes, length) : passFinal(bytes, length, upstream)
        }
    }

    private func refuseResponse(_ bytes: UnsafeRawBufferPointer, _ reason: String) -> Int {
        sent.removeAll(keepingCapacity: true)
        fail(.badResponse(host: lease?.name ?? "", reason: reason))
        return bytes.count
    }

    private func passInterim(_ bytes: UnsafeRawBufferPointer, _ length: Int) -> Int {
        // HTTP/1.0 knows no interim responses (RFC 9110 §15.2).
        guard !speaksOldHTTP else { return length }
        bench.writer.clear()
        HeadRewriting.response(bench.response, in: bytes, isChunked: false, .keepsAlive, to: &bench.writer)
        client.write(bench.writer)
        return length
    }

    private func passFinal(_ bytes: UnsafeRawBufferPointer, _ length: Int, _ upstream: Link) -> Int {
        let head = bench.response
        patience?.cancel()
        patience = nil
        learn(head.status >= 500 ? .failure : .success)
        if connection.destination.retries(head.status), mayRetry() {
            sendAgain()
            return bytes.count
        }
        if lease?.remote != nil { connection.target?.remoteWasUsed(nil) }
        starvationIsOver()
        connection.settleRelease()
        let framing = head.framing(answering: method)
        responseBody = BodyCursor(framing)
        responseIsChunked = framing == .chunked && !speaksOldHTTP
        serverKeepsAlive = head.keepsAlive
        // Where the body ends with the connection, so does the client's; so it does where a request is refused unread.
        closesClient =
            !clientKeepsAlive || framing == .untilClose || (framing == .chunked && speaksOldHTTP)
            || (head.status >= 400 && !requestBody.isFinished)
        if isEventStream(head, in: bytes) { becameStream() }
        bench.writer.clear()
        HeadRewriting.response(
            head, in: bytes, isChunked: responseIsChunked,
            closesClient ? .closes : speaksOldHTTP ? .saysKeepAlive : .keepsAlive, to: &bench.writer)
        if framing == .tunnel {
            client.write(bench.writer)
            stage = .switching
            return length
        }
        stage = .passingResponse
        var at = length
        guard responseBody.copy(bytes, &at, to: &bench.writer, inChunks: responseIsChunked) else {
            // Nothing of it has been passed on yet.
            stage = .awaitingResponse
            return refuseResponse(bytes, "a malformed chunk")
        }
        client.write(bench.writer)
        // What the server says behind its response nobody has asked for.
        if responseBody.isFinished, at < bytes.count { serverKeepsAlive = false }
        return responseBody.isFinished ? bytes.count : at
    }

    private func isEventStream(_ head: ResponseHead, in bytes: UnsafeRawBufferPointer) -> Bool {
        head.fields.contains { field in
            field.kind == .other && field.name.count == 12 && field.value.count >= 17
                && hasPrefix("content-type", bytes[field.name])
                && hasPrefix("text/event-stream", bytes[field.value])
        }
    }

    /// The two have agreed on another protocol.
    private func becomeRaw(_ upstream: Link) {
        guard let lease else { return cut() }
        _ = leave()
        connection.relay(Relay(upstream: upstream, lease: lease, isSilent: false))
    }
}

/// Whether bytes begin with `literal`, which is in lower case, compared without case.
func hasPrefix(_ literal: StaticString, _ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
    guard bytes.count >= literal.utf8CodeUnitCount else { return false }
    var expected = literal.utf8Start
    for byte in bytes.prefix(literal.utf8CodeUnitCount) {
        let lower = byte &- 0x41 < 26 ? byte | 0x20 : byte
        if lower != expected.pointee { return false }
        expected += 1
    }
    return true
}

/// Whether bytes are `literal`, compared in the same way.
func equals(_ literal: StaticString, _ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
    bytes.count == literal.utf8CodeUnitCount && hasPrefix(literal, bytes)
}
