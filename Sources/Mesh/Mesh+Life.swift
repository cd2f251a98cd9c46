import EventLoop
import Gateway
import Logs
import Manifest
import Plan
import Platform
import Project
import Proxy
import Supervisor
import Watch

/// How a mesh comes up, and goes down.
///
///     comeUp:  fronts → control socket → services → record
///     stop:    services, dependents first → fronts → logs → socket → loop
extension Mesh {
    /// Opens every address, then starts what was asked for. Where one can't be opened nothing has been started.
    func comeUp(_ planned: Planned) throws(MeshError) {
        ports.lookAhead(plan.services.count { $0.service.listens == .assigned && selection[$0.name] != .idle })
        do throws(ProxyError) {
            try proxy.open(plan.frontSpecs)
        } catch {
            // Whoever holds a port is looked for only now: asking about each beforehand would cost as much as opening.
            try planned.checkFree(project, places, loop.kernel)
            throw .failed(error.message)
        }
        do throws(ProjectError) { try lease.prepareSocket() } catch { throw .project(error) }
        do throws(GatewayError) {
            server = try ControlServer(at: lease.socket, backend: self, on: loop)
        } catch { throw .failed("\(error)") }

        proxy.setHosts(HostTable(plan))
        for planned in plan.services {
            adopt(planned)
            point(to: startingTarget(planned).unit(of: planned.name))
        }
        // What a crash left; worktrees are made anew.
        supervisor.removeWorktrees(in: project.worktreesFolder, plan.inherited)
        // Starting goes first: to show the output of many programs costs time that they would wait for.
        let pause = Duration.milliseconds(hooks.showsLogs ? min(max(plan.services.count * 2, 25), 100) : 25)
        // Asked for before anything is started, and so the number of the first line that can come of it.
        logs.nextSeq(on: loop.remote) { [bound = LoopBound(self, loop)] _, seq in
            bound.value.loop.after(pause) { bound.value.sayStarted(firstSeq: seq) }
        }
        withFrontsHeld {
            supervisor.add(plan.units.map(entry))
            startServices(serviceNames.filter { selection[$0] != .idle }.map(targets.unit(of:)) + pinnedUnits.sorted())
            for planned in plan.services { settleRoute(planned) }
        }
        publish()
        tell(nil, "up")
        beginWatching()
        loop.after(.milliseconds(500)) { ThisProcess.dropCode() }
    }

    private func sayStarted(firstSeq: Int) {
        guard case .running = phase else { return }
        hooks.started(
            MeshStart(
                name: plan.displayName, addresses: plan.services.map(address), logs: project.logsFolder,
                firstSeq: firstSeq))
        tellStates()
    }

    /// Starts services that the plan has.
    func startServices(_ names: [String], _ done: @escaping (String, Outcome) -> Void = { _, _ in }) {
        do throws(SupervisorError) { try supervisor.start(names, done) } catch {
            hooks.notice(error.description)
        }
    }

    /// Tells everybody that the mesh is up. Only those who look for it need that: the mesh itself works without.
    func publish() {
        let record = MeshRecord(
            manifest: project.manifest, name: plan.displayName, pid: ThisProcess.id, started: startedAt,
            socket: lease.socket, gatewayPort: plan.gatewayPort, insistedPorts: plan.insistedPorts)
        do throws(ProjectError) { try lease.publish(record) } catch { hooks.notice(error.description) }
    }

    /// How a service or a version of it starts out.
    func entry(_ planned: ServicePlan) -> Supervisor.Entry {
        var place: Place?
        if planned.name == planned.serviceName {
            switch startingTarget(planned) {
            case .local: place = .local
            case .remote: place = .remote
            case .version, .git: break
            }
        }
        var instances = choices.instances[planned.name].map { min($0, Supervisor.mostInstances) }
        // A program that insists on its port by now can't share it.
        if case .fixed = planned.service.listens { instances = instances.map { min($0, 1) } }
        return Supervisor.Entry(planned.service, target: place, instances: instances)
    }

