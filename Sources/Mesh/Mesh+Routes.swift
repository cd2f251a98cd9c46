import Control
import EventLoop
import Gateway
import JSON
import Manifest
import Plan
import Platform
import Project
import Proxy
import Supervisor

/// Which targets a service's requests go to, and what is made to go wrong with them.
///
///     rules: what `route` chose, else the manifest's ─▶ Route ─▶ the proxy
///     a new route: start what it needs ─▶ apply ─▶ leave what nobody needs any more
extension Mesh {
    // MARK: What holds

    /// What `devmesh route` chose, else what the manifest says, in so far as there are such targets and callers.
    func rules(of planned: ServicePlan) -> RouteRules {
        if let chosen = chosenRules(of: planned) { return spelled(chosen, planned) }
        // `up --local` says where all requests go.
        let role = selection[planned.name].target
        guard role == nil || role == planned.service.target else { return RouteRules() }
        return spelled(RouteRules(planned.service.routing), planned)
    }

    private func chosenRules(of planned: ServicePlan) -> RouteRules? {
        choices.routes[planned.name].flatMap { try? RouteRules(json: $0) }
    }

    private func spelled(_ rules: RouteRules, _ planned: ServicePlan) -> RouteRules {
        rules.spelled(target: { planned.service.target($0)?.name }, caller: { plan.service($0)?.name })
    }

    func faultRules(of planned: ServicePlan) -> [FaultRule] {
        choices.faults[planned.name].flatMap { try? FaultRule.list($0) } ?? []
    }

    private func route(of planned: ServicePlan) -> Route {
        let pins = plan.services.flatMap(\.edges).filter { $0.target == planned.name }.compactMap { edge in
            edge.pinned.map { (caller: edge.caller, target: $0.name) }
        }
        return Route(rules(of: planned), inUse: currentTarget(planned).name, pins: pins)
    }

    /// Tells the proxy where a service's requests go from now on.
    func applyRoute(_ service: String) {
        guard let planned = plan.service(service) else { return }
        let route = route(of: planned)
        guard routes[service] != route else { return }
        routes[service] = route
        proxy.setRoute(service, route)
        // What those say that are stopped depends on the route.
        for version in planned.service.versions {
            if case .answer = fronts[version.service.name] { show(version.service.name) }
        }
    }

    /// Tells the proxy what goes wrong with a service's requests from now on.
    func applyFaults(_ service: String) {
        guard let planned = plan.service(service) else { return }
        proxy.setFaults(service, faultRules(of: planned).map { Fault($0) })
    }

    /// Whether requests go to a unit, be it only some of them.
    func isNeeded(_ unit: String) -> Bool {
        let service = UnitName.service(of: unit)
        return targets.isInUse(unit) || pinnedUnits.contains(unit) || routedUnits(of: service).contains(unit)
    }

    private func routedUnits(of service: String) -> Set<String> {
        plan.service(service).map { units(of: rules(of: $0), $0) } ?? []
    }

    private func units(of rules: RouteRules, _ planned: ServicePlan) -> Set<String> {
        let targets = rules.targets.compactMap(planned.service.target)
        return Set(targets.filter { $0 != .remote }.map { $0.unit(of: planned.name) })
    }

    /// Why what a route sends to a unit is answered, where that is because somebody has stopped it beside the target in
    /// use: nobody else gets those requests, for they may have asked for that target. Nil where it is not so.
    func whyPartIsAnswered(_ unit: String) -> String? {
        let service = UnitName.service(of: unit)
        guard !supervisor.isWanted(unit), !targets.isInUse(unit), let planned = plan.service(service),
            routedUnits(of: service).contains(unit)
        else { return nil }
        let manifests = units(of: RouteRules(planned.service.routing), planned)
        return Sentences.partIsStopped(
            unit == service ? UnitName.of(service, version: Target.local.name) : unit, service,
            inUse: currentTarget(planned).name, isManifests: manifests.contains(unit))
    }

    private func routedTargets(of planned: ServicePlan) -> [Target] {
        rules(of: planned).targets.compactMap(planned.service.target)
    }

    // MARK: What changes

    /// Applies what holds by now and starts what that needs, as after the manifest was read.
    func settleRoute(_ planned: ServicePlan) {
        applyRoute(planned.name)
        applyFaults(planned.name)
        if selection[planned.name] != .idle { startRouted(planned) }
    }

    /// Starts what of a service's targets is not up beside the one in use.
    func startRouted(_ planned: ServicePlan) {
        start(routedTargets(of: planned), of: planned) { [self] outcome in
            switch outcome {
            case .done: break
            case .failed(let reason), .buildFailed(let reason): hooks.notice(masking(reason))
            }
        }
    }

