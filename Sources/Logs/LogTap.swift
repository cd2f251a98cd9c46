import EventLoop
import Platform
import Synchronization

/// What a program shows on its terminal, handed on as it comes to another loop while somebody wants it.
///
///     log loop: pass ──post──► remote: body
///
/// Bounded: where that loop falls behind, bytes are left out here (the store has them), and counted. What the program
/// sets on its terminal is followed all the time, for those who come later.
public final class LogTap: Sendable {
    /// Bytes that may be on their way.
    private static let limit = 1 << 20

    private let remote: LoopRemote
    private let body: @Sendable (_ bytes: [UInt8], _ missing: Int) -> Void
    private let isWanted = Atomic<Bool>(false)
    private let underWay = Atomic<Int>(0)
    private let missing = Atomic<Int>(0)
    private let followed = Mutex(TerminalModes())

    /// - Parameter body: called on `remote`'s loop with the next bytes, and how many were left out before them.
    public init(on remote: LoopRemote, _ body: @escaping @Sendable (_ bytes: [UInt8], _ missing: Int) -> Void) {
        self.remote = remote
        self.body = body
    }

    /// Whether bytes are handed on; false at first.
    public var isOpen: Bool {
        get { isWanted.load(ordering: .relaxed) }
        set { isWanted.store(newValue, ordering: .relaxed) }
    }

    /// What the program has set on its terminal by now.
    public var modes: TerminalModes { followed.withLock { $0 } }

    /// For the log loop.
    func pass(_ bytes: UnsafeRawBufferPointer) {
        followed.withLock { $0.feed(bytes) }
        guard isOpen else { return }
        guard underWay.load(ordering: .relaxed) < Self.limit else {
            missing.add(bytes.count, ordering: .relaxed)
            return
        }
        underWay.add(bytes.count, ordering: .relaxed)
        remote.post { [copy = Array(bytes)] _ in
            self.underWay.subtract(copy.count, ordering: .relaxed)
            self.body(copy, self.missing.exchange(0, ordering: .relaxed))
        }
    }
}