    /// Tells the other rooms what the manifest says of a service.
    func adopt(_ planned: ServicePlan) {
        for unit in [planned] + planned.versions { logs.setLimit(unit.name, unit.service.logs.size) }
        let kind: FrontProtocol =
            switch planned.service.protocol {
            case .auto: .auto
            case .http: .http
            case .tcp: .tcp
            }
        proxy.setProtocol(planned.name, kind)
        // Containers call by that name, which belongs to nobody: `.internal` is kept free for such uses.
        proxy.setOrigins(
            planned.name, planned.service.origins, hosts: planned.service.hosts + [Container.hostName])
        proxy.setResilience(planned.name, Resilience(planned.service))
        if let remote = planned.service.remote {
            proxy.set(planned.name, target: Target.remote.name, .remote(RemoteTarget(remote)))
        } else {
            proxy.remove(planned.name, target: Target.remote.name)
        }
    }

    private func address(_ planned: ServicePlan) -> MeshStart.Address {
        let target: String? =
            switch selection[planned.name] {
            case .idle: nil
            default: startingTarget(planned).name
            }
        return MeshStart.Address(
            service: planned.name, url: planned.front.map { "http://127.0.0.1:\($0)" }, target: target)
    }

    // MARK: Down

    /// Stops everything, gracefully. `done` gets the number of services that ran, when no process is left.
    func stop(_ done: @escaping (Int) -> Void = { _ in }) {
        switch phase {
        case .ended: done(0)
        case .stopping(let waiting): phase = .stopping(waiting: waiting + [done])
        case .running:
            let running = statuses.filter { $0.status.instances.contains { $0.pid != nil } }.map(\.plan.serviceName)
            phase = .stopping(waiting: [{ _ in done(Set(running).count) }])
            tell(nil, "going down")
            supervisor.stopAll { [self] in
                supervisor.removeWorktrees(in: project.worktreesFolder, plan.inherited) { [self] in ended() }
            }
        }
    }

    /// KILLs everything at once.
    func kill() {
        if case .ended = phase { return }
        wasKilled = true
        if case .running = phase { phase = .stopping(waiting: []) }
        supervisor.killAll { [self] in ended() }
    }

    /// What it could not end or take away, as a sentence; nil where nothing is left. Known once it is down.
    var left: String? {
        Sentences.left(supervisor.undying, hasContainers: supervisor.hasLeftContainers, of: project)
    }

    /// No process is left.
    private func ended() {
        guard case .stopping(let waiting) = phase else { return }
        phase = .ended
        // Of another user, as programs are by sudo(8), whom only the group's end reaches.
        if !supervisor.undying.isEmpty { ControlGroup.own?.endOthers() }
        if let left { hooks.notice(left) }
        if !supervisor.undying.isEmpty {
            Journal.noteEnd(of: project, "it went down, but for what SIGKILL did not end", kernel: loop.kernel)
        } else {
            Journal.remove(project, kernel: loop.kernel)
        }
        do throws(ProjectError) { try RuntimeChoices.forget(project, kernel: loop.kernel) } catch {
            hooks.notice(error.description)
        }
        if !supervisor.hasLeftContainers { LeftContainers.forget(project, kernel: loop.kernel) }
        lease.withdraw()
        proxy.close()
        tell(nil, "down")
        settleWaiters()
        logs.close(on: loop.remote) { [bound = LoopBound((self, waiting), loop)] _ in
            let (mesh, waiting) = bound.value
            // Who removed the state folder has no lock to wait for: for him this answer is the end.
            for done in waiting { done(0) }
            mesh.finish()
        }
    }

    private func finish() {
        let close = { [self] in
            watches.hub?.close()
            supervisor.close()
            children.close()
            loop.stop()
        }
        guard let server else { return close() }
        server.finish(done: close)
    }
}

extension Plan {
    /// Every port that the proxy listens on.
    var frontSpecs: [FrontSpec] { listeners.compactMap(FrontSpec.init) }
}

extension FrontSpec {
    init?(_ listener: ListeningPort) {
        switch listener.role {
        case .dns: return nil
        case .gateway: self.init(service: nil, port: listener.port)
        case .front(let service, _): self.init(service: service, port: listener.port)
        case .edge(let caller, let target): self.init(service: target, caller: caller, port: listener.port)
        }
    }
}
