import Control
import HTTP
import JSON
import Platform

/// Sends events as JSON Lines, one a chunk. A client that doesn't read loses events, and is told how many.
final class EventStream {
    private let exchange: HTTPExchange
    private var dropped = 0

    /// Bytes that may wait for a slow client.
    static let queueLimit = 262_144

    private init(_ exchange: HTTPExchange) {
        self.exchange = exchange
    }

    /// Sends what the log holds; with `follow` goes on until the client leaves or the server finishes.
    static func begin(_ exchange: HTTPExchange, _ log: EventLog, follow: Bool) {
        let stream = EventStream(exchange)
        exchange.stream(status: 200, headers: ["Content-Type": "application/jsonl", "Cache-Control": "no-store"])
        // In answer to HEAD the head was all.
        guard !exchange.isDone else { return }
        for event in log.recent { stream.send(event) }
        guard follow else { return stream.end() }
        let follower = log.follow { stream.send($0) }
        exchange.onDrained = { stream.tellDropped() }
        exchange.onCancel = { log.unfollow(follower) }
        exchange.onFinish = {
            log.unfollow(follower)
            stream.end()
        }
    }

    private func send(_ event: MeshEvent) {
        guard exchange.queuedCount < Self.queueLimit else {
            dropped += 1
            return
        }
        tellDropped()
        write(event)
    }

    private func end() {
        tellDropped()
        exchange.end()
    }

    private func tellDropped() {
        guard dropped > 0 else { return }
        let detail = "\(dropped) events were dropped here, because they were not read fast enough"
        dropped = 0
        write(MeshEvent(time: WallTime.now.rfc3339(), service: nil, event: "dropped", detail: detail))
    }

    private func write(_ event: MeshEvent) {
        var bytes: [UInt8] = []
        event.json.append(to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        exchange.write(bytes)
    }
}
