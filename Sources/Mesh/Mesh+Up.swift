import Control
import EventLoop
import Gateway
import Logs
import Manifest
import Plan
import Platform
import Project
import Proxy
import Supervisor

/// Another `up` while the mesh is up.
extension Mesh {
    func up(_ request: UpRequest, _ call: ControlCall, done: @escaping Done<UpReport>) {
        guard isRunning(done) else { return }
        do throws(MeshError) {
            var planned = try Planned(
                project, places: places, services: request.services, local: request.local, environment: request.env,
                kernel: loop.kernel)
            let isWhole = request.services == nil && request.local == nil
            let selected = planned.plan.services.map(\.name).filter { planned.selection[$0] != .idle }
            if !isWhole { planned.selection = merged(planned.selection) }
            try checkFree(planned)
            func answer(_ report: UpReport) {
                var report = report
                report.selected = selected
                done(.success(report))
            }
            if request.dryRun { return answer(forecast(planned)) }
            let waits = request.wait
            try take(planned, .up(movesAll: request.local != nil)) { report in
                if waits { answer(report) }
            } began: { report in
                if !waits { answer(report) }
            }
            environment = request.env
            selectsAll = selectsAll || isWhole
            if watches.isOn != request.watch {
                watches.isOn = request.watch
                syncWatches()
            }
        } catch { done(.failure(ControlFailure(error))) }
    }

    func checkFree(_ planned: Planned) throws(MeshError) {
        // Those of services on their way out are open still.
        let held = Set(plan.listeners.map(\.port) + proxy.specs.map(\.port))
        try planned.checkFree(project, places, besides: held, loop.kernel)
    }

    /// How far a new plan is taken up.
    enum Taking: Equatable {
        /// All that is selected is to be up.
        /// - Parameter movesAll: services are to be served from where the selection says.
        case up(movesAll: Bool)
        /// Only what differs is touched: what is stopped stays so.
        case follow
    }

    /// What `take` would do.
    private func forecast(_ planned: Planned) -> UpReport {
        var next = planned.plan
        keepRefs(of: plan, in: &next)
        let changes = Changes.between(plan, next)
        let restarted = changes.changed.filter { !isDown($0) }
        let wanted = next.services.map(\.name).filter { planned.selection[$0] != .idle }.map(targets.unit(of:))
        let started = wanted.filter { !restarted.contains($0) && isDown($0) }
        return UpReport(
            started: started, restarted: restarted, removed: changes.removed,
            unchanged: changes.unchanged.filter { next.service($0) != nil && !started.contains($0) })
    }

