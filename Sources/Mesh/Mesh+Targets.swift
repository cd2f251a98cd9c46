import EventLoop
import Logs
import Manifest
import Plan
import Project
import Proxy
import Supervisor

/// Which target serves a service, and how it becomes another.
///
///     move: start the new one ─▶ flip: front, dependents ─▶ leave: the old one, 30 s later ─▶ drop
extension Mesh {
    /// How long a target that is no longer used stays up.
    private static let linger = Duration.seconds(30)

    /// Where a service starts out: what was chosen earlier, else what this `up` and the manifest say.
    func startingTarget(_ planned: ServicePlan) -> Target {
        if let chosen = choices.targets[planned.name].flatMap({ planned.service.target($0.name) }) { return chosen }
        return selection[planned.name].target ?? planned.service.target
    }

    /// What serves a service now.
    func currentTarget(_ planned: ServicePlan) -> Target {
        if targets.keepsRemote(planned.name) { return .remote }
        if let version = targets.version(of: planned.name) {
            return planned.service.target(version) ?? .version(version)
        }
        return supervisor.status(planned.name)?.targetsRemote == true ? .remote : .local
    }

    /// The unit that a command means: `members` is what serves members now, `members@next` that version.
    func unit(_ name: String) -> ServicePlan? {
        guard UnitName.version(of: name) == nil, let planned = plan.service(name) else { return plan.unit(name) }
        return plan.unit(targets.unit(of: planned.name))
    }

    /// Has a service served from another target, which is started before; `done` may be called at once.
    /// - Parameter keep: what served until then is not stopped.
    func move(_ planned: ServicePlan, to target: Target, keep: Bool, _ done: @escaping Supervisor.Completion) {
        let (service, unit) = (planned.name, target.unit(of: planned.name))
        moves[service] = unit
        lingering.removeValue(forKey: unit)?.cancel()
        let wasWanted = supervisor.isWanted(unit)
        let finish: Supervisor.Completion = { [unowned self] outcome in
            let isLatest = moves[service] == unit
            if outcome == .done, isLatest {
                targets.keepRemote(service, false)
                flip(to: unit, target, keep: keep)
                applyRoute(service)
            } else if !targets.isInUse(unit) {
                wasWanted ? leave(unit) : drop(unit)
            }
            let isOvertaken = outcome == .done && !isLatest
            done(isOvertaken ? .failed(Sentences.overtaken(service, currentTarget(planned).name)) : outcome)
        }
        do throws(SupervisorError) {
            switch target {
            case .local: try supervisor.use(unit, .local, keep: keep, finish)
            case .remote: try supervisor.use(unit, .remote, keep: keep, finish)
            case .version, .git: try supervisor.start(unit, finish)
            }
        } catch { finish(.failed(error.description)) }
    }

    /// Makes a unit that is up the one that serves its service.
    private func flip(to unit: String, _ target: Target, keep: Bool) {
        let service = UnitName.service(of: unit)
        let former = targets.unit(of: service)
        guard former != unit else { return }
        point(to: unit)
        tell(service, "switched", target.name)
        settleWaiters()
        if !keep { leave(former) }
    }

    /// Makes a unit the one that serves its service; `applyRoute` then tells the proxy.
    func point(to unit: String) {
        let service = UnitName.service(of: unit)
        targets.use(unit)
        tellStates()
        supervisor.stand(unit == service ? nil : unit, for: service)
    }

    /// Stops what serves nobody any more, a while later; what is still answering then gets as long again.
    func leave(_ unit: String) {
        guard !isNeeded(unit) else { return }
        lingering[unit]?.cancel()
        lingering[unit] = loop.after(Self.linger) { [unowned self] in
            lingering[unit] = nil
            isBusy(unit) ? leave(unit) : drop(unit)
        }
    }

    private func isBusy(_ unit: String) -> Bool {
        let service = UnitName.service(of: unit)
        return supervisor.status(unit)?.instances.contains { instance in
            guard let generation = instance.generation else { return false }
            let run = RunKey(instance: instance.number, generation: generation)
            return proxy.activeConnections(service, instance: processID(unit, run)) > 0
        } ?? false
    }

    /// Stops what is not in use, and takes away what was made for it.
    func drop(_ unit: String) {
        guard case .running = phase, !isNeeded(unit) else { return }
        do throws(SupervisorError) {
            try supervisor.stop(unit) { [unowned self] _ in loop.later { [unowned self] in clear(unit) } }
        } catch {}
    }

