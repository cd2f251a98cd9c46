import EventLoop
import Platform
import TestSupport
import Testing

@Suite struct StreamTests {
    /// 4 MB to a reader that pauses: the queue holds it, all of it arrives, in order.
    @Test(arguments: PollerBackend.allCases)
    func write_slowReader_everythingArrives(_ backend: PollerBackend) {
        let total = 4 << 20
        let received: Int? = onLoop(backend: backend) { loop, done in
            let pair = Pair(loop)
            var count = 0
            var inOrder = true
            pair.server.onBytes = { bytes in
                for (index, byte) in bytes.enumerated() where byte != UInt8(truncatingIfNeeded: (count + index) % 251) {
                    inOrder = false
                }
                count += bytes.count
                pair.server.stream!.isPaused = true
                loop.later { pair.server.stream?.isPaused = false }
            }
            pair.server.onEnd = { done(inOrder ? count : -1) }
            pair.whenConnected = {
                pair.client.stream!.write((0..<total).map { UInt8(truncatingIfNeeded: $0 % 251) })
                pair.client.stream!.end()
            }
        }
        #expect(received == total)
    }

    @Test func end_halfClosed_otherDirectionStillFlows() {
        let answer: String? = onLoop { loop, done in
            let pair = Pair(loop)
            var text = ""
            pair.server.onEnd = {
                pair.server.stream!.write("after your end")
                pair.server.stream!.closeWhenDrained()
            }
            pair.client.onBytes = { text += String(decoding: $0, as: UTF8.self) }
            pair.client.onEnd = { done(text) }
            pair.whenConnected = { pair.client.stream!.end() }
        }
        #expect(answer == "after your end")
    }

    @Test func write_peerReset_failsOnce() {
        let failures: Int? = onLoop { loop, done in
            let pair = Pair(loop)
            var count = 0
            pair.client.onFailure = { _ in
                count += 1
                loop.after(.milliseconds(10)) { done(count) }
            }
            pair.whenConnected = {
                pair.server.stream!.withDescriptor { loop.kernel.resetOnClose($0) }
                pair.server.stream!.close()
                for _ in 0..<10 { pair.client.stream!.write("x") }
            }
        }
        #expect(failures == 1)
    }

    @Test func connect_nobodyListens_fails() {
        let error: Errno? = onLoop { loop, done in
            let free = try! loop.kernel.listen(at: .loopback(0))
            let address = loop.kernel.localAddress(free)!
            free.close()
            let end = End()
            end.onFailure = { done($0) }
            do throws(Errno) {
                end.stream = try Stream(connectingTo: address, on: loop) { _ in done(Errno(0)) }
                end.stream?.delegate = end
            } catch { done(error) }
            loop.after(.seconds(60)) { _ = end }
        }
        #expect(error == .connectionRefused)
    }

    /// A handle that was cancelled within a batch must not hear of events fetched before.
    @Test func close_fromAnothersHandler_isToldNothingMore() {
        let heard: Int? = onLoop { loop, done in
            let first = Pair(loop)
            let second = Pair(loop)
            var heard = 0
            var connected = 0
            first.server.onBytes = { _ in
                heard += 1
                second.server.stream!.close()
            }
            second.server.onBytes = { _ in
                heard += 1
                first.server.stream!.close()
            }
            let go = {
                connected += 1
                guard connected == 2 else { return }
                first.client.stream!.write("x")
                second.client.stream!.write("x")
                loop.after(.milliseconds(50)) { done(heard) }
            }
            first.whenConnected = go
            second.whenConnected = go
        }
        #expect(heard == 1)
    }
}

/// Two ends of a connection, kept alive until the loop ends.
private final class Pair {
    let client = End()
    let server = End()
    var whenConnected: (() -> Void)?
    private var listener: Listener?

    init(_ loop: EventLoop) {
        listener = try! Listener(try! loop.kernel.listen(at: .loopback(0)), on: loop) { [unowned self] connection in
            server.stream = try! Stream(connection, on: loop)
            server.stream!.delegate = server
            whenConnected?()
        }
        client.stream = try! Stream(connectingTo: listener!.address!, on: loop) { _ in }
        client.stream!.delegate = client
        loop.after(.seconds(60)) { _ = self }
    }
}

private final class End: StreamDelegate {
    var stream: Stream?
    var onBytes: ((UnsafeRawBufferPointer) -> Void)?
    var onEnd: (() -> Void)?
    var onFailure: ((Errno) -> Void)?

    func stream(_ stream: Stream, received bytes: UnsafeRawBufferPointer) { onBytes?(bytes) }
    func streamEnded(_ stream: Stream) { onEnd?() }
    func streamDrained(_ stream: Stream) {}
    func stream(_ stream: Stream, failed error: Errno) { onFailure?(error) }
}
