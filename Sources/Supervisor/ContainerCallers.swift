import Platform

/// Tells whether a call comes from one of a service's containers, by its address: one look at a time for each service, and
/// none for a second after a miss, whoever knocks.
final class ContainerCallers {
    /// Asks for the addresses of a service's containers, as they are now; answers on a later turn.
    private let ask: (_ service: String, _ done: @escaping (Set<String>) -> Void) -> Void
    /// As far as they have been asked for.
    private var addresses: [String: Set<String>] = [:]
    /// How often one of a service's was taken away: what was asked before that may be wrong by then.
    private var removals: [String: Int] = [:]
    /// Of services whose addresses are being asked for: who has come since.
    private var late: [String: [Caller]] = [:]
    /// When others were not among them, by service and address.
    private var misses: [String: Instant] = [:]

    private typealias Caller = (address: String, done: (Bool) -> Void)

    private static let mostLate = 100

    init(_ ask: @escaping (_ service: String, _ done: @escaping (Set<String>) -> Void) -> Void) {
        self.ask = ask
    }

    func isContainer(of service: String, at address: String, _ done: @escaping (Bool) -> Void) {
        if addresses[service]?.contains(address) == true { return done(true) }
        if let waiting = late[service] {
            guard waiting.count < Self.mostLate else { return done(false) }
            late[service]?.append((address, done))
        } else if isMissed(address, service) {
            done(false)
        } else {
            look(for: [(address, done)], at: service)
        }
    }

    /// One of its containers is being taken away.
    func removing(from service: String) {
        addresses[service] = nil
        removals[service, default: 0] += 1
    }

    private func look(for callers: [Caller], at service: String) {
        late[service] = []
        let before = removals[service]
        ask(service) { [self] found in
            let late = late.removeValue(forKey: service) ?? []
            // The address of one that is gone may be anybody's by now.
            if removals[service] != before { return look(for: callers + late, at: service) }
            addresses[service] = found
            misses = misses.filter { .now - $0.value < .seconds(1) }
            for caller in callers where !found.contains(caller.address) {
                misses[service + " " + caller.address] = .now
            }
            // Who came later may call from a container that was not there yet.
            let unknown = late.filter { !found.contains($0.address) && !isMissed($0.address, service) }
            let settled = late.filter { found.contains($0.address) || isMissed($0.address, service) }
            if !unknown.isEmpty { look(for: unknown, at: service) }
            for caller in callers + settled { caller.done(found.contains(caller.address)) }
        }
    }

    private func isMissed(_ address: String, _ service: String) -> Bool {
        misses[service + " " + address].map { .now - $0 < .seconds(1) } ?? false
    }
}
