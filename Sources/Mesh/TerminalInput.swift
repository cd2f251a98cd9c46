import EventLoop
import Platform

/// Types into a pseudo-terminal. What its programs have not read yet waits, up to a limit.
final class TerminalInput: ReadinessHandler {
    private static let limit = 64 << 10

    private let loop: EventLoop
    private var terminal: Descriptor?
    /// Its number, valid while it is open.
    private let raw: Int32
    /// Watched only while something waits.
    private var registration: Registration?
    private var queue = ByteQueue()

    init(_ terminal: consuming Descriptor, on loop: EventLoop) {
        self.loop = loop
        raw = terminal.raw
        self.terminal = consume terminal
    }

    deinit { close() }

    /// - Returns: how many of the bytes were left out.
    func type(_ bytes: [UInt8]) -> Int {
        let taken = bytes.prefix(Self.limit - queue.count)
        queue.append(taken)
        flush()
        return bytes.count - taken.count
    }

    func resize(_ size: TerminalSize) { if terminal != nil { loop.kernel.setTerminalSize(terminal!, size) } }

    func redraw() { if terminal != nil { loop.kernel.redraw(terminal!) } }

    func ready(_ readiness: Readiness) {
        if readiness.contains(.writable) { flush() }
    }

    private func flush() {
        while !queue.isEmpty, terminal != nil {
            let written = queue.withBytes { bytes -> WriteResult? in try? loop.kernel.write(terminal!, bytes) }
            switch written {
            case .bytes(let count): queue.removeFirst(count)
            case .wouldBlock:
                if registration == nil { registration = try? loop.watch(raw, self) }
                registration?.rearm(.writable)
                return
            // Nobody is there any more to read it.
            case nil: close()
            }
        }
        registration?.cancel()
        registration = nil
    }

    private func close() {
        queue.removeAll()
        registration?.cancel()
        registration = nil
        terminal = nil
    }
}
