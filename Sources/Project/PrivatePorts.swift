import Platform

/// Gives instances the ports that they listen on: private ones, from 10000 to 19999, which users never see.
///
/// Each mesh goes round the range from a place of its own, so that two meshes don't give the same one at the same
/// moment, and one that was just used comes last. Belongs to one thread.
public final class PrivatePorts {
    public static let range = 10_000...19_999
    /// As many stretches as there are blocks of fronts below the usual ephemeral range.
    private static let stretches = 63

    private let avoided: Set<Int>
    private let isFree: (Int) -> Bool
    private var next: Int
    private var inUse: Set<Int> = []

    /// - Parameters:
    ///   - gatewayPort: of the mesh; tells which stretch is its own.
    ///   - avoided: ports that fronts or programs of any project insist on.
    ///   - isFree: whether a program could bind a port now.
    ///   - turns: how far to begin behind the mesh's own place.
    public init(
        gatewayPort: Int, avoiding avoided: Set<Int> = [], turns: Int = 0, isFree: @escaping (Int) -> Bool
    ) {
        let length = Self.range.count / Self.stretches
        let first = Self.range.lowerBound + gatewayPort / 200 % Self.stretches * length
        self.avoided = avoided
        self.isFree = isFree
        next = Self.range.lowerBound + (first - Self.range.lowerBound + turns) % Self.range.count
    }

    public convenience init(gatewayPort: Int, avoiding avoided: Set<Int> = [], kernel: Kernel = .real) {
        let probe = PortProbe(kernel: kernel)
        // Elsewhere each time: connections of the mesh before may keep its ports for a minute (TIME_WAIT).
        let turns = Int.random(in: 0..<Self.range.count)
        self.init(gatewayPort: gatewayPort, avoiding: avoided, turns: turns, isFree: probe.isFree)
    }

    /// Takes a port that can be bound and is not given out; nil if there is none.
    public func take() -> Int? {
        let range = Self.range
        let round = [next...range.upperBound, range.lowerBound...next]
        let port = round.lazy.joined().first { port in
            !self.inUse.contains(port) && !self.avoided.contains(port) && self.isFree(port)
        }
        guard let port else { return nil }
        next = port == range.upperBound ? range.lowerBound : port + 1
        inUse.insert(port)
        return port
    }

    /// Gives a port back once the process that had it is gone.
    public func release(_ port: Int) {
        inUse.remove(port)
    }

    /// Gives all ports back but those that processes still have.
    public func releaseAll(except inUse: Set<Int>) {
        self.inUse.formIntersection(inUse)
    }
}
