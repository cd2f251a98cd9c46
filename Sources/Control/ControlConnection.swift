import Platform

/// One connection to the control socket, for a thread that may wait.
final class ControlConnection {
    private let kernel: Kernel
    private let descriptor: Descriptor
    private let poller: any Poller
    private var events: [PollEvent] = []
    private let path: String
    /// Called once, where nothing has come for `silence`.
    var onSilence: (() -> Void)?
    private static let silence = Duration.seconds(2)

    /// - Throws: `noMesh` where there is no socket, `staleSocket` where nobody listens on it.
    init(connectingTo path: String, kernel: Kernel) throws(ControlError) {
        self.path = path
        self.kernel = kernel
        do throws(Errno) {
            let address = SocketAddress.unix(path)
            descriptor = try kernel.socket(for: address)
            poller = try PollerBackend.poll.make(kernel)
            // A Unix socket connects at once or not at all (unix(7)): EAGAIN is a full backlog.
            _ = try kernel.connect(descriptor, to: address)
            try poller.add(descriptor.raw, token: 1)
        } catch {
            switch error {
            case .noEntry, .notDirectory: throw .noMesh
            case .connectionRefused: throw .staleSocket
            case .again: throw .timedOut(path)
            default: throw .broken("can't connect to \(path) (\(error))")
            }
        }
    }

    /// Sends everything. A peer that has closed already may have answered before, so that is for `receive` to tell.
    func send(_ bytes: [UInt8], until deadline: Instant?) throws(ControlError) {
        var sent = 0
        while sent < bytes.count {
            let result: WriteResult
            do throws(Errno) {
                result = try bytes.span.bytes.withUnsafeBytes { all throws(Errno) in
                    try kernel.send(descriptor, UnsafeRawBufferPointer(rebasing: all[sent...]))
                }
            } catch {
                if error == .brokenPipe || error == .connectionReset { return }
                throw .broken("sending failed (\(error))")
            }
            switch result {
            case .bytes(let count): sent += count
            case .wouldBlock: try wait(for: .writable, until: deadline)
            }
        }
    }

    /// The next bytes; nil at the end of the connection.
    func receive(into buffer: UnsafeMutableRawBufferPointer, until deadline: Instant?) throws(ControlError) -> Int? {
        while true {
            let result: ReadResult
            do throws(Errno) {
                result = try kernel.read(descriptor, into: buffer)
            } catch {
                if error == .connectionReset { return nil }
                throw .broken("receiving failed (\(error))")
            }
            switch result {
            case .bytes(let count): return count
            case .endOfFile: return nil
            case .wouldBlock: try wait(for: .readable, until: deadline)
            }
        }
    }

    private func wait(for wanted: Readiness, until deadline: Instant?) throws(ControlError) {
        poller.rearm(descriptor.raw, token: 1, wanted)
        let silent = Instant.now + Self.silence
        while true {
            let now = Instant.now
            if let deadline, deadline <= now { throw .timedOut(path) }
            if silent <= now {
                onSilence?()
                onSilence = nil
            }
            let next = [deadline, onSilence == nil ? nil : silent].compactMap { $0 }.min()
            let timeout = next.map { Int32(clamping: (($0 - now).nanoseconds + 999_999) / 1_000_000) } ?? -1
            events.removeAll(keepingCapacity: true)
            do throws(Errno) {
                try poller.wait(timeout, into: &events)
            } catch {
                throw .broken("waiting failed (\(error))")
            }
            if events.contains(where: { $0.readiness.contains(wanted) || $0.readiness.contains(.hangup) }) { return }
        }
    }
}
