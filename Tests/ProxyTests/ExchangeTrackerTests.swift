import Testing

@testable import Proxy

@Suite struct ExchangeTrackerTests {
    private let get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    private let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    /// Runs lines that begin with `>` (client) or `<` (server).
    private func tracker(_ steps: String...) -> ExchangeTracker {
        var tracker = ExchangeTracker()
        for step in steps {
            let bytes = Array(step.dropFirst().utf8)
            bytes.withUnsafeBytes { step.hasPrefix(">") ? tracker.clientSent($0) : tracker.serverSent($0) }
        }
        return tracker
    }

    @Test func silence_isNeitherBusyNorIdle() {
        let tracker = tracker()
        #expect(tracker.isSilent && !tracker.isBusy && !tracker.isIdle)
    }

    @Test func request_makesBusy_untilItsResponseIsWhole() {
        #expect(tracker(">" + get).isBusy)
        #expect(tracker(">" + get, "<HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no").isBusy)
        let done = tracker(">" + get, "<" + ok)
        #expect(done.isIdle && !done.isBusy)
    }

    @Test func partOfARequest_isBusy() {
        #expect(tracker(">GE").isBusy)
        #expect(tracker(">" + get, "<" + ok, ">G").isBusy)
        #expect(tracker(">POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc", "<" + ok).isBusy)
        #expect(tracker(">POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc", "<" + ok, ">de").isIdle)
    }

    @Test func pipelinedRequests_areCounted() {
        #expect(tracker(">" + get + get, "<" + ok).isBusy)
        #expect(tracker(">" + get + get, "<" + ok + ok).isIdle)
    }

    @Test func headResponse_hasNoBody() {
        #expect(
            tracker(">HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", "<HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n").isIdle)
    }

    @Test func interimResponse_isNotTheAnswer() {
        #expect(tracker(">" + get, "<HTTP/1.1 103 Early Hints\r\n\r\n").isBusy)
        #expect(tracker(">" + get, "<HTTP/1.1 100 Continue\r\n\r\n" + ok).isIdle)
    }

    @Test func chunkedBodies_areFollowedToTheirEnd() {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(tracker(">" + get, "<" + head + "3\r\nabc\r\n").isBusy)
        #expect(tracker(">" + get, "<" + head + "3\r\nabc\r\n0\r\n\r\n").isIdle)
        #expect(tracker(">" + get, "<" + head + "xyz").conversation == .other)
    }

    @Test func connectionClose_isNeverIdle() {
        let closing = tracker(">GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "<" + ok)
        #expect(!closing.isIdle && !closing.isBusy && closing.isAnswered)
        #expect(!tracker(">" + get, "<HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").isIdle)
        #expect(!tracker(">GET / HTTP/1.0\r\n\r\n", "<" + ok).isIdle)
    }

    @Test func bodyUntilClose_isBusy() {
        let tracker = tracker(">" + get, "<HTTP/1.1 200 OK\r\n\r\nsome")
        #expect(tracker.isBusy && !tracker.isAnswered)
    }

    @Test func upgrade_eventStream_andOtherProtocols_areNotWaitedFor() {
        let switched = tracker(
            ">GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            "<HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        #expect(switched.conversation == .other)
        let events = "HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream; charset=utf-8\r\n"
        #expect(tracker(">" + get, "<" + events + "\r\ndata: 1\n\n").conversation == .other)
        #expect(tracker(">" + get, "<" + events + "Transfer-Encoding: chunked\r\n\r\n").conversation == .other)
        #expect(tracker(">PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").conversation == .other)
        #expect(tracker(">*1\r\n$4\r\nPING\r\n").conversation == .other)
        #expect(tracker("<220 smtp ready\r\n").conversation == .other)
    }

    @Test func unaskedResponse_endsTheFollowing() {
        #expect(tracker(">" + get, "<" + ok, "<HTTP/1.1 408 Request Timeout\r\n\r\n").conversation == .other)
    }

    @Test func anyCutting_givesTheSameResult() {
        let request =
            "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: v\r\n\r\n" + get
        let response =
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\n\r\n"
            + ok
        var tracker = ExchangeTracker()
        for byte in request.utf8 { withUnsafeBytes(of: byte) { tracker.clientSent($0) } }
        for (index, byte) in response.utf8.enumerated() {
            #expect(!tracker.isIdle, "before byte \(index)")
            withUnsafeBytes(of: byte) { tracker.serverSent($0) }
        }
        #expect(tracker.isIdle)
    }
}
