import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Descriptors kept back for what must work when all others are in use: finding the processes that are to be ended,
/// finishing what has been begun.
public final class DescriptorReserve: Sendable {
    /// For looking into /proc: one for the folder, one for a file in it.
    static let forProcesses = DescriptorReserve(size: 2)

    private struct State {
        var isKept = false
        var spares: [Int32] = []
    }

    private let size: Int
    private let state = Mutex(State())

    public init(size: Int) { self.size = size }

    deinit {
        for spare in state.withLock({ $0.spares }) { close(spare) }
    }

    /// Begins to keep descriptors back.
    public func keep() {
        state.withLock { $0.isKept = true }
        refill()
    }

    /// Takes back what `using` has given up; to be called once the result of that is closed.
    public func refill() {
        state.withLock { state in
            while state.isKept, state.spares.count < size {
                let spare = open("/dev/null", O_RDONLY | O_CLOEXEC)
                guard spare >= 0 else { return }
                state.spares.append(spare)
            }
        }
    }

    /// Calls `body`; where no descriptor is left for it, gives one up and calls it again.
    public func using<T>(_ body: () -> Result<T, Errno>) -> Result<T, Errno> {
        let first = body()
        guard case .failure(let error) = first, error == .tooManyOpenFiles || error == .tooManyOpenFilesInSystem,
            giveUpOne()
        else { return first }
        return body()
    }

    /// Frees one for what the caller does next; false where none is left.
    public func giveUpOne() -> Bool {
        guard let spare = state.withLock({ $0.spares.popLast() }) else { return false }
        close(spare)
        return true
    }
}
