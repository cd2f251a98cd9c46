#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a descriptor became ready for.
public struct Readiness: OptionSet, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let readable = Readiness(rawValue: 1)
    public static let writable = Readiness(rawValue: 2)
    /// The peer has ended its side or all of it: read to the end to see it.
    public static let hangup = Readiness(rawValue: 4)
}

public struct PollEvent: Sendable {
    public var token: UInt64
    public var readiness: Readiness

    public init(token: UInt64, readiness: Readiness) {
        self.token = token
        self.readiness = readiness
    }
}

/// Tells which of many descriptors are ready.
///
/// Edge-triggered in both backends: after a direction was reported it is not reported again until the owner has met
/// would-block (or a short read or write) in it and called `rearm`. On epoll `rearm` costs nothing.
public protocol Poller: AnyObject {
    /// Registers once, for both directions. A descriptor may be registered once at a time.
    func add(_ raw: Int32, token: UInt64) throws(Errno)

    /// Must be called before the descriptor is closed.
    func remove(_ raw: Int32, token: UInt64)

    /// Whether `rearm` does anything.
    var needsRearming: Bool { get }

    func rearm(_ raw: Int32, token: UInt64, _ direction: Readiness)

    /// Waits at most `timeout` milliseconds (-1: for ever) and appends what is ready to `events`.
    func wait(_ timeout: Int32, into events: inout [PollEvent]) throws(Errno)
}

public enum PollerBackend: Sendable, CaseIterable {
    /// epoll(7), Linux.
    case epoll
    /// poll(2), everywhere.
    case poll

    #if os(Linux)
        public static let native = PollerBackend.epoll
    #else
        public static let native = PollerBackend.poll
    #endif

    public func make(_ kernel: Kernel = .real) throws(Errno) -> any Poller {
        switch self {
        case .epoll: try EpollPoller(kernel)
        case .poll: PollPoller(kernel)
        }
    }
}
