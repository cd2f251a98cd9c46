import Control
import EventLoop
import Logs
import Platform
import Synchronization

/// This terminal connected to that of a service.
///
///     keyboard thread: read ─► DetachKeys ─► typist thread ─► control socket
///     screen thread:   control socket ─► write
///     main thread:     signals, the window's size
final class Attachment: Sendable {
    private let client: ControlClient
    private let name: String
    private let screen = Mutex(Screen())
    /// Nothing of the program's is written any more; read with `screen` locked.
    private let isLeft = Atomic<Bool>(false)
    private let typist: LoopThread

    /// What was written to this terminal.
    private struct Screen {
        var modes = TerminalModes()
        /// What was noted last.
        var note: String?
    }

    /// How long leaving waits: for a terminal that takes nothing, or a program that reads nothing.
    private static let patience = Duration.seconds(1)

    /// - Parameter name: of a service or one of its instances.
    init(_ client: ControlClient, to name: String) throws(Errno) {
        self.client = client
        self.name = name
        typist = try LoopThread("typist")
    }

    /// Stays until the user detaches (`interrupted`), the mesh ends (`finished`) or something fails. The terminal is
    /// as it was, then.
    func run() throws(CommandFailure) -> Following.End {
        let before = TerminalSettings()
        before?.raw.apply()
        defer {
            leave()
            before?.apply()
        }
        return try Following.run(onResize: { self.resize() }) { (end) throws(Errno) in
            try Following.onThread { self.show(end) }
            try Following.onThread { self.read(end) }
        }
    }

    /// Puts back what the program has set, once what is being written is; a terminal that takes nothing is left to a
    /// thread that goes with this process.
    private func leave() {
        isLeft.store(true, ordering: .sequentiallyConsistent)
        let isUndone = Handoff<Bool>()
        let undo = { @Sendable in
            let undoing = self.screen.withLock { $0.modes.undoing }
            try? StandardStream.output.write(undoing + "\u{1B}[0m\r\n\u{1B}[J")
            isUndone.give(true)
        }
        guard (try? Following.onThread(undo)) != nil else { return }
        _ = isUndone.take(within: Self.patience)
    }

    // MARK: Screen

    private func show(_ end: (Following.End) -> Void) {
        do throws(ControlError) {
            var isGone = false
            try client.watchTerminal(of: name, window) { bytes in
                isGone = !bytes.withUnsafeBytes { write($0) }
                return !isGone
            }
            end(isGone ? .interrupted : .finished(0))
        } catch { end(.failed(.failed(error.description))) }
    }

    /// - Returns: whether this terminal is there still.
    private func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
        screen.withLock { screen in
            guard !isLeft.load(ordering: .sequentiallyConsistent) else { return false }
            screen.modes.feed(bytes)
            return (try? StandardStream.output.write(bytes)) != nil
        }
    }

    /// Says why typing does nothing, once.
    private func note(_ sentence: String?) {
        let isNew = screen.withLock { screen in
            defer { screen.note = sentence }
            return screen.note != sentence
        }
        guard let sentence, isNew else { return }
        let line = Array("\r\n\u{1B}[0m[devmesh: \(Phrase.withoutStop(sentence))]\r\n".utf8)
        _ = line.withUnsafeBytes { write($0) }
    }

    // MARK: Keyboard

    private func read(_ end: (Following.End) -> Void) {
        var keys = DetachKeys()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)
        defer { buffer.deallocate() }
        while true {
            let read = try? StandardStream.input.withDescriptor { (input) throws(Errno) in
                try Kernel.real.read(input, into: buffer)
            }
            // The terminal is gone.
            guard case .bytes(let count)? = read else { return end(.interrupted) }
            let (bytes, isDetached) = keys.feed(Array(buffer[..<count]))
            if !bytes.isEmpty { post(bytes) }
            guard isDetached else { continue }
            // What was typed before is to arrive, if that takes no time.
            let arrived = Handoff<Bool>()
            typist.remote.post { _ in arrived.give(true) }
            _ = arrived.take(within: Self.patience)
            return end(.interrupted)
        }
    }

    /// Types behind what was typed before, which the program may take its time to read.
    private func post(_ bytes: [UInt8]) {
        typist.remote.post { _ in
            do throws(ControlError) {
                let result = try self.client.type(bytes, into: self.name, nil)
                self.note(result.ok ? nil : result.reason)
            } catch .refused(let failure) {
                self.note(failure.message)
            } catch {
                // That the mesh has ended is for the other thread to tell.
            }
        }
    }

    private func resize() {
        _ = try? Following.onThread { _ = try? self.client.type([], into: self.name, self.window) }
    }

    private var window: TerminalWindow? {
        StandardStream.output.terminalSize.map { TerminalWindow($0, name: "\(ThisProcess.id)") }
    }
}
