import EventLoop
import Platform
import Synchronization

/// A keep-alive HTTP server on a loop of its own: answers every request with its name, after a moment if told so.
final class WebServer {
    let port: Int
    private let thread: LoopThread
    private let box: LoopBound<Site>

    init(_ name: String, delay: Duration? = nil) throws {
        let made = Handoff<(Int, LoopBound<Site>)>()
        thread = try LoopThread("web") { loop in
            let site = Site(name, delay, loop)
            made.give((site.listener!.address!.port!, LoopBound(site, loop)))
        }
        (port, box) = made.take()
    }

    /// Ends as a process does: everything closes at once.
    func stop() {
        let gone = Handoff<Bool>()
        let box = box
        thread.remote.post { _ in
            box.value.close()
            gone.give(true)
        }
        _ = gone.take()
    }

    deinit {
        stop()
        thread.stop()
    }

    private final class Site: StreamDelegate {
        private(set) var listener: Listener?
        private var streams: [ObjectIdentifier: (stream: Stream, part: [UInt8])] = [:]
        private let name: String
        private let delay: Duration?
        private let loop: EventLoop

        init(_ name: String, _ delay: Duration?, _ loop: EventLoop) {
            self.name = name
            self.delay = delay
            self.loop = loop
            listener = try! Listener(loop.kernel.listen(at: .loopback(0)), on: loop) { [unowned self] connection in
                let stream = try! Stream(connection, on: loop)
                stream.delegate = self
                streams[ObjectIdentifier(stream)] = (stream, [])
            }
        }

        func close() {
            listener?.close()
            listener = nil
            for (stream, _) in streams.values { stream.close() }
            streams = [:]
        }

        func stream(_ stream: Stream, received bytes: UnsafeRawBufferPointer) {
            let id = ObjectIdentifier(stream)
            streams[id]?.part += bytes
            guard streams[id]?.part.suffix(4) == [13, 10, 13, 10] else { return }
            streams[id]?.part = []
            guard let delay else { return answer(stream) }
            loop.after(delay) { [weak self, weak stream] in if let stream { self?.answer(stream) } }
        }

        private func answer(_ stream: Stream) {
            stream.write("HTTP/1.1 200 OK\r\nContent-Length: \(name.utf8.count)\r\n\r\n\(name)")
        }

        func streamEnded(_ stream: Stream) { drop(stream) }
        func streamDrained(_ stream: Stream) {}
        func stream(_ stream: Stream, failed error: Errno) { drop(stream) }

        private func drop(_ stream: Stream) {
            stream.close()
            streams[ObjectIdentifier(stream)] = nil
        }
    }
}
