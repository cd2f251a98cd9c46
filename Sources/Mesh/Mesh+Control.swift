import Control
import EventLoop
import Gateway
import Logs
import Manifest
import Plan
import Platform
import Project
import Supervisor

/// What the control API asks.
extension Mesh: ControlBackend {
    func mesh(_ call: ControlCall, done: @escaping Done<MeshInfo>) {
        done(
            .success(
                MeshInfo(
                    name: plan.displayName, project: project.directory, manifest: project.manifest,
                    pid: Int(ThisProcess.id), startedAt: startedAt.rfc3339(), version: options.version,
                    gateway: plan.gatewayPort,
                    socket: project.socket(places))))
    }

    func services(_ call: ControlCall, done: @escaping Done<[ServiceStatus]>) {
        measured { [unowned self] usage in done(.success(plan.services.compactMap { row($0, usage) })) }
    }

    func service(_ name: String, _ call: ControlCall, done: @escaping Done<ServiceStatus>) {
        guard let planned = known(plan.unit(name), name, done) else { return }
        measured { [unowned self] usage in
            guard let row = known(row(planned, usage), name, done) else { return }
            done(.success(row))
        }
    }

    func why(_ name: String, _ call: ControlCall, done: @escaping Done<ServiceWhy>) {
        guard let planned = known(unit(name), name, done) else { return }
        logs.recent(planned.name, count: 10, on: loop.remote) { [bound = LoopBound((self, done), loop)] _, lines in
            let (mesh, done) = bound.value
            guard let status = mesh.known(mesh.supervisor.status(planned.name), name, done) else { return }
            done(
                .success(
                    ServiceWhy(
                        service: mesh.shown(name, planned), state: status.state.rawValue,
                        reason: status.reason.map { mesh.masking($0) },
                        details: mesh.details(planned, status).filter { $0 != status.reason }.map { mesh.masking($0) },
                        lastLines: lines.map { mesh.masking($0.text) })))
        }
    }

    func environment(of name: String, _ call: ControlCall, done: @escaping Done<ServiceEnvironment>) {
        guard let planned = known(unit(name), name, done) else { return }
        let port = supervisor.status(planned.name)?.instances.first?.port
        let environment = plan.environment(of: planned, privatePort: port, isInside: false)
        done(.success(ServiceEnvironment(env: environment.values, directory: planned.service.directory)))
    }

    func ports(_ call: ControlCall, done: @escaping Done<[PortEntry]>) {
        done(.success(plan.listeners.map(PortEntry.init)))
    }

    func logs(_ call: ControlCall, done: @escaping Done<StoredLogs>) {
        let folder = project.logsFolder
        let bound = LoopBound(done, loop)
        logs.caughtUp(on: loop.remote) { _ in bound.value(.success(StoredLogs(folder: folder))) }
    }

    func perform(
        _ action: ServiceAction, _ request: ActionRequest, _ call: ControlCall, done: @escaping Done<ActionReport>
    ) {
        guard isRunning(done) else { return }
        var wanted: [(name: String, unit: String)] = []
        for name in request.services {
            guard let planned = known(unit(name), name, done) else { return }
            guard !wanted.contains(where: { $0.unit == planned.name }) else { continue }
            wanted.append((shown(name, planned), planned.name))
        }
        gather(wanted, action: action, waits: request.wait) { done(.success(ActionReport(results: $0))) }
        // A service is up when all are that its requests go to.
        guard action == .start || action == .restart else { return }
        for name in request.services { plan.service(name).map(startRouted) }
    }

    func use(_ name: String, _ request: UseRequest, _ call: ControlCall, done: @escaping Done<ActionResult>) {
        guard isRunning(done), let planned = known(plan.service(name), name, done) else { return }
        switch request {
        case .reset: use(planned, planned.service.target, keep: false, isReset: true, done)
        case .target(let wanted, let keep):
            if let target = planned.service.target(wanted) {
                return use(planned, target, keep: keep, isReset: false, done)
            }
            if let why = whyNoRef(wanted, planned) { return done(.failure(.badRequest(why))) }
            addVersion(git: wanted, to: planned) { [unowned self] why in
                if let why { return done(.failure(noTarget(wanted, planned, why))) }
                use(planned, .git(wanted), keep: keep, isReset: false, done)
            }
        }
    }

