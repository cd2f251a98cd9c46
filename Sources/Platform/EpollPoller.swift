import CPlatform

/// epoll(7), registered once, edge-triggered, for in, out and rdhup.
final class EpollPoller: Poller {
    private let kernel: Kernel
    private let epoll: Descriptor
    private let buffer: UnsafeMutablePointer<cp_event>
    private static let capacity: Int32 = 256

    init(_ kernel: Kernel) throws(Errno) {
        self.kernel = kernel
        epoll = Descriptor(owning: try checked(cp_epoll_create()))
        buffer = .allocate(capacity: Int(Self.capacity))
    }

    deinit { buffer.deallocate() }

    func add(_ raw: Int32, token: UInt64) throws(Errno) {
        _ = try kernel.limit(.poll)
        _ = try checked(cp_epoll_add(epoll.raw, raw, token))
    }

    func remove(_ raw: Int32, token: UInt64) { _ = cp_epoll_remove(epoll.raw, raw) }

    var needsRearming: Bool { false }

    func rearm(_ raw: Int32, token: UInt64, _ direction: Readiness) {}

    func wait(_ timeout: Int32, into events: inout [PollEvent]) throws(Errno) {
        let count = try checked(cp_epoll_wait(epoll.raw, buffer, Self.capacity, timeout))
        for index in 0..<Int(count) {
            events.append(
                PollEvent(token: buffer[index].token, readiness: Readiness(rawValue: buffer[index].flags)))
        }
    }
}
