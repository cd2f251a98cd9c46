import Manifest

/// What another `up` of the same project has to do, by unit. Names are as the new manifest writes them, in its order;
/// those removed as the old one did.
public struct Changes: Sendable, Equatable {
    public var added: [String]
    /// To be restarted: the service's own part of the manifest changed (contract §2), or an address that it was
    /// given by name did.
    public var changed: [String]
    public var unchanged: [String]
    public var removed: [String]

    public init(added: [String] = [], changed: [String] = [], unchanged: [String] = [], removed: [String] = []) {
        self.added = added
        self.changed = changed
        self.unchanged = unchanged
        self.removed = removed
    }

    /// Compares the plan that is up with the one that is to be.
    public static func between(_ old: Plan, _ new: Plan) -> Changes {
        var changes = Changes()
        var earlierByName = Dictionary(uniqueKeysWithValues: old.units.map { ($0.name, $0) })
        for planned in new.units {
            guard let earlier = earlierByName.removeValue(forKey: planned.name) else {
                changes.added.append(planned.name)
                continue
            }
            // Addresses gained or lost through an absent `uses` don't count: they come with its next start.
            let isSame =
                planned.service.fingerprint == earlier.service.fingerprint && planned.front == earlier.front
                && planned.edges == earlier.edges
            if isSame { changes.unchanged.append(planned.name) } else { changes.changed.append(planned.name) }
        }
        changes.removed = old.units.map(\.name).filter { earlierByName[$0] != nil }
        return changes
    }
}
