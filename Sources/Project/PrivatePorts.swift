import Platform
import Synchronization

/// Gives instances the ports that they listen on: private ones, from 10000 to 19999, which users never see.
///
/// Goes round the range from a random place, so that two meshes don't give the same one at the same moment, and one
/// that was just used comes last: connections to it may keep it for a minute (TIME_WAIT). Belongs to one thread.
public final class PrivatePorts {
    public static let range = 10_000...19_999

    private let search: Search
    private var next = Int.random(in: range)
    /// Found free by `lookAhead`, the next one last.
    private var ahead: [Int] = []
    private var lookedAt = Instant.now
    private var scout: Scout?

    /// How long a look holds.
    private static let freshness = Duration.seconds(1)

    /// - Parameters:
    ///   - avoided: ports that fronts or programs of any project insist on.
    ///   - isFree: whether any program could listen on a port now.
    ///   - isReusable: whether one that sets SO_REUSEADDR could.
    public init(
        avoiding avoided: Set<Int> = [], isFree: @escaping @Sendable (Int) -> Bool,
        isReusable: @escaping @Sendable (Int) -> Bool
    ) {
        search = Search(avoided: avoided, isFree: isFree, isReusable: isReusable)
    }

    public convenience init(avoiding avoided: Set<Int> = [], kernel: Kernel = .real) {
        let probe = PortProbe(kernel: kernel)
        self.init(avoiding: avoided, isFree: { probe.isFree($0) }, isReusable: { probe.isReusable($0) })
    }

    /// Finds ports for those that will be started in a moment, on a thread of its own: `take` waits for it.
    public func lookAhead(_ count: Int) {
        gather()
        if count > 0 { scout = try? Scout(count, search, from: next) }
    }

    /// Takes a port that can be bound; nil if there is none.
    /// - Parameter taken: those that instances have.
    public func take(besides taken: Set<Int> = []) -> Int? {
        gather()
        while let port = ahead.popLast() {
            if !taken.contains(port), .now - lookedAt < Self.freshness || search.isFree(port) { return port }
        }
        guard let port = search.port(from: next, besides: taken) else { return nil }
        next = Self.after(port)
        return port
    }

    private func gather() {
        guard let scout else { return }
        let found = scout.report()
        next = found.last.map(Self.after) ?? next
        ahead = found.reversed()
        lookedAt = scout.began
        self.scout = nil
    }

    private static func after(_ port: Int) -> Int { port == range.upperBound ? range.lowerBound : port + 1 }

    private struct Search: Sendable {
        let avoided: Set<Int>
        let isFree: @Sendable (Int) -> Bool
        let isReusable: @Sendable (Int) -> Bool

        func port(from next: Int, besides taken: Set<Int> = []) -> Int? {
            let range = PrivatePorts.range
            let candidates = [next...range.upperBound, range.lowerBound...next].lazy.joined().filter {
                !taken.contains($0) && !avoided.contains($0)
            }
            // After many restarts each may wait for its connections to be forgotten; most servers don't mind.
            return candidates.first(where: isFree) ?? candidates.first(where: isReusable)
        }
    }

    /// Looks for ports while others go on.
    private final class Scout: Sendable {
        let began = Instant.now
        private let thread: PlatformThread
        private let found: Found

        private final class Found: Sendable { let ports = Mutex<[Int]>([]) }

        init(_ count: Int, _ search: Search, from first: Int) throws(Errno) {
            let found = Found()
            self.found = found
            thread = try PlatformThread("ports") {
                var (ports, next): ([Int], Int) = ([], first)
                while ports.count < count, let port = search.port(from: next) {
                    ports.append(port)
                    next = PrivatePorts.after(port)
                }
                found.ports.withLock { [ports] in $0 = ports }
            }
        }

        /// Waits for what it has found.
        func report() -> [Int] {
            thread.join()
            return found.ports.withLock { $0 }
        }
    }
}