    /// Takes away what was made for a version that is down and not in use: its worktree, and the version itself where
    /// only a command named it.
    func clear(_ unit: String) {
        guard case .running = phase, let service = plan.unit(unit)?.service, let checkout = service.checkout,
            !isNeeded(unit), !supervisor.isWanted(unit)
        else { return }
        removeWorktree(of: unit, checkout)
        guard let index = plan.services.firstIndex(where: { $0.name == UnitName.service(of: unit) }) else { return }
        let versions = plan.services[index].service.versions
        guard versions.contains(where: { $0.isRef && $0.service.name == unit }) else { return }
        plan.services[index].service.versions = versions.filter { $0.service.name != unit }
        fronts[unit] = nil
        if let version = UnitName.version(of: unit) { proxy.remove(UnitName.service(of: unit), target: version) }
        choices.instances[unit] = nil
        supervisor.apply(added: [], changed: [], removed: [unit]) { _ in }
    }

    func removeWorktree(of unit: String, _ checkout: Checkout) {
        supervisor.remove(checkout, plan.inherited) { [unowned self] in
            tell(unit, "worktree-removed", checkout.worktree)
        }
    }

    /// Adds a version that is made of a git ref, once it is known that there is one; `done` gets why not.
    func addVersion(git ref: String, to planned: ServicePlan, _ done: @escaping (String?) -> Void) {
        guard planned.service.run != nil else { return done("\(planned.name) has no `run` command") }
        if case .fixed(let port) = planned.service.listens { return done(Sentences.refInsists(planned.name, port)) }
        guard Checkout.isRef(ref) else { return done("\(ref) is no git ref") }
        let unit = UnitName.of(planned.name, version: ref)
        func adding(_ plan: Plan) -> Plan {
            var plan = plan
            plan.addVersion(git: ref, to: planned.name)
            project.placeCheckouts(in: &plan, kernel: loop.kernel)
            return plan
        }
        guard let checkout = adding(plan).unit(unit)?.service.checkout else { return done("it is gone") }
        supervisor.check(checkout, plan.inherited) { [self] why in
            if let why { return done(why) }
            plan = adding(plan)
            guard let added = plan.unit(unit), case .running = phase else { return done("the mesh has changed") }
            logs.setLimit(unit, added.service.logs.size)
            // It may be there, or on its way out.
            supervisor.apply(added: [entry(added)], changed: [], removed: []) { _ in }
            done(nil)
        }
    }

    /// Versions that callers of this `up` insist on (`"uses": ["members@next"]`), which are up whatever else serves.
    var pinnedUnits: Set<String> {
        let edges = plan.services.filter { selection[$0.name] != .idle }.flatMap(\.edges)
        return Set(
            edges.compactMap { edge in
                guard case .version = edge.pinned else { return nil }
                return edge.pinned?.unit(of: edge.target)
            })
    }

    // MARK: Fronts

    func frontChanged(_ unit: String, to front: ServiceFront) {
        fronts[unit] = front
        if heldFronts != nil { heldFronts?.insert(unit) } else { show(unit) }
    }

    /// Lets the fronts change only once `body` is through: nobody should be told that a service is stopped which is
    /// about to start.
    func withFrontsHeld<T>(_ body: () -> T) -> T {
        heldFronts = []
        let result = body()
        let changed = heldFronts ?? []
        heldFronts = nil
        for unit in changed { show(unit) }
        return result
    }

    /// Tells the proxy what it does now with what goes to a unit.
    func show(_ unit: String) {
        guard heldFronts == nil else {
            heldFronts?.insert(unit)
            return
        }
        guard let front = fronts[unit], plan.unit(unit) != nil else { return }
        let service = UnitName.service(of: unit)
        let state = proxyState(unit, front)
        if let version = UnitName.version(of: unit) {
            proxy.set(service, target: version, state)
        } else {
            // Its processes, if it has some, go on serving those who were sent to them before.
            let isRemote = front == .remote
            proxy.set(service, target: (isRemote ? Target.remote : .local).name, state)
            if isRemote == remoteFronts.contains(service) { return }
            if isRemote { remoteFronts.insert(service) } else { remoteFronts.remove(service) }
            applyRoute(service)
        }
    }

    /// The supervisor's words in the proxy's.
    private func proxyState(_ unit: String, _ front: ServiceFront) -> FrontState {
        switch front {
        case .hold(let bound, let reason): return .hold(bound: bound, reason: masking(reason))
        case .answer(let reason): return .answer(reason: masking(whyPartIsAnswered(unit) ?? reason))
        case .pass(let backends, let whenRefused, let areReady):
            let targets = backends.map {
                Backend(
                    instance: processID(unit, $0.run), name: instanceID(unit, $0.run.instance), host: $0.host,
                    port: $0.port)
            }
            return .pass(targets, whenRefused: masking(whenRefused), areReady: areReady)
        case .remote:
            guard let remote = plan.service(unit)?.service.remote else {
                return .answer(reason: "\(unit) has no remote any more; `devmesh use \(unit) local` runs it here.")
            }
            return .remote(RemoteTarget(remote))
        }
    }
}
