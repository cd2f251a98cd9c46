import Platform
import Synchronization

/// One thread's loop: readiness of descriptors, timers, and work posted by other threads.
///
/// A loop and all that belongs to it are plain objects, made on the loop's thread and touched nowhere else; being
/// non-`Sendable` they can't leave it by accident. Other threads have a `LoopRemote`.
///
///     run:  posted work → deferred work → due timers → outbox → wait → handlers of ready descriptors → outbox → run
public final class EventLoop {
    public let kernel: Kernel
    /// How other threads reach this loop.
    public let remote: LoopRemote
    /// The time at which this turn of the loop began to work; cheap to read.
    public var now: Instant { moment }

    /// For one read at a time, overwritten by whoever reads next: 256 KiB, which moves large bodies with a third less of
    /// the processor than 64 do.
    public let scratch: UnsafeMutableRawBufferPointer

    /// For short messages that may wait for the end of a turn.
    public let outbox = Outbox()

    // Unchecked, as it is read several times a request: two accesses can't meet in a number.
    @exclusivity(unchecked) private var moment: Instant
    private let poller: any Poller
    private let isEager: Bool
    /// Whether the wait before this one was over at once.
    private var wasBrief = false
    private var slots: [Slot] = []
    private var freeSlots: [UInt32] = []
    private var events: [PollEvent] = []
    private var timers = TimerHeap()
    private var deferred: [() -> Void] = []
    private var inbox: [LoopRemote.Work] = []
    private var isStopped = false

    /// Tokens carry slot and generation, since descriptors and slots are reused within a batch of events.
    private struct Slot {
        var generation: UInt32
        var handler: (any ReadinessHandler)?
    }

    /// For how long an eager loop looks again and again.
    private static let brief = Duration.microseconds(50)

    /// - Parameter isEager: whether it may look again for a moment, where the wait before was as short, rather than
    ///   sleep and be woken, which takes about that long: for loops that answer others who wait.
    public convenience init(
        kernel: Kernel = .real, backend: PollerBackend = .native, isEager: Bool = false
    ) throws(Errno) {
        try self.init(kernel: kernel, poller: backend.make(kernel), isEager: isEager)
    }

    public init(kernel: Kernel = .real, poller: any Poller, isEager: Bool = false) throws(Errno) {
        self.kernel = kernel
        self.poller = poller
        self.isEager = isEager
        remote = try LoopRemote(kernel: kernel)
        moment = .now
        scratch = .allocate(byteCount: 262_144, alignment: 4096)
        try poller.add(remote.wakeup.reader, token: .max)
    }

    deinit {
        timers.removeAll()
        scratch.deallocate()
    }

    // MARK: Running

    /// Works until `stop`. The calling thread becomes the loop's own.
    ///
    /// - Throws: what epoll_wait(2) or poll(2) throws, which only a bug can cause.
    public func run() throws(Errno) {
        remote.begin()
        while !isStopped { try turn() }
        remote.end()
    }

    /// Ends `run` after this turn.
    public func stop() { isStopped = true }

    private func turn() throws(Errno) {
        moment = .now
        runPosted()
        runDeferred()
        while let timer = timers.popDue(moment) { timer.fire() }
        outbox.flush()
        if isStopped { return }
        events.removeAll(keepingCapacity: true)
        try wait()
        for event in events { deliver(event) }
        // What handlers have to say doesn't wait for other work; that has its own turn.
        outbox.flush()
    }

    private func wait() throws(Errno) {
        let began = Instant.now
        let timeout = deferred.isEmpty ? timers.timeout(from: began) : 0
        if wasBrief, timeout != 0 {
            repeat { try poller.wait(0, into: &events) } while events.isEmpty && Instant.now - began < Self.brief
        }
        if events.isEmpty { try poller.wait(timeout, into: &events) }
        moment = .now
        // Of many who wait some are answered together, which is cheaper than to hurry; and what other threads post comes
        // when it does.
        wasBrief = isEager && events.count == 1 && events[0].token != .max && moment - began < Self.brief
    }

    private func deliver(_ event: PollEvent) {
        if event.token == .max {
            remote.wakeup.clear()
            poller.rearm(remote.wakeup.reader, token: .max, .readable)
            return
        }
        let slot = slots[Int(event.token & 0xffff_ffff)]
        guard slot.generation == UInt32(event.token >> 32), let handler = slot.handler else { return }
        handler.ready(event.readiness)
    }