    /// Has other rules hold for a service, once what they need is up; until then, and where that fails, the present
    /// ones do. `rules` nil: the manifest's.
    private func change(_ planned: ServicePlan, to rules: RouteRules?, _ done: @escaping (ActionResult) -> Void) {
        let service = planned.name
        let needed = spelled(rules ?? RouteRules(planned.service.routing), planned).targets
            .compactMap(planned.service.target)
        let number = askToReroute(service)
        let others = needed.filter { $0 != .remote }.map { $0.unit(of: service) }.filter { !isNeeded($0) }
        let fresh = others.filter { !supervisor.isWanted($0) }
        let begin: (String, @escaping Supervisor.Completion) throws(SupervisorError) -> Void = { [self] _, finish in
            start(needed, of: planned) { [self] outcome in
                guard outcome == .done, reroutings[service] == number else {
                    for unit in others { fresh.contains(unit) ? drop(unit) : leave(unit) }
                    settlePlace(planned)
                    return finish(outcome == .done ? .failed(Sentences.routedMeanwhile(service)) : outcome)
                }
                choose(rules, for: planned)
                finish(.done)
            }
        }
        command(service, of: fresh.first ?? service, begin) { [self] result in
            var result = result
            if result.ok { result.reason = keepChoices() ?? result.reason }
            done(result)
        }
    }

    /// - Returns: what `reroutings` says until it is asked again.
    func askToReroute(_ service: String) -> Int {
        let number = reroutings[service, default: 0] + 1
        reroutings[service] = number
        return number
    }

    /// Makes rules those that hold. What they need is up.
    /// - Parameter keep: what they no longer need is not stopped.
    func choose(_ rules: RouteRules?, for planned: ServicePlan, keep: Bool = false) {
        let before = routedUnits(of: planned.name)
        choices.routes[planned.name] = rules?.json
        let refs = (rules?.targets ?? []).compactMap(planned.service.target).compactMap { target in
            if case .git(let ref) = target { ref } else { nil }
        }
        choices.refs[planned.name] = refs.isEmpty ? nil : refs
        applyRoute(planned.name)
        settlePlace(planned)
        for unit in before where !keep && !isNeeded(unit) { leave(unit) }
    }

    /// Starts targets that are not up; `done` gets the first failure, once all is over.
    private func start(_ wanted: [Target], of planned: ServicePlan, _ done: @escaping Supervisor.Completion) {
        let service = planned.name
        var left = 1
        var failure: Outcome?
        let settle: Supervisor.Completion = { outcome in
            if outcome != .done { failure = failure ?? outcome }
            left -= 1
            if left == 0 { done(failure ?? .done) }
        }
        for target in wanted where target != .remote {
            let unit = target.unit(of: service)
            lingering.removeValue(forKey: unit)?.cancel()
            let isElsewhere = target == .local && supervisor.status(unit)?.targetsRemote == true
            guard isElsewhere || !supervisor.isWanted(unit) else { continue }
            left += 1
            do throws(SupervisorError) {
                if isElsewhere {
                    // Its processes run from now on, while its requests go on to the remote.
                    if currentTarget(planned) == .remote { targets.keepRemote(service, true) }
                    try supervisor.use(unit, .local, settle)
                } else {
                    try supervisor.start(unit, settle)
                }
            } catch { settle(.failed(error.description)) }
        }
        settle(.done)
    }

    /// Lets a service be served by its remote alone again where nobody needs its processes any more.
    private func settlePlace(_ planned: ServicePlan) {
        guard targets.keepsRemote(planned.name), !routedTargets(of: planned).contains(.local) else { return }
        targets.keepRemote(planned.name, false)
        try? supervisor.use(planned.name, .remote)
    }

    // MARK: What the control API asks

    func route(of name: String, _ call: ControlCall, done: @escaping Done<RouteStatus>) {
        guard let planned = known(plan.service(name), name, done) else { return }
        done(
            .success(
                RouteStatus(
                    service: planned.name, target: currentTarget(planned).name,
                    source: choices.routes[planned.name] == nil ? .manifest : .command, rules: rules(of: planned))))
    }