    /// Moves from the plan that is up to another, touching only what differs.
    /// - Parameters:
    ///   - done: called once all of it is ready or has failed.
    ///   - began: called before that, once it is under way.
    func take(
        _ planned: Planned, _ taking: Taking, done: @escaping (UpReport) -> Void, began: (UpReport) -> Void
    ) throws(MeshError) {
        let before = plan
        var planned = planned
        keepRefs(of: before, in: &planned.plan)
        let changes = Changes.between(before, planned.plan)
        let specs = Set(proxy.specs)
        let wanted = Set(planned.plan.frontSpecs)
        let ports = Set(wanted.map(\.port))
        // A port that goes from one service to another must be closed before it can be opened.
        let moved = specs.filter { !wanted.contains($0) && ports.contains($0.port) }
        for spec in moved { proxy.close(spec) }
        do throws(ProxyError) {
            try proxy.open(planned.plan.frontSpecs.filter { !specs.contains($0) })
        } catch {
            try? proxy.open(Array(moved))
            throw .failed(error.message)
        }

        plan = planned.plan
        selection = planned.selection
        proxy.setHosts(HostTable(plan))
        for planned in plan.services {
            adopt(planned)
            // The version that served it may have left the manifest; one that is new has not begun.
            if before.service(planned.name) == nil || plan.unit(targets.unit(of: planned.name)) == nil {
                point(to: startingTarget(planned).unit(of: planned.name))
            }
        }
        openToContainers()
        refreshRemotes(changes.changed)
        let wasRunning = Set(changes.changed.filter { !isDown($0) })

        var report = UpReport(removed: changes.removed, unchanged: changes.unchanged.filter { plan.service($0) != nil })
        report.restarted = changes.changed.filter(wasRunning.contains)
        // One for what `apply` does, one for what is begun below.
        var pending = 2
        func settle() {
            pending -= 1
            if pending == 0 { done(report) }
        }
        func note(_ name: String, _ outcome: Outcome) {
            switch outcome {
            case .done: break
            case .failed(let reason), .buildFailed(let reason):
                report.failed.append(ActionResult(service: name, ok: false, reason: masking(reason)))
            }
        }

        withFrontsHeld {
            supervisor.apply(
                added: changes.added.compactMap(plan.unit).map(entry),
                changed: changes.changed.compactMap(plan.unit).map(entry), removed: changes.removed
            ) { [self] outcomes in
                close(before)
                for name in changes.removed {
                    if let checkout = before.unit(name)?.service.checkout { removeWorktree(of: name, checkout) }
                }
                for (name, outcome) in outcomes.sorted(by: { $0.key < $1.key }) { note(name, outcome) }
                settle()
            }
            moveTargets(from: before, all: taking == .up(movesAll: true))
            report.started =
                serviceNames.filter { selection[$0] != .idle }.map(targets.unit(of:)) + pinnedUnits.sorted()
            report.started.removeAll { wasRunning.contains($0) || !isDown($0) }
            if taking == .follow { report.started.removeAll { !changes.added.contains($0) } }
            report.unchanged.removeAll(where: report.started.contains)
            pending += report.started.count
            startServices(report.started) { name, outcome in
                note(name, outcome)
                settle()
            }
            for planned in plan.services { settleRoute(planned) }
        }
        settleWaiters()
        tellStates()
        publish()
        syncWatches()
        began(report)
        settle()
    }

    /// Tells the proxy where remotes are now: for the supervisor one is as good as another.
    private func refreshRemotes(_ changed: [String]) {
        for unit in changed where fronts[unit] == .remote { frontChanged(unit, to: .remote) }
    }

    /// Whether it is stopped, or about to be: to start what is only between two processes does no harm.
    private func isDown(_ name: String) -> Bool {
        guard let state = supervisor.status(name)?.state else { return true }
        return state == .stopped || state == .stopping
    }

    /// `up A` beside what runs: it adds to what is selected, and leaves nothing out that runs.
    private func merged(_ new: Selection) -> Selection {
        var merged = new
        merged.roles = new.roles.map { name, role in (name, role == .idle ? selection[name] : role) }
        return merged
    }

    /// Has services served from where they are to be by now: with `--local A,B` all of them, else those whose `target`
    /// in the manifest has changed.
    private func moveTargets(from before: Plan, all: Bool) {
        for planned in plan.services where selection[planned.name] != .idle {
            let wanted = startingTarget(planned)
            let hasChanged = before.service(planned.name).map { $0.service.target != planned.service.target } ?? false
            guard all || hasChanged, wanted != currentTarget(planned) else { continue }
            move(planned, to: wanted, keep: false) { [self] outcome in
                switch outcome {
                case .done: break
                case .failed(let reason), .buildFailed(let reason): hooks.notice(masking(reason))
                }
            }
        }
    }

    /// The git refs that commands chose are versions of the next plan as well.
    private func keepRefs(of before: Plan, in next: inout Plan) {
        for service in before.services {
            for version in service.service.versions where version.isRef {
                next.addVersion(git: version.name, to: service.name)
            }
        }
        project.placeCheckouts(in: &next, kernel: loop.kernel)
    }

    /// Closes the addresses that the plan before had and the present one hasn't.
    private func close(_ before: Plan) {
        for unit in before.units where plan.unit(unit.name) == nil {
            if let version = UnitName.version(of: unit.name) { proxy.remove(unit.serviceName, target: version) }
        }
        let specs = Set(plan.frontSpecs)
        let names = Set(serviceNames)
        for spec in before.frontSpecs where !specs.contains(spec) {
            if let service = spec.service, !names.contains(service) {
                proxy.remove(service: service)
                routes[service] = nil
            } else {
                proxy.close(spec)
            }
        }
    }
}
