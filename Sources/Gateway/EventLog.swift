import Control

/// The mesh's recent events, bounded, and those who follow them. Belongs to one loop.
public final class EventLog {
    /// How many are kept; the oldest go first.
    public let capacity: Int

    private var ring: [MeshEvent] = []
    /// Where the oldest stands once the ring is full.
    private var start = 0
    private var followers: [Int: (MeshEvent) -> Void] = [:]
    private var nextFollower = 0

    public init(capacity: Int = 500) {
        precondition(capacity > 0)
        self.capacity = capacity
    }

    /// Oldest first.
    public var recent: [MeshEvent] { Array(ring[start...] + ring[..<start]) }

    public func append(_ event: MeshEvent) {
        if ring.count < capacity {
            ring.append(event)
        } else {
            ring[start] = event
            start = (start + 1) % capacity
        }
        for id in followers.keys.sorted() { followers[id]?(event) }
    }

    /// Calls `body` with each event from now on, until `unfollow`.
    public func follow(_ body: @escaping (MeshEvent) -> Void) -> Int {
        nextFollower += 1
        followers[nextFollower] = body
        return nextFollower
    }

    public func unfollow(_ id: Int) { followers[id] = nil }

    public var followerCount: Int { followers.count }
}
