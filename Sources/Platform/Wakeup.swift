import CPlatform

/// Wakes a thread that waits in a `Poller` (eventfd(2), else a pipe).
public final class Wakeup: Sendable {
    private let readEnd: Int32
    private let writeEnd: Int32

    public init(kernel: Kernel = .real) throws(Errno) {
        _ = try kernel.limit(.pipe)
        var ends: [Int32] = [0, 0]
        _ = try checked(cp_wakeup_create(&ends))
        (readEnd, writeEnd) = (ends[0], ends[1])
    }

    deinit {
        _ = Descriptor(owning: readEnd)
        if writeEnd != readEnd { _ = Descriptor(owning: writeEnd) }
    }

    /// The descriptor to watch for readability.
    public var reader: Int32 { readEnd }

    /// From any thread; several signals before a `clear` count once.
    public func signal() {
        var one: UInt64 = 1
        _ = Platform.write(writeEnd, &one, 8)
    }

    public func clear() {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { buffer in
            while Platform.read(readEnd, buffer.baseAddress, 64) == 64 {}
        }
    }
}
