#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// poll(2) made edge-triggered: a direction that was reported is not asked about until it is rearmed.
final class PollPoller: Poller {
    private struct Slot {
        var token: UInt64
        var armed: Readiness
    }

    private let kernel: Kernel
    private var entries: [pollfd] = []
    private var slots: [Slot] = []
    private var index: [UInt64: Int] = [:]

    init(_ kernel: Kernel) { self.kernel = kernel }

    func add(_ raw: Int32, token: UInt64) throws(Errno) {
        _ = try kernel.limit(.poll)
        index[token] = entries.count
        entries.append(pollfd(fd: raw, events: Int16(POLLIN | POLLOUT), revents: 0))
        slots.append(Slot(token: token, armed: [.readable, .writable]))
    }

    func remove(_ raw: Int32, token: UInt64) {
        guard let place = index.removeValue(forKey: token) else { return }
        let last = entries.count - 1
        if place != last {
            entries[place] = entries[last]
            slots[place] = slots[last]
            index[slots[place].token] = place
        }
        entries.removeLast()
        slots.removeLast()
    }

    var needsRearming: Bool { true }

    func rearm(_ raw: Int32, token: UInt64, _ direction: Readiness) {
        guard let place = index[token] else { return }
        slots[place].armed.formUnion(direction)
        entries[place].fd = raw
        if direction.contains(.readable) { entries[place].events |= Int16(POLLIN) }
        if direction.contains(.writable) { entries[place].events |= Int16(POLLOUT) }
    }

    func wait(_ timeout: Int32, into events: inout [PollEvent]) throws(Errno) {
        let ready = poll(&entries, nfds_t(entries.count), timeout)
        if ready < 0 {
            if Errno.last == .interrupted { return }
            throw Errno.last
        }
        var rest = ready
        for place in entries.indices where rest > 0 && entries[place].revents != 0 {
            rest -= 1
            let native = Int32(entries[place].revents)
            var readiness: Readiness = []
            if native & POLLIN != 0 { readiness.insert(.readable) }
            if native & POLLOUT != 0 { readiness.insert(.writable) }
            if native & (POLLHUP | POLLERR | POLLNVAL) != 0 { readiness.formUnion([.readable, .writable, .hangup]) }
            let armed = slots[place].armed
            slots[place].armed.subtract(readiness)
            if readiness.contains(.readable) { entries[place].events &= ~Int16(POLLIN) }
            if readiness.contains(.writable) { entries[place].events &= ~Int16(POLLOUT) }
            // A hang-up is reported whatever was asked for: a negative descriptor is passed over (poll(2)).
            if readiness.contains(.hangup), slots[place].armed.isEmpty { entries[place].fd = -1 }
            if !readiness.isDisjoint(with: armed) || readiness.contains(.hangup) {
                events.append(PollEvent(token: slots[place].token, readiness: readiness))
            }
        }
    }
}
