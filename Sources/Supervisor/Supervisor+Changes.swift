import EventLoop
import Manifest

/// A manifest that has changed while the mesh is up.
extension Supervisor {
    /// Adds, changes and removes services; touches no other.
    ///
    /// - Parameters:
    ///   - added: stopped, as by `add`.
    ///   - changed: those that run are restarted with what is new; their targets and instance counts stay.
    ///   - removed: stopped, then forgotten.
    ///   - done: called once, with the outcome of each changed and removed service.
    public func apply(
        added: [Entry], changed: [Entry], removed: [String], _ done: @escaping ([String: Outcome]) -> Void
    ) {
        let pending = Pending(count: changed.count + removed.count, done)
        for entry in added where leaving.remove(entry.service.name) != nil { takeBack(entry) }
        add(added.filter { runners[$0.service.name] == nil })
        for entry in changed {
            let name = entry.service.name
            guard let runner = runners[name] else {
                pending.take(name, .failed("there is no service \(name)"))
                continue
            }
            if runner.machine.count != entry.instances { runner.command({ .scale(entry.instances, $0) }) { _ in } }
            runner.command({ .configure(entry.service, $0) }) { pending.take(name, $0) }
        }
        connectDependencies()
        for name in removed {
            guard let runner = runners[name] else {
                pending.take(name, .done)
                continue
            }
            leaving.insert(name)
            runner.command({ .stop($0) }) { [weak self] outcome in
                self?.workshop.loop.later { self?.forget(name) }
                pending.take(name, outcome)
            }
        }
        pending.finishIfEmpty()
    }

    /// Has a service that is still on its way out be one of the mesh again: what runs of it must not be lost sight of.
    private func takeBack(_ entry: Entry) {
        guard let runner = runners[entry.service.name] else { return }
        runner.command({ .configure(entry.service, $0) }) { _ in }
        runner.send(.retarget(entry.target))
        runner.command({ .scale(entry.instances, $0) }) { _ in }
    }

    private func forget(_ name: String) {
        // Added again meanwhile, it stays.
        guard leaving.remove(name) != nil else { return }
        runners[name] = nil
        names.removeAll { $0 == name }
        connectDependencies()
    }

    /// Outcomes that are still to come.
    private final class Pending {
        private var count: Int
        private var outcomes: [String: Outcome] = [:]
        private let done: ([String: Outcome]) -> Void

        init(count: Int, _ done: @escaping ([String: Outcome]) -> Void) {
            self.count = count
            self.done = done
        }

        func take(_ name: String, _ outcome: Outcome) {
            outcomes[name] = outcome
            count -= 1
            if count == 0 { done(outcomes) }
        }

        func finishIfEmpty() {
            if count == 0, outcomes.isEmpty { done([:]) }
        }
    }
}
