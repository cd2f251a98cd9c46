import Control
import EventLoop
import Platform
import Synchronization

/// This terminal connected to that of a service.
///
///     keyboard thread: read ─► DetachKeys ─► control socket
///     screen thread:   control socket ─► write
///     main thread:     signals, the window's size
final class Attachment: Sendable {
    private let client: ControlClient
    private let name: String
    private let modes = Mutex(PrivateModes())

    /// - Parameter name: of a service or one of its instances.
    init(_ client: ControlClient, to name: String) {
        self.client = client
        self.name = name
    }

    /// Stays until the user detaches (`interrupted`), the mesh ends (`finished`) or something fails. The terminal is
    /// as it was, then.
    func run() throws(CommandFailure) -> Following.End {
        let before = TerminalSettings()
        before?.raw.apply()
        defer {
            try? StandardStream.output.write(modes.withLock { $0.undoing } + "\u{1B}[0m\r\n\u{1B}[J")
            before?.apply()
        }
        return try Following.run(onResize: { self.resize() }) { (end) throws(Errno) in
            try Following.onThread { self.show(end) }
            try Following.onThread { self.type(end) }
        }
    }

    private func resize() { _ = try? client.type([], into: name, StandardStream.output.terminalSize) }

    private func show(_ end: (Following.End) -> Void) {
        do throws(ControlError) {
            try client.watchTerminal(of: name, StandardStream.output.terminalSize) { bytes in
                modes.withLock { $0.feed(bytes) }
                return bytes.withUnsafeBytes { (try? StandardStream.output.write($0)) != nil }
            }
            end(.finished(0))
        } catch { end(.failed(.failed(error.description))) }
    }

    private func type(_ end: (Following.End) -> Void) {
        var keys = DetachKeys()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)
        defer { buffer.deallocate() }
        while true {
            let read = try? StandardStream.input.withDescriptor { (input) throws(Errno) in
                try Kernel.real.read(input, into: buffer)
            }
            // The terminal is gone.
            guard case .bytes(let count)? = read else { return end(.interrupted) }
            let (bytes, isDetached) = keys.feed(buffer[..<count])
            // That the mesh has ended is for the other thread to tell.
            if !bytes.isEmpty { _ = try? client.type(bytes, into: name, nil) }
            if isDetached { return end(.interrupted) }
        }
    }
}
