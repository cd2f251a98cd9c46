import EventLoop
import HTTP
import Platform

/// One attempt to connect to a program and, with a path, to GET it; ready on 2xx and 3xx.
final class HTTPProbe: StreamDelegate {
    private let done: (Result<Void, LaunchFailure>) -> Void
    private var stream: Stream?
    private var timer: Timer?
    private var response = ResponseReader()
    private let path: String?
    private let quiet: Duration?
    private let port: Int
    private var isOver = false

    /// - Parameters:
    ///   - quiet: where another accepts in the program's name, and closes when it finds that the program does not: for
    ///     that long a connection without a path has to stay open, unless bytes come first.
    ///   - done: called once, on a later turn unless `cancel` comes first; a failure says why.
    init(
        _ host: String, _ port: Int, path: String?, quiet: Duration? = nil, limit: Duration, on loop: EventLoop,
        done: @escaping (Result<Void, LaunchFailure>) -> Void
    ) {
        self.done = done
        self.quiet = quiet
        self.path = path
        self.port = port
        timer = loop.after(limit) { [weak self] in
            self?.finish("it gave no answer to GET \(path ?? "/") within \(limit.inWords)")
        }
        guard let address = SocketAddress(literal: host, port: port) else { return }
        do throws(Errno) {
            stream = try Stream(connectingTo: address, on: loop) { [weak self] in self?.connected($0) }
            stream?.delegate = self
        } catch {
            let reason = "no connection to port \(port): \(error)"
            loop.later { [weak self] in self?.finish(reason) }
        }
    }

    func cancel() {
        isOver = true
        timer?.cancel()
        stream?.close()
        stream = nil
    }

    private func connected(_ stream: Stream) {
        guard let path else {
            guard let quiet else { return finish(nil) }
            timer?.cancel()
            timer = stream.loop.after(quiet) { [weak self] in self?.finish(nil) }
            return
        }
        let request = HTTPRequest(
            target: path,
            headers: [
                "Host": "localhost:\(port)", "User-Agent": "devmesh", "Accept": "*/*", "Connection": "close",
            ])
        do throws(HTTPProblem) { stream.write(try request.serialized()) } catch {
            finish("GET \(path) can't be asked: \(error)")
        }
    }

    private func finish(_ reason: String?) {
        guard !isOver else { return }
        cancel()
        done(reason.map { .failure(LaunchFailure(sentence: $0)) } ?? .success(()))
    }

    // MARK: StreamDelegate

    func stream(_ stream: Stream, received bytes: UnsafeRawBufferPointer) {
        if path == nil { return finish(nil) }
        do throws(HTTPProblem) {
            for case .head(let head) in try response.feed(bytes) {
                finish((200..<400).contains(head.status) ? nil : "GET \(path ?? "/") answered \(head.status)")
            }
        } catch { finish("GET \(path ?? "/") got an answer that is not HTTP: \(error)") }
    }

    func streamEnded(_ stream: Stream) {
        finish(
            path.map { "the connection ended before GET \($0) was answered" }
                ?? "nothing listens yet behind port \(port)")
    }

    func streamDrained(_ stream: Stream) {}

    func stream(_ stream: Stream, failed error: Errno) { finish("no connection to port \(port): \(error)") }
}
