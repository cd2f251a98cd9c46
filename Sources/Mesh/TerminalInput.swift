import EventLoop
import Platform

/// Types into a pseudo-terminal. What its programs have not read yet waits here, and beyond a limit whoever types.
final class TerminalInput: ReadinessHandler {
    private static let limit = 64 << 10

    private let loop: EventLoop
    private var terminal: Descriptor?
    /// Its number, valid while it is open.
    private let raw: Int32
    /// Watched only while something waits.
    private var registration: Registration?
    private var queue = ByteQueue()
    /// Who waits until there is room.
    private var typists: [() -> Void] = []

    init(_ terminal: consuming Descriptor, on loop: EventLoop) {
        self.loop = loop
        raw = terminal.raw
        self.terminal = consume terminal
    }

    deinit { close() }

    /// - Parameter done: called once more may be typed; also where nobody reads it any more.
    func type(_ bytes: [UInt8], done: @escaping () -> Void) {
        typists.append(done)
        if terminal != nil { queue.append(bytes) }
        flush()
        goOn()
    }

    func resize(_ size: TerminalSize) { if terminal != nil { loop.kernel.setTerminalSize(terminal!, size) } }

    func ready(_ readiness: Readiness) {
        guard readiness.contains(.writable) else { return }
        flush()
        goOn()
    }

    private func goOn() {
        guard queue.count <= Self.limit else { return }
        let told = typists
        typists = []
        for done in told { done() }
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

    func close() {
        queue.removeAll()
        registration?.cancel()
        registration = nil
        terminal = nil
        goOn()
    }
}
