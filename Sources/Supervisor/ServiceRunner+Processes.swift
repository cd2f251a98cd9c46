import EventLoop
import Manifest
import Platform

/// Starting programs, and telling the machine what becomes of them.
extension ServiceRunner {
    func spawn(_ key: RunKey) {
        let source = OutputSource(service: name, instance: key.instance, generation: key.generation)
        do throws(LaunchFailure) {
            let port = try choosePort()
            let marker = marker(of: key)
            var environment = workshop.environment(service, key.instance, port)
            if service.container == nil { environment[ProcessTrees.markerName] = marker }
            let (request, container) = try request(key, port, environment, source)
            watchLog(key, source)
            if let port { workshop.portsInUse.insert(port) }
            awaited[key] = []
            let terminal = service.hasTerminal ? workshop.delegate?.terminalSize(of: source) ?? .standard : nil
            let confirm = container.map { run in
                { [containers = workshop.containers] done in containers.isRunning(run, done) }
            }
            let start = { [self] in
                let request = container.map { workshop.containers.reachingHost(request, $0) } ?? request
                launch(request, marker: marker, source: source, terminal: terminal) { [weak self, service] result in
                    let subject = result.map {
                        Prober.Subject(
                            service: service, process: $0, port: port, environment: environment, container: container,
                            confirm: confirm)
                    }
                    self?.launched(key, source, port, subject)
                }
            }
            guard let container else { return start() }
            workshop.containers.prepare(for: container) { [workshop, name] isAnswered in
                if !isAnswered {
                    let client = Path.name(container.client)
                    workshop.delegate?.note(
                        name, instance: key.instance,
                        "\(client) does not answer, so it is not known where containers can call this machine: until "
                            + "\(name) is started again this container can't call other services; `\(client) info` may "
                            + "tell why")
                }
                start()
            }
        } catch {
            send(.spawnFailed(key, reason: error.sentence))
        }
    }

    func marker(of key: RunKey) -> String { workshop.marker("\(name).\(key.instance)#\(key.generation)") }

    /// The program to start, and the container that it is then.
    private func request(_ key: RunKey, _ port: Int?, _ environment: [String: String], _ source: OutputSource)
        throws(LaunchFailure) -> (SpawnRequest, ContainerRun?)
    {
        if let container = service.container {
            let run = try workshop.containers.run(of: service, instance: key.instance, environment)
            let request = workshop.containers.request(
                run, service, container, instance: "\(name).\(key.instance)", port: port, environment)
            return (request, run)
        }
        guard let command = service.run else {
            throw LaunchFailure(sentence: "\(name) has no `run` command in the manifest")
        }
        var request = try Launch.request(
            command, "run", of: service, environment: environment, kernel: loop.kernel)
        request.processors = workshop.confinement.take(for: service.limits, source)
        return (request, nil)
    }

    private func launched(
        _ key: RunKey, _ source: OutputSource, _ port: Int?, _ result: Result<Prober.Subject, LaunchFailure>
    ) {
        let missed = awaited.removeValue(forKey: key) ?? []
        switch result {
        case .failure(let failure):
            workshop.delegate?.cancelLogWatch(source)
            workshop.confinement.giveBack(source)
            if let port { workshop.portsInUse.remove(port) }
            send(.spawnFailed(key, reason: failure.sentence))
        case .success(let subject):
            let process = subject.process
            let run = LocalRun(key, source: source, subject: subject, in: workshop) { [weak self] verdict in
                switch verdict {
                case .passed(let host): self?.send(.probePassed(key, host: host))
                case .failed(let reason): self?.send(.probeFailed(key, reason: reason))
                }
            }
            runs[key] = run
            process.onExit = { [weak self] status, others in self?.exited(run, status, others) }
            process.onGone = { [weak self] in self?.gone(run) }
            confine(run, service.limits)
            send(.spawned(key, pid: process.pid, port: port))
            for effect in missed { carryOut(effect) }
        }
    }

