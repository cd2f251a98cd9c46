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
                    pid: Int(ThisProcess.id), startedAt: startedAt.rfc3339(), version: options.version, gateway: nil,
                    socket: project.socket(places))))
    }

    func services(_ call: ControlCall, done: @escaping Done<[ServiceStatus]>) {
        measured { [unowned self] usage in done(.success(statuses.map { row($0.plan, $0.status, usage) })) }
    }

    func service(_ name: String, _ call: ControlCall, done: @escaping Done<ServiceStatus>) {
        guard let planned = known(plan.service(name), name, done) else { return }
        measured { [unowned self] usage in
            guard let status = known(supervisor.status(planned.name), name, done) else { return }
            done(.success(row(planned, status, usage)))
        }
    }

    func why(_ name: String, _ call: ControlCall, done: @escaping Done<ServiceWhy>) {
        guard let planned = known(plan.service(name), name, done) else { return }
        logs.recent(planned.name, count: 10, on: loop.remote) { [bound = LoopBound((self, done), loop)] _, lines in
            let (mesh, done) = bound.value
            guard let status = mesh.known(mesh.supervisor.status(planned.name), name, done) else { return }
            done(
                .success(
                    ServiceWhy(
                        service: planned.name, state: status.state.rawValue,
                        reason: status.reason.map { mesh.masking($0) },
                        details: mesh.details(planned, status).map { mesh.masking($0) },
                        lastLines: lines.map { mesh.masking($0.text) })))
        }
    }

    func environment(of name: String, _ call: ControlCall, done: @escaping Done<ServiceEnvironment>) {
        guard let planned = known(plan.service(name), name, done) else { return }
        let port = supervisor.status(planned.name)?.instances.first?.port
        let environment = plan.environment(of: planned, privatePort: port)
        done(.success(ServiceEnvironment(env: environment.values, directory: planned.service.directory)))
    }

    func ports(_ call: ControlCall, done: @escaping Done<[PortEntry]>) {
        done(.success(plan.listeners.map(PortEntry.init)))
    }

    func perform(
        _ action: ServiceAction, _ request: ActionRequest, _ call: ControlCall, done: @escaping Done<ActionReport>
    ) {
        guard isRunning(done) else { return }
        var names: [String] = []
        for name in request.services {
            guard let planned = known(plan.service(name), name, done) else { return }
            if !names.contains(planned.name) { names.append(planned.name) }
        }
        gather(names, action: action, waits: request.wait) { done(.success(ActionReport(results: $0))) }
    }

    func use(_ name: String, _ request: UseRequest, _ call: ControlCall, done: @escaping Done<ActionResult>) {
        guard isRunning(done), let planned = known(plan.service(name), name, done) else { return }
        let target: Target
        let keeps: Bool
        switch request {
        case .reset: (target, keeps) = (planned.service.target, false)
        case .target(let wanted, let keep):
            guard let known = Target(rawValue: wanted) else { return done(.failure(noTarget(wanted, planned))) }
            (target, keeps) = (known, keep)
        }
        command(
            planned.name,
            { (name, done) throws(SupervisorError) in
                try supervisor.use(name, target, keep: keeps, done)
            }
        ) { [unowned self] result in
            var result = result
            if result.ok {
                choices.targets[planned.name] = request == .reset ? nil : target.rawValue
                result.reason = keepChoices() ?? result.reason
            }
            done(.success(result))
        }
    }

    func scale(_ name: String, _ request: ScaleRequest, _ call: ControlCall, done: @escaping Done<ActionResult>) {
        guard isRunning(done), let planned = known(plan.service(name), name, done) else { return }
        command(
            planned.name,
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
            guard let planned = known(plan.service(name), name, done) else { return }
            names.append(planned.name)
        }
        let waiter = Waiter(
            services: names, condition: request.condition, timeout: request.timeout.map { .milliseconds($0) }, on: loop
        ) { [unowned self] timedOut in
            let outcomes = names.map { name in
                let status = supervisor.status(name)
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
        stop { done(.success(DownReport(stopped: $0))) }
    }

    // MARK: Pieces

    /// Tells those whose condition has come true, or won't.
    func settleWaiters() {
        let isOver = if case .ended = phase { true } else { false }
        for waiter in waiters where waiter.isWaiting {
            let isMet = waiter.services.allSatisfy { name in
                supervisor.status(name).map { waiter.condition.isMet(by: $0.state) } ?? false
            }
            // What is no longer in the manifest comes to nothing.
            let isInVain = isOver || waiter.services.contains { plan.service($0) == nil }
            if isMet || isInVain { waiter.end(timedOut: false) }
        }
        waiters.removeAll { !$0.isWaiting }
    }

    /// Runs one command on each of several services at once; the results come in the order of `names`.
    func gather(
        _ names: [String], action: ServiceAction, waits: Bool, done: @escaping ([ActionResult]) -> Void
    ) {
        var results: [String: ActionResult] = [:]
        var isAnswered = false
        for name in names {
            let begin: (String, @escaping Supervisor.Completion) throws(SupervisorError) -> Void =
                switch action {
                case .start: { (name, done) throws(SupervisorError) in try self.supervisor.start(name, done) }
                case .stop: { (name, done) throws(SupervisorError) in try self.supervisor.stop(name, done) }
                case .restart: { (name, done) throws(SupervisorError) in try self.supervisor.restart(name, done) }
                case .build: { (name, done) throws(SupervisorError) in try self.supervisor.build(name, done) }
                }
            command(name, begin) { result in
                results[name] = result
                guard results.count == names.count, !isAnswered else { return }
                isAnswered = true
                done(names.compactMap { results[$0] })
            }
        }
        if !waits, !isAnswered {
            isAnswered = true
            done(names.map { results[$0] ?? ActionResult(service: $0, ok: true) })
        }
    }

    /// Runs a command of the supervisor; a failed build's output comes with the result.
    private func command(
        _ name: String, _ begin: (String, @escaping Supervisor.Completion) throws(SupervisorError) -> Void,
        done: @escaping (ActionResult) -> Void
    ) {
        do throws(SupervisorError) {
            try begin(name) { [unowned self] outcome in
                switch outcome {
                case .done: done(ActionResult(service: name, ok: true))
                case .failed(let reason): done(ActionResult(service: name, ok: false, reason: masking(reason)))
                case .buildFailed(let reason):
                    buildOutput(name) { [unowned self] output in
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
    private func known<Found, Answer>(_ found: Found?, _ name: String, _ done: Done<Answer>) -> Found? {
        if found == nil { done(.failure(.unknownService(name, known: serviceNames))) }
        return found
    }

    private func noTarget(_ wanted: String, _ planned: ServicePlan) -> ControlFailure {
        var known: [String] = []
        if planned.service.run != nil { known.append("local") }
        if planned.service.remote != nil { known.append("remote") }
        return .unknownTarget(wanted, planned.name, known: known)
    }

    /// Writes down what was chosen; a sentence where that failed.
    private func keepChoices() -> String? {
        do throws(ProjectError) {
            try choices.write(project, kernel: loop.kernel)
            return nil
        } catch { return Sentences.choicesNotKept(error) }
    }
}
