import Manifest

/// `dependsOn`: who waits for whom.
extension Supervisor {
    func connectDependencies() {
        dependents = [:]
        for name in names {
            for dependency in runners[name]?.service.dependsOn ?? [] {
                dependents[resolved(dependency.service), default: []].append(name)
            }
        }
        for name in names { updateDependencies(of: name) }
    }

    /// The name as the service itself has it: names are compared without case.
    func resolved(_ name: String) -> String {
        if runners[name] != nil { return name }
        let folded = name.lowercased()
        return names.first { $0.lowercased() == folded } ?? name
    }

    /// Has those that depend on a service look at one of its versions from now on; nil: at what its own entry says.
    public func stand(_ unit: String?, for service: String) {
        substitutes[service] = unit
        for name in dependents[service] ?? [] { updateDependencies(of: name) }
    }

    /// What serves a service now.
    private func standing(for service: String) -> ServiceRunner? {
        substitutes[service].flatMap { runners[$0] } ?? runners[service]
    }

    /// Whom the `dependsOn` of a service, or of the one that a version belongs to, concerns.
    func dependents(on unit: String) -> [String] { dependents[UnitName.service(of: unit)] ?? [] }

    func stateChanged(_ runner: ServiceRunner) {
        for name in dependents(on: runner.name) { updateDependencies(of: name) }
        advanceStopping()
    }

    private func updateDependencies(of name: String) {
        guard let runner = runners[name] else { return }
        let status = dependencyStatus(of: runner.service)
        guard status != runner.lastDependencyStatus else { return }
        runner.lastDependencyStatus = status
        runner.send(.dependencies(status))
        // Whoever waits for this one may now be waiting in vain.
        for next in dependents(on: runner.name) { updateDependencies(of: next) }
    }

    private func dependencyStatus(of service: Service) -> ServiceMachine.DependencyStatus {
        let unmet = dependencies(of: service).filter { !$0.isMet }
        let blocksBuild = unmet.contains { $0.condition == .completed }
        if let blocked = unmet.first(where: \.isBlocked) {
            return .blocked(reason: blocked.sentence, blocksBuild: blocksBuild)
        }
        guard let first = unmet.first else { return .met }
        return .waiting(reason: first.sentence, blocksBuild: blocksBuild)
    }

    /// What a service waits for, or would wait for, and how that stands.
    public func dependencies(of service: Service) -> [DependencyReport] {
        service.dependsOn.compactMap { dependency in
            let name = resolved(dependency.service)
            guard let runner = standing(for: name) else { return nil }
            return DependencyReport(name, dependency.condition, runner.machine)
        }
    }

    /// Has those that a service waits for run, and what they wait for in turn.
    func startDependencies(of runner: ServiceRunner) {
        var seen: Set<String> = [runner.name]
        var missing: [ServiceRunner] = []
        collectDependencies(of: runner, &seen, &missing)
        for runner in inDependencyOrder(missing) where !runner.machine.isUpOrOnItsWay {
            runner.command({ .start($0) }) { _ in }
        }
    }

    private func collectDependencies(
        of runner: ServiceRunner, _ seen: inout Set<String>, _ found: inout [ServiceRunner]
    ) {
        for dependency in runner.service.dependsOn {
            let name = resolved(dependency.service)
            guard let next = standing(for: name), seen.insert(name).inserted else { continue }
            found.append(next)
            collectDependencies(of: next, &seen, &found)
        }
    }

    /// Each after those among them that it depends on.
    func inDependencyOrder(_ runners: [ServiceRunner]) -> [ServiceRunner] {
        let wanted = Set(runners.map(\.name))
        var seen: Set<String> = []
        var ordered: [ServiceRunner] = []
        func visit(_ runner: ServiceRunner) {
            guard seen.insert(runner.name).inserted else { return }
            for dependency in runner.service.dependsOn {
                if let next = standing(for: resolved(dependency.service)) { visit(next) }
            }
            if wanted.contains(runner.name) { ordered.append(runner) }
        }
        for runner in runners { visit(runner) }
        return ordered
    }

    /// Whether `target`, which is not ready, transitively waits for `caller`: a call from it held until then would
    /// hold itself. Names the cycle, as a sentence; nil where there is none.
    public func cycle(caller: String, target: String) -> String? {
        let caller = resolved(caller)
        var seen: Set<String> = []
        guard var path = waitingPath(from: resolved(target), to: caller, &seen) else { return nil }
        path.insert(caller, at: 0)
        return "\(caller) calls \(resolved(target)), which waits for \(caller) itself: " + path.joined(separator: " → ")
    }

    /// The services from `name` to `goal`, each of which waits for the next.
    private func waitingPath(from name: String, to goal: String, _ seen: inout Set<String>) -> [String]? {
        if name == goal { return [name] }
        guard seen.insert(name).inserted, let runner = standing(for: name) else { return nil }
        for report in dependencies(of: runner.service) where !report.isMet {
            if let rest = waitingPath(from: report.service, to: goal, &seen) { return [name] + rest }
        }
        return nil
    }
}

/// How one of a service's dependencies stands.
public struct DependencyReport: Sendable, Equatable {
    public var service: String
    public var condition: Dependency.Condition
    public var state: ServiceState
    public var isMet: Bool
    /// It won't be met by itself, or not soon.
    public var isBlocked: Bool
    /// As `it waits for db to be ready; db is starting`.
    public var sentence: String

    init(_ service: String, _ condition: Dependency.Condition, _ machine: ServiceMachine) {
        self.service = service
        self.condition = condition
        let (state, reason) = machine.stateAndReason
        self.state = state
        let isRemote = machine.target == .remote
        let hasProcess = machine.slots.contains { $0.life.run?.pid != nil && $0.life.isRunning }
        isMet =
            switch condition {
            case .started: isRemote && machine.isWanted || hasProcess || state == .completed
            case .ready: state == .ready || state == .completed && machine.service.oneShot
            case .completed: state == .completed || isRemote && state == .ready
            }
        switch state {
        case .stopped, .failed, .unready, .unreachable: isBlocked = true
        case .pending:
            if case .blocked = machine.dependencies { isBlocked = true } else { isBlocked = false }
        case .completed: isBlocked = !isMet
        case .building, .starting, .ready, .stopping: isBlocked = false
        }
        let goal =
            switch condition {
            case .started: "be started"
            case .ready: "be ready"
            case .completed: "have completed"
            }
        sentence = "it waits for \(service) to \(goal); \(service) is \(state.rawValue)"
        if isBlocked, !isMet, let reason { sentence += ": \(reason)" }
    }
}

extension ServiceMachine {
    /// Whether a dependent need not have it started.
    var isUpOrOnItsWay: Bool {
        guard isWanted else { return false }
        switch stateAndReason.state {
        case .stopped: return false
        case .failed:
            // A retry may come, or not at all.
            return service.restart != .never
        default: return true
        }
    }
}