    private func confine(_ run: LocalRun, _ limits: Limits) {
        // Docker keeps containers to them.
        guard run.container == nil else { return }
        if let gap = workshop.confinement.gap(in: limits) {
            workshop.delegate?.note(name, instance: run.key.instance, gap)
        }
        workshop.confinement.watch(run.process, limits) { [weak self, weak run] used in
            guard let self, let run else { return }
            let reason =
                "it used \(SizeText.short(used)) of memory and was ended: its `limits` allow it "
                + "\(SizeText.short(limits.memory ?? 0))"
            send(.outgrew(run.key, reason: reason))
        }
    }

    private func choosePort() throws(LaunchFailure) -> Int? {
        switch service.listens {
        case .nothing: return nil
        case .fixed(let port): return port
        case .assigned:
            guard let port = workshop.allocatePort(workshop.portsInUse) else {
                throw LaunchFailure(
                    sentence: "\(name) can't be started: no private port from 10000 to 19999 is free; "
                        + "`ss -ltn` shows what listens there")
            }
            return port
        }
    }

    private func watchLog(_ key: RunKey, _ source: OutputSource) {
        guard case .log(let pattern) = service.ready.kind else { return }
        workshop.delegate?.watchLog(source, for: pattern) { [weak self] in
            guard let self, let run = runs[key], let prober = run.prober else { return }
            prober.confirm()
        }
    }

    /// Starts a program with its output going to the delegate; `done` is called on a later turn.
    /// - Parameters:
    ///   - source: nil: its output goes nowhere.
    ///   - terminal: the window of the terminal that it gets; nil: it gets pipes.
    func launch(
        _ request: SpawnRequest, marker: String, source: OutputSource?, terminal: TerminalSize? = nil,
        done: @escaping (Result<ManagedProcess, LaunchFailure>) -> Void
    ) {
        let (service, delegate) = (service, workshop.delegate)
        workshop.trees.spawn(request, marker: marker, source: source, terminal: terminal) { [weak delegate] result in
            switch result {
            case .success(let (process, pipes)):
                if let source, let ends = pipes?.take() {
                    if let errors = ends.errors {
                        process.stdin = .some(ends.input)
                        delegate?.attach(source, stdout: ends.output, stderr: errors)
                    } else {
                        delegate?.attach(source, terminal: ends.output, keyboard: ends.input)
                    }
                }
                done(.success(process))
            case .failure(let failure):
                done(.failure(LaunchFailure(sentence: Launch.sentence(failure, request, of: service))))
            }
        }
    }

    private func exited(_ run: LocalRun, _ exit: ExitStatus, _ others: Int) {
        workshop.delegate?.outputEnded(run.source)
        guard let container = run.container else { return tell(run, exit, others) }
        // Whatever has become of the command, the container may be there.
        run.process.onGone = nil
        workshop.containers.remove(container) { [weak self] in
            run.process.onGone = { self?.gone(run) }
            self?.tell(run, exit, run.process.isGone ? 0 : others)
        }
    }

    private func tell(_ run: LocalRun, _ exit: ExitStatus, _ others: Int) {
        let owner = run.hasPassed ? nil : foreignOwner(of: run)
        if others == 0 { forget(run) }
        send(.leaderExited(run.key, exit, leftovers: others, portTaken: owner))
    }

    private func gone(_ run: LocalRun) {
        forget(run)
        send(.treeGone(run.key))
    }

    private func forget(_ run: LocalRun) {
        run.stopProbes(in: workshop)
        workshop.confinement.forget(run.process)
        workshop.confinement.giveBack(run.source)
        runs[run.key] = nil
        if let port = run.port { workshop.portsInUse.remove(port) }
    }

    /// Who else listens on the port that the program was given.
    private func foreignOwner(of run: LocalRun) -> String? {
        guard let port = run.port, run.container == nil,
            workshop.listeners.look(for: run.process, on: port) == .stranger
        else { return nil }
        return SocketTable.holder(ofPort: port)?.inWords
    }
}
