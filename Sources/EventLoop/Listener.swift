import Platform

/// Accepts connections on a listening socket for as long as it lives.
///
/// Out of descriptors (`EMFILE`, `ENFILE`) it leaves the waiting connections in the backlog and tries again after a
/// pause, instead of spinning or losing them.
public final class Listener: ReadinessHandler {
    private let loop: EventLoop
    private let descriptor: Descriptor
    private let onAccept: (consuming Descriptor) -> Void
    private let mayAccept: () -> Bool
    private let reserve: DescriptorReserve?
    private var registration: Registration?
    private var pause: Timer?

    /// How long to leave the backlog alone when descriptors have run out.
    static let pauseLength = Duration.milliseconds(50)
    /// So that a storm of connections leaves the loop time for others.
    private static let batch = 64

    /// - Parameters:
    ///   - mayAccept: false while those that were accepted need all descriptors there are; it is asked again after a
    ///     pause.
    ///   - reserve: for a listener that must work when all other descriptors are in use.
    public init(
        _ descriptor: consuming Descriptor, on loop: EventLoop, mayAccept: @escaping () -> Bool = { true },
        reserve: DescriptorReserve? = nil, onAccept: @escaping (consuming Descriptor) -> Void
    ) throws(Errno) {
        self.loop = loop
        self.mayAccept = mayAccept
        self.reserve = reserve
        self.onAccept = onAccept
        self.descriptor = descriptor
        registration = nil
        registration = try loop.watch(self.descriptor.raw, self)
    }

    /// Stops accepting; the socket closes when the listener goes away.
    public func close() {
        registration?.cancel()
        registration = nil
        pause?.cancel()
    }

    /// The address it is bound to.
    public var address: SocketAddress? { loop.kernel.localAddress(descriptor) }

    public func ready(_ readiness: Readiness) {
        guard pause?.isPending != true else { return }
        reserve?.refill()
        for _ in 0..<Self.batch {
            guard registration != nil else { return }
            guard mayAccept() else { return rest() }
            do throws(Errno) {
                switch try loop.kernel.accept(descriptor) {
                case .connection(let connection): onAccept(connection)
                case .wouldBlock:
                    registration?.rearm(.readable)
                    return
                }
            } catch {
                let isShort = error == .tooManyOpenFiles || error == .tooManyOpenFilesInSystem
                if isShort, reserve?.giveUpOne() == true { continue }
                // Whatever it is (accept(2) lists a dozen passing network errors), the next attempt is not hopeless.
                return rest()
            }
        }
        loop.later { [weak self] in self?.ready(.readable) }
    }

    private func rest() {
        pause = loop.after(Self.pauseLength) { [weak self] in self?.ready(.readable) }
    }
}
