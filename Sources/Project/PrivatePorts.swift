import Platform

/// Gives instances the ports that they listen on: private ones, from 10000 to 19999, which users never see.
///
/// Goes round the range from a random place, so that two meshes don't give the same one at the same moment, and one
/// that was just used comes last: connections to it may keep it for a minute (TIME_WAIT). Belongs to one thread.
public final class PrivatePorts {
    public static let range = 10_000...19_999

    private let avoided: Set<Int>
    private let isFree: (Int) -> Bool
    private let isReusable: (Int) -> Bool
    private var next = Int.random(in: range)
    /// Found free by `lookAhead`, the next one last.
    private var ahead: [Int] = []
    private var lookedAt = Instant.now

    /// How long a look holds.
    private static let freshness = Duration.seconds(1)

    /// - Parameters:
    ///   - avoided: ports that fronts or programs of any project insist on.
    ///   - isFree: whether any program could listen on a port now.
    ///   - isReusable: whether one that sets SO_REUSEADDR could.
    public init(
        avoiding avoided: Set<Int> = [], isFree: @escaping (Int) -> Bool, isReusable: @escaping (Int) -> Bool
    ) {
        self.avoided = avoided
        self.isFree = isFree
        self.isReusable = isReusable
    }

    public convenience init(avoiding avoided: Set<Int> = [], kernel: Kernel = .real) {
        let probe = PortProbe(kernel: kernel)
        self.init(avoiding: avoided, isFree: probe.isFree, isReusable: probe.isReusable)
    }

    /// Finds ports for those that will be started in a moment, while that keeps nobody waiting.
    public func lookAhead(_ count: Int) {
        let found = (0..<count).compactMap { _ in find([]) }
        ahead = found.reversed()
        lookedAt = .now
    }

    /// Takes a port that can be bound; nil if there is none.
    /// - Parameter taken: those that instances have.
    public func take(besides taken: Set<Int> = []) -> Int? {
        while let port = ahead.popLast() {
            if !taken.contains(port), .now - lookedAt < Self.freshness || isFree(port) { return port }
        }
        return find(taken)
    }

    private func find(_ taken: Set<Int>) -> Int? {
        let range = Self.range
        let candidates = [next...range.upperBound, range.lowerBound...next].lazy.joined().filter {
            !taken.contains($0) && !self.avoided.contains($0)
        }
        // After many restarts each may wait for its connections to be forgotten; most servers don't mind.
        guard let port = candidates.first(where: isFree) ?? candidates.first(where: isReusable) else { return nil }
        next = port == range.upperBound ? range.lowerBound : port + 1
        return port
    }
}