    /// Why no git ref can stand for a target that a service lacks; nil where one may.
    func whyNoRef(_ target: String, _ planned: ServicePlan) -> String? {
        let key = [Target.local: "run", .remote: "remote"][Target(text: target.lowercased())]
        return key.map { Sentences.lacksTarget(planned.name, target, $0) }
    }

    private func use(
        _ planned: ServicePlan, _ target: Target, keep: Bool, isReset: Bool, _ done: @escaping Done<ActionResult>
    ) {
        let begin = { [self] (_: String, done: @escaping Supervisor.Completion) throws(SupervisorError) in
            move(planned, to: target, keep: keep, done)
        }
        let number = askToReroute(planned.name)
        command(planned.name, of: target.unit(of: planned.name), begin) { [unowned self] result in
            var result = result
            if result.ok {
                choices.targets[planned.name] = isReset ? nil : target
                // It replaces the route, also the manifest's, but for one that was asked for since.
                if reroutings[planned.name] == number {
                    let hasRoute = planned.service.routing != Routing()
                    choose(!isReset && hasRoute ? RouteRules() : nil, for: planned, keep: keep)
                    if isReset { settleRoute(planned) }
                }
                result.reason = keepChoices() ?? result.reason
            }
            done(.success(result))
        }
    }

    func scale(_ name: String, _ request: ScaleRequest, _ call: ControlCall, done: @escaping Done<ActionResult>) {
        guard isRunning(done), let planned = known(unit(name), name, done) else { return }
        command(
            shown(name, planned), of: planned.name,
            { (name, done) throws(SupervisorError) in
                try supervisor.scale(name, to: request.instances, done)
            }
        ) { [unowned self] result in
            var result = result
            if result.ok {
                let isManifests = request.instances == planned.service.instances
                choices.instances[planned.name] = isManifests ? nil : request.instances
                result.reason = keepChoices() ?? result.reason
            }
            done(.success(result))
        }
    }

    func wait(_ request: WaitRequest, _ call: ControlCall, done: @escaping Done<WaitReport>) {
        var names: [String] = []
        for name in request.services {
            guard let planned = known(unit(name), name, done) else { return }
            names.append(shown(name, planned))
        }
        let waiter = Waiter(
            services: names, condition: request.condition, timeout: request.timeout.map { .milliseconds($0) }, on: loop
        ) { [unowned self] timedOut in
            let outcomes = names.map { name in
                let status = status(of: name)
                return WaitReport.Outcome(
                    service: name, reached: status.map { request.condition.isMet(by: $0.state) } ?? false,
                    state: status?.state.rawValue ?? "stopped", reason: status?.reason.map { masking($0) })
            }
            done(.success(WaitReport(timedOut: timedOut, services: outcomes)))
        }
        call.onCancel = { [weak self, weak waiter] in
            waiter?.forget()
            self?.waiters.removeAll { !$0.isWaiting }
        }
        waiters.append(waiter)
        settleWaiters()
    }

    func down(_ call: ControlCall, done: @escaping Done<DownReport>) {
        stop { [self] stopped in
            done(.success(DownReport(stopped: stopped, left: left)))
        }
    }

    // MARK: Pieces

    /// Tells those whose condition has come true, or won't.
    func settleWaiters() {
        let isOver = if case .ended = phase { true } else { false }
        for waiter in waiters where waiter.isWaiting {
            let isMet = waiter.services.allSatisfy { name in
                status(of: name).map { waiter.condition.isMet(by: $0.state) } ?? false
            }
            // What is no longer in the manifest comes to nothing.
            let isInVain = isOver || waiter.services.contains { plan.unit($0) == nil }
            if isMet || isInVain { waiter.end(timedOut: false) }
        }
        waiters.removeAll { !$0.isWaiting }
    }

    /// How that stands which a command means by `name`.
    private func status(of name: String) -> ServiceSnapshot? {
        unit(name).flatMap { supervisor.status($0.name) }
    }

    /// How an answer calls what was asked about by `name`: a service as such, or one of its units.
    private func shown(_ name: String, _ unit: ServicePlan) -> String {
        guard UnitName.version(of: name) != nil else { return unit.serviceName }
        return UnitName.of(unit.serviceName, version: UnitName.version(of: unit.name) ?? Target.local.name)
    }

