/// Lets so many builds run at a time; the others wait, in the order of asking.
final class BuildSlots {
    private var free: Int
    private var waiting: [(id: Int, begin: () -> Void)] = []
    private var lastID = 0

    init(_ count: Int) {
        free = count
    }

    /// Calls `begin` once there is room, perhaps at once; then `leave` must be called.
    /// - Returns: what `forget` takes while it waits.
    func enter(_ begin: @escaping () -> Void) -> Int {
        lastID += 1
        if free > 0 {
            free -= 1
            begin()
        } else {
            waiting.append((lastID, begin))
        }
        return lastID
    }

    func leave() {
        guard !waiting.isEmpty else {
            free += 1
            return
        }
        waiting.removeFirst().begin()
    }

    /// - Returns: whether it waited still; then it never begins.
    func forget(_ id: Int) -> Bool {
        let count = waiting.count
        waiting.removeAll { $0.id == id }
        return waiting.count < count
    }
}