    private func runPosted() {
        remote.take(&inbox)
        for work in inbox { work(self) }
        inbox.removeAll(keepingCapacity: inbox.count < 1024)
    }

    private func runDeferred() {
        guard !deferred.isEmpty else { return }
        let work = deferred
        deferred = []
        for body in work { body() }
    }

    // MARK: Work

    /// Runs `body` on the next turn, after everything that is under way.
    public func later(_ body: @escaping () -> Void) { deferred.append(body) }

    /// Runs `body` once, `delay` from now, unless the timer is cancelled. The loop keeps it alive.
    @discardableResult
    public func after(_ delay: Duration, _ body: @escaping () -> Void) -> Timer {
        let timer = Timer(due: Instant.now + delay, loop: self, body: body)
        timers.insert(timer)
        return timer
    }

    fileprivate func cancel(_ timer: Timer) { timers.remove(timer) }

    // MARK: Descriptors

    /// Watches an open descriptor for both directions, edge-triggered, until the registration is cancelled.
    ///
    /// The handler is told of readiness that exists already. It must read or write until would-block (a short count
    /// counts as such) and then call `Registration.rearm`, unless it wants to be left alone meanwhile.
    /// - Throws: `ENOSPC` or `ENOMEM` where the system's limit is reached; `EPERM` for a regular file.
    public func watch(_ raw: Int32, _ handler: any ReadinessHandler) throws(Errno) -> Registration {
        let index: UInt32
        if let free = freeSlots.popLast() {
            index = free
        } else {
            index = UInt32(slots.count)
            slots.append(Slot(generation: 0, handler: nil))
        }
        let token = UInt64(slots[Int(index)].generation) << 32 | UInt64(index)
        do throws(Errno) {
            try poller.add(raw, token: token)
        } catch {
            freeSlots.append(index)
            throw error
        }
        slots[Int(index)].handler = handler
        return Registration(loop: self, raw: raw, token: token, needsRearming: poller.needsRearming)
    }

    fileprivate func cancel(_ registration: Registration) {
        let index = Int(registration.token & 0xffff_ffff)
        guard slots[index].generation == UInt32(registration.token >> 32) else { return }
        poller.remove(registration.raw, token: registration.token)
        slots[index].handler = nil
        // Skipping UInt32.max keeps every token apart from the wakeup's.
        slots[index].generation = (slots[index].generation &+ 1) % UInt32.max
        freeSlots.append(UInt32(index))
    }

    fileprivate func rearm(_ registration: Registration, _ direction: Readiness) {
        poller.rearm(registration.raw, token: registration.token, direction)
    }

    /// How many descriptors are watched.
    public var watchedCount: Int { slots.count - freeSlots.count }
}

/// Is told when a descriptor becomes ready.
public protocol ReadinessHandler: AnyObject {
    func ready(_ readiness: Readiness)
}

/// A descriptor's place in a loop. It must be cancelled before the descriptor is closed.
public struct Registration {
    /// Kept by whoever keeps this: a handler of the loop.
    fileprivate unowned(unsafe) let loop: EventLoop
    fileprivate let raw: Int32
    fileprivate let token: UInt64
    fileprivate let needsRearming: Bool

    /// Ends the watch; events already fetched are not delivered any more. Once is enough, twice does no harm.
    public func cancel() { loop.cancel(self) }

    /// Asks for the next edge of a direction that has just met would-block.
    public func rearm(_ direction: Readiness) { if needsRearming { loop.rearm(self, direction) } }
}

/// Work that waits for its time.
public final class Timer {
    public let due: Instant
    /// Its place in the heap; -1 once fired or cancelled.
    var place = -1
    /// Lives as long as `place` is not -1: then its heap holds this.
    private unowned(unsafe) let loop: EventLoop
    private var body: (() -> Void)?

    init(due: Instant, loop: EventLoop, body: @escaping () -> Void) {
        self.due = due
        self.loop = loop
        self.body = body
    }

    public var isPending: Bool { place >= 0 }

    /// Makes sure that it does not fire (again); no harm once it has.
    public func cancel() {
        body = nil
        if place >= 0 { loop.cancel(self) }
    }

    func fire() {
        let body = self.body
        self.body = nil
        body?()
    }
}