    /// Runs one command on each of several units at once; the results come in their order, under their names.
    private func gather(
        _ wanted: [(name: String, unit: String)], action: ServiceAction, waits: Bool,
        done: @escaping ([ActionResult]) -> Void
    ) {
        var results: [String: ActionResult] = [:]
        var isAnswered = false
        for (name, unit) in wanted {
            let begin: (String, @escaping Supervisor.Completion) throws(SupervisorError) -> Void =
                switch action {
                case .start: { (name, done) throws(SupervisorError) in try self.supervisor.start(name, done) }
                case .stop: { (unit, done) throws(SupervisorError) in try self.stop(unit, name: name, done) }
                case .restart: { (name, done) throws(SupervisorError) in try self.supervisor.restart(name, done) }
                case .build: { (name, done) throws(SupervisorError) in try self.supervisor.build(name, done) }
                }
            command(name, of: unit, begin) { result in
                results[unit] = result
                guard results.count == wanted.count, !isAnswered else { return }
                isAnswered = true
                done(wanted.compactMap { results[$0.unit] })
            }
        }
        if !waits, !isAnswered {
            isAnswered = true
            done(wanted.map { results[$0.unit] ?? ActionResult(service: $0.name, ok: true) })
        }
    }

    /// Stops a unit; with the name of a service, what runs of the service besides, too.
    private func stop(_ unit: String, name: String, _ done: @escaping Supervisor.Completion) throws(SupervisorError) {
        let besides =
            UnitName.version(of: name) == nil
            ? plan.units.filter { $0.serviceName == name && $0.name != unit && supervisor.isWanted($0.name) } : []
        var left = besides.count + 1
        var failure: Outcome?
        let settle: (String) -> Supervisor.Completion = { stopped in
            { [unowned self] outcome in
                if outcome != .done { failure = failure ?? outcome }
                loop.later { [unowned self] in clear(stopped) }
                left -= 1
                if left == 0 { done(failure ?? .done) }
            }
        }
        for planned in besides { try supervisor.stop(planned.name, settle(planned.name)) }
        try supervisor.stop(unit, settle(unit))
    }

    /// Runs a command of the supervisor; a failed build's output comes with the result.
    /// - Parameter name: what the result is about, in the user's words.
    func command(
        _ name: String, of unit: String,
        _ begin: (String, @escaping Supervisor.Completion) throws(SupervisorError) -> Void,
        done: @escaping (ActionResult) -> Void
    ) {
        do throws(SupervisorError) {
            try begin(unit) { [unowned self] outcome in
                switch outcome {
                case .done: done(ActionResult(service: name, ok: true))
                case .failed(let reason): done(ActionResult(service: name, ok: false, reason: masking(reason)))
                case .buildFailed(let reason):
                    buildOutput(unit) { [unowned self] output in
                        done(ActionResult(service: name, ok: false, reason: masking(reason), output: output))
                    }
                }
            }
        } catch { done(ActionResult(service: name, ok: false, reason: error.description)) }
    }

    /// What the latest build printed, at most so many lines.
    private func buildOutput(_ name: String, done: @escaping (String) -> Void) {
        let began = buildsBegan[name]?.rfc3339() ?? ""
        logs.recent(name, count: 200, streams: [.build], on: loop.remote) {
            [bound = LoopBound((self, done), loop)] _, lines in
            let (mesh, done) = bound.value
            done(mesh.masking(lines.filter { $0.time >= began }.map { $0.text + "\n" }.joined()))
        }
    }

    /// False once it was answered that the mesh is going down.
    func isRunning<Answer>(_ done: Done<Answer>) -> Bool {
        if case .running = phase { return true }
        done(.failure(.stopping(plan.displayName)))
        return false
    }

    /// What was found by a service's name; where nothing was, nil once that was answered.
    func known<Found, Answer>(_ found: Found?, _ name: String, _ done: Done<Answer>) -> Found? {
        if found == nil { done(.failure(.unknownService(name, known: serviceNames))) }
        return found
    }

    func noTarget(_ wanted: String, _ planned: ServicePlan, _ why: String) -> ControlFailure {
        .unknownTarget(wanted, planned.name, known: planned.service.targets.map(\.name), why: masking(why))
    }

    /// Writes down what was chosen; a sentence where that failed.
    func keepChoices() -> String? {
        do throws(ProjectError) {
            try choices.write(project, kernel: loop.kernel)
            return nil
        } catch { return Sentences.choicesNotKept(error) }
    }
}
