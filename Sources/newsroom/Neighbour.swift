import EventLoop
import HTTP
import JSON
import Platform

/// Another service as this one knows it: an address from its environment.
final class Neighbour {
    /// What came of a call.
    struct Answer {
        /// The body, or why there is none.
        var result: Result<JSON, Failure>
        var milliseconds: Double

        struct Failure: Error {
            let reason: String
        }
    }

    let name: String
    /// `127.0.0.1:20100`; nil where devmesh was not told that this service uses it.
    let address: String?

    private let loop: EventLoop
    private var calls: [ObjectIdentifier: Call] = [:]

    /// Longer than devmesh holds a request while a service restarts.
    private static let patience = Duration.seconds(40)

    init(_ name: String, _ environment: [String: String], on loop: EventLoop) {
        self.name = name
        self.loop = loop
        address = environment["SERVICE_\(name.uppercased())_ADDRESS"]
    }

    /// Sends a request, on a connection of its own; `done` is called once.
    func call(_ method: String, _ target: String, _ done: @escaping (Answer) -> Void) {
        let began = Instant.now
        func finish(_ result: Result<JSON, Answer.Failure>) {
            done(Answer(result: result, milliseconds: Double((Instant.now - began).nanoseconds / 10_000) / 100))
        }
        guard let address, let place = SocketAddress(address) else {
            let reason = "SERVICE_\(name.uppercased())_ADDRESS is not set: add \(name) to 'uses'"
            return loop.later { finish(.failure(.init(reason: reason))) }
        }
        do throws(Errno) {
            let request = HTTPRequest(
                method: method, target: target, headers: ["Host": address, "Connection": "close"])
            // Method, target and address are ours: there is nothing in them that a request line can't hold.
            let call = try Call(to: place, (try? request.serialized()) ?? [], on: loop, within: Self.patience)
            calls[ObjectIdentifier(call)] = call
            call.onEnd = { [unowned self] call, result in
                calls[ObjectIdentifier(call)] = nil
                finish(result)
            }
        } catch {
            let reason = "can't connect to \(address): \(error)"
            loop.later { finish(.failure(.init(reason: reason))) }
        }
    }
}

/// One request under way.
private final class Call: StreamDelegate {
    var onEnd: (Call, Result<JSON, Neighbour.Answer.Failure>) -> Void = { _, _ in }

    private let stream: Stream
    private var timer: Timer?
    private var reader = ResponseReader()
    private var status = 0
    private var body: [UInt8] = []

    init(to place: SocketAddress, _ request: [UInt8], on loop: EventLoop, within patience: Duration) throws(Errno) {
        stream = try Stream(connectingTo: place, on: loop) { $0.write(request) }
        stream.delegate = self
        timer = loop.after(patience) { [weak self] in
            self?.end(.failure(.init(reason: "no answer within \(patience.components.seconds) s")))
        }
    }

    func stream(_ stream: Stream, received bytes: UnsafeRawBufferPointer) {
        progress { (reader: inout ResponseReader) throws(HTTPProblem) in try reader.feed(bytes) }
    }

    func streamEnded(_ stream: Stream) {
        progress { (reader: inout ResponseReader) throws(HTTPProblem) in try reader.finish() }
    }

    func streamDrained(_ stream: Stream) {}

    func stream(_ stream: Stream, failed error: Errno) { end(.failure(.init(reason: "\(error)"))) }

    private func progress(_ step: (inout ResponseReader) throws(HTTPProblem) -> [ResponseReader.Event]) {
        do throws(HTTPProblem) {
            for event in try step(&reader) {
                switch event {
                case .head(let response): status = response.status
                case .body(let bytes): body += bytes
                case .end: end(outcome())
                }
            }
        } catch { end(.failure(.init(reason: error.reason))) }
    }

    private func outcome() -> Result<JSON, Neighbour.Answer.Failure> {
        let text = String(decoding: body, as: UTF8.self)
        guard status == 200 else { return .failure(.init(reason: "status \(status): \(text.prefix(300))")) }
        guard let json = try? JSON(parsing: text) else {
            return .failure(.init(reason: "an answer that is not JSON: \(text.prefix(300))"))
        }
        return .success(json)
    }

    private func end(_ result: Result<JSON, Neighbour.Answer.Failure>) {
        guard let running = timer else { return }
        running.cancel()
        timer = nil
        stream.close()
        onEnd(self, result)
    }
}

extension SocketAddress {
    /// `127.0.0.1:20100`.
    fileprivate init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]) else { return nil }
        self.init(literal: String(text[..<colon]), port: port)
    }
}