    func changeRoute(of name: String, _ change: RouteChange, _ call: ControlCall, done: @escaping Done<ActionResult>) {
        guard isRunning(done), let planned = listening(name, done) else { return }
        if let reason = refusal(of: change.rules, for: planned) { return done(.failure(.badRequest(reason))) }
        addRefs(change.rules.targets.filter { planned.service.target($0) == nil }[...], to: planned.name) {
            [self] why in
            if let why { return done(.failure(why)) }
            guard isRunning(done), let planned = known(plan.service(planned.name), name, done) else { return }
            let present = change.clear ? RouteRules(planned.service.routing) : rules(of: planned)
            let rules = spelled(change.applied(to: present), planned)
            let isManifests = rules == spelled(RouteRules(planned.service.routing), planned)
            self.change(planned, to: isManifests ? nil : rules) { [self] result in
                if result.ok { tell(planned.name, "routed", rules.summary) }
                done(.success(result))
            }
        }
    }

    func faults(of name: String, _ call: ControlCall, done: @escaping Done<[FaultRule]>) {
        guard let planned = known(plan.service(name), name, done) else { return }
        done(.success(faultRules(of: planned)))
    }

    func changeFaults(of name: String, _ change: FaultChange, _ call: ControlCall, done: @escaping Done<ActionResult>) {
        guard isRunning(done), let planned = listening(name, done) else { return }
        var faults = faultRules(of: planned)
        switch change {
        case .clear(nil): faults = []
        case .clear(let caller?):
            guard let caller = known(plan.service(caller), caller, done) else { return }
            faults.removeAll { $0.caller == caller.name }
        case .set(var fault):
            if let caller = fault.caller {
                guard let known = known(plan.service(caller), caller, done) else { return }
                if let reason = whyNotTold(known, from: planned) { return done(.failure(.badRequest(reason))) }
                fault.caller = known.name
            }
            faults.removeAll { $0.caller == fault.caller }
            faults.append(fault)
        }
        choices.faults[planned.name] = faults.isEmpty ? nil : .array(faults.map(\.json))
        applyFaults(planned.name)
        tell(planned.name, "faults", faults.isEmpty ? "none" : faults.map(\.summary).joined(separator: "; "))
        done(.success(ActionResult(service: planned.name, ok: true, reason: keepChoices())))
    }

    /// Adds what are not targets yet as git refs, one after another.
    private func addRefs(
        _ names: ArraySlice<String>, to service: String, _ done: @escaping (ControlFailure?) -> Void
    ) {
        guard let name = names.first, let planned = plan.service(service) else { return done(nil) }
        if let why = whyNoRef(name, planned) { return done(.badRequest(why)) }
        addVersion(git: name, to: planned) { [self] why in
            if let why { return done(noTarget(name, planned, why)) }
            addRefs(names.dropFirst(), to: service, done)
        }
    }

    /// A service that has a front; nil once it was answered that it hasn't, or isn't there.
    private func listening(_ name: String, _ done: Done<ActionResult>) -> ServicePlan? {
        guard let planned = known(plan.service(name), name, done) else { return nil }
        if planned.front == nil { done(.failure(.badRequest(Sentences.listensNowhere(planned.name)))) }
        return planned.front == nil ? nil : planned
    }

    /// Why rules can't hold for a service, whatever its targets.
    private func refusal(of rules: RouteRules, for planned: ServicePlan) -> String? {
        for caller in rules.callers {
            guard let known = plan.service(caller.service) else {
                return Sentences.noService(caller.service, serviceNames)
            }
            if let reason = whyNotTold(known, from: planned) { return reason }
        }
        let needsHTTP = !rules.headers.isEmpty || !rules.cookies.isEmpty || rules.mirror != nil
        return needsHTTP && planned.service.protocol == .tcp ? Sentences.routesNeedHTTP(planned.name) : nil
    }

    /// Why calls of one service to another can't be told from others; nil where they can.
    private func whyNotTold(_ caller: ServicePlan, from planned: ServicePlan) -> String? {
        caller.edges.contains { $0.target == planned.name } ? nil : Sentences.noEdge(caller.name, planned.name)
    }
}

extension FaultRule {
    /// For an event: `200 ms ± 50 ms, 503 for 10 % of reader`.
    var summary: String {
        var parts: [String] = []
        if delay > 0 || jitter > 0 {
            parts.append(
                Duration.milliseconds(delay).inWords
                    + (jitter > 0 ? " ± " + Duration.milliseconds(jitter).inWords : "") + " late")
        }
        if let abort { parts.append("answered with \(abort)") }
        if disconnect { parts.append("disconnected") }
        if let bytesPerSecond { parts.append("\(bytesPerSecond) bytes/s") }
        let part = percent == percent.rounded() ? String(Int(percent)) : String(percent)
        let who = caller.map { " of \($0)" } ?? ""
        return parts.joined(separator: ", ") + (percent < 100 || caller != nil ? " (\(part) %\(who))" : "")
    }
}
