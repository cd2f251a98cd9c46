import EventLoop
import Platform
import TestSupport
import Testing

@Suite struct EventLoopTests {
    @Test(arguments: PollerBackend.allCases)
    func stream_echo_comesBack(_ backend: PollerBackend) throws {
        let answer: String? = onLoop(backend: backend) { loop, done in
            let echo = Echo(loop)
            let client = Client(loop, port: echo.listener!.address!.port!) { done($0) }
            client.keep = echo
        }
        #expect(answer == "hello")
    }

    @Test(arguments: [true, false]) func briefWait_isFollowedByLooks_thenByRest_whereTheLoopIsEager(_ isEager: Bool)
        throws
    {
        let poller = BriefPoller()
        let loop = try EventLoop(poller: poller, isEager: isEager)
        let handler = Nothing()
        let registration = try loop.watch(0, handler)
        poller.onRest = { loop.stop() }
        try loop.run()
        registration.cancel()
        #expect(poller.looks > 0 || !isEager)
        #expect(poller.looks == 0 || isEager)
        #expect(poller.hasRested)
    }
}

/// Has something at each wait, until there has been a look or a thousand waits; then nothing any more.
private final class BriefPoller: Poller {
    var looks = 0
    var hasRested = false
    var onRest: () -> Void = {}
    private var waits = 0
    private var token: UInt64 = 0

    func add(_ raw: Int32, token: UInt64) { if token != .max { self.token = token } }
    func remove(_ raw: Int32, token: UInt64) {}
    var needsRearming: Bool { false }
    func rearm(_ raw: Int32, token: UInt64, _ direction: Readiness) {}

    func wait(_ timeout: Int32, into events: inout [PollEvent]) {
        if timeout == 0 {
            looks += 1
        } else if looks > 0 || waits == 1000 {
            hasRested = true
            onRest()
        } else {
            waits += 1
            events.append(PollEvent(token: token, readiness: .readable))
        }
    }
}

private final class Nothing: ReadinessHandler {
    func ready(_ readiness: Readiness) {}
}

private final class Echo: StreamDelegate {
    var listener: Listener?
    var streams: [Stream] = []

    init(_ loop: EventLoop) {
        let socket = try! loop.kernel.listen(at: .loopback(0))
        listener = try! Listener(socket, on: loop) { [unowned self] connection in
            let stream = try! Stream(connection, on: loop)
            stream.delegate = self
            streams.append(stream)
        }
    }

    func stream(_ stream: Stream, received bytes: UnsafeRawBufferPointer) { stream.write(bytes) }
    func streamEnded(_ stream: Stream) { stream.end() }
    func streamDrained(_ stream: Stream) {}
    func stream(_ stream: Stream, failed error: Errno) {}
}

private final class Client: StreamDelegate {
    var keep: AnyObject?
    private var stream: Stream?
    private var received = ""
    private let done: (String) -> Void

    init(_ loop: EventLoop, port: Int, done: @escaping (String) -> Void) {
        self.done = done
        stream = try! Stream(connectingTo: .loopback(port), on: loop) { stream in
            stream.write("hello")
            stream.end()
        }
        stream?.delegate = self
        loop.after(.seconds(60)) { _ = self }
    }

    func stream(_ stream: Stream, received bytes: UnsafeRawBufferPointer) {
        received += String(decoding: bytes, as: UTF8.self)
    }
    func streamEnded(_ stream: Stream) { done(received) }
    func streamDrained(_ stream: Stream) {}
    func stream(_ stream: Stream, failed error: Errno) { done("\(error)") }
}
