import Control
import HTTP

/// Somebody who looks at a service's terminal. Belongs to the mesh's loop.
public protocol TerminalViewer: AnyObject {
    /// Bytes as a terminal takes them.
    func show(_ bytes: [UInt8])
}

extension TerminalViewer {
    /// Shows a line of devmesh's own between what a program shows.
    public func note(_ sentence: String) { show(Array("\r\n\u{1B}[0m[devmesh: \(sentence)]\r\n".utf8)) }
}

/// What a viewer may do with the terminal that it looks at.
public struct TerminalAttachment {
    /// Has the programs draw themselves anew.
    var redraw: () -> Void
    var detach: () -> Void

    public init(redraw: @escaping () -> Void, detach: @escaping () -> Void) {
        self.redraw = redraw
        self.detach = detach
    }
}

/// Sends what a service's terminal shows. A client that doesn't read misses some of it, and is told how much; the
/// service waits for nobody.
final class TerminalStream: TerminalViewer {
    private let exchange: HTTPExchange
    private var missing = 0

    private init(_ exchange: HTTPExchange) {
        self.exchange = exchange
    }

    /// Goes on until the client leaves or the server finishes.
    static func begin(
        _ exchange: HTTPExchange, _ backend: any ControlBackend, of name: String, _ window: TerminalWindow?
    ) throws(ControlFailure) {
        let stream = TerminalStream(exchange)
        let attachment = try backend.attach(to: name, window, stream)
        exchange.stream(
            status: 200, headers: ["Content-Type": "application/octet-stream", "Cache-Control": "no-store"])
        // In answer to HEAD the head was all.
        guard !exchange.isDone else { return attachment.detach() }
        exchange.onDrained = {
            if stream.tellMissing() { attachment.redraw() }
        }
        exchange.onCancel = attachment.detach
        exchange.onFinish = {
            attachment.detach()
            exchange.end()
        }
    }

    func show(_ bytes: [UInt8]) {
        guard exchange.queuedCount < EventStream.queueLimit else {
            missing += bytes.count
            return
        }
        _ = tellMissing()
        exchange.write(bytes)
    }

    private func tellMissing() -> Bool {
        guard missing > 0 else { return false }
        let sentence = "\(missing) bytes were left out here, because they were not read fast enough"
        missing = 0
        note(sentence)
        return true
    }
}
