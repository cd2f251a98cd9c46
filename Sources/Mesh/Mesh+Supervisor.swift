import EventLoop
import Gateway
import Logs
import Manifest
import Plan
import Platform
import Project
import Proxy
import Supervisor

/// What the supervisor needs of the other rooms.
extension Mesh: SupervisorDelegate {
    func stateChanged(_ service: String, to state: ServiceState, reason: String?) {
        // What its own entry runs, while a version serves: the service itself is in another state.
        let isAside = service == UnitName.service(of: service) && !targets.isInUse(service)
        tell(isAside ? UnitName.of(service, version: Target.local.name) : service, state.rawValue, reason)
        settleWaiters()
        if watches.hub != nil { watchWhileWanted(service) }
        tellStates()
    }

    func attach(_ source: OutputSource, stdout: consuming Descriptor, stderr: consuming Descriptor) {
        guard let instance = source.instance else {
            outputs.add(source, logs.attachBuild(service: source.service, output: stdout))
            outputs.add(source, logs.attachBuild(service: source.service, output: stderr))
            return
        }
        outputs.add(
            source,
            logs.attach(
                service: source.service, instance: instance, stdout: stdout, stderr: stderr,
                watch: outputs.takeWatch(source)))
    }

    func attach(_ source: OutputSource, terminal: consuming Descriptor, keyboard: consuming Descriptor) {
        let tap = terminals.open(source, keyboard: keyboard)
        outputs.add(
            source,
            logs.attach(
                service: source.service, instance: source.instance ?? 0, terminal: terminal, tap: tap,
                watch: outputs.takeWatch(source)))
    }

    func terminalSize(of source: OutputSource) -> TerminalSize { terminals.size(of: Terminals.Seat(source)) }

    func outputEnded(_ source: OutputSource) {
        let hasTerminal = terminals.ended(source)
        for hub in outputs.remove(source) {
            guard hasTerminal else {
                logs.ended(hub)
                continue
            }
            let terminals = LoopBound(terminals, loop)
            logs.ended(hub, on: loop.remote) { _ in terminals.value.close(source) }
        }
    }

    func note(_ service: String, instance: Int?, _ line: String) {
        guard let instance, supervisor.status(service)?.instances.count ?? 1 > 1 else {
            return logs.note(service, masking(line))
        }
        logs.note(service, masking("\(instanceID(service, instance)): \(line)"))
    }

    func watchLog(_ source: OutputSource, for regex: String, matched: @escaping () -> Void) {
        // The manifest was checked: the expression is one.
        guard let pattern = try? LogPattern(regex) else { return }
        let bound = LoopBound(matched, loop)
        outputs.expect(source, LogWatchRequest(pattern, on: loop.remote) { _ in bound.value() })
    }

    func cancelLogWatch(_ source: OutputSource) { _ = outputs.takeWatch(source) }

    func drain(_ service: String, _ run: RunKey, limit: Duration, done: @escaping () -> Void) {
        proxy.drain(UnitName.service(of: service), instance: processID(service, run), limit: limit) { _ in done() }
    }

    func closeConnections(_ service: String, _ run: RunKey) {
        proxy.closeConnections(UnitName.service(of: service), instance: processID(service, run))
    }

    func happened(_ service: String, _ happening: ServiceMachine.Happening) {
        watches.heard(service, happening)
        switch happening {
        case .buildStarted:
            buildsBegan[service] = .now
            tell(service, "build-started")
        case .buildSucceeded: tell(service, "build-succeeded")
        case .buildFailed(let reason): tell(service, "build-failed", reason)
        case .started(let instance, let pid, let port):
            let listens = port.map { ", to listen on port \($0)" } ?? ""
            tell(service, "started", "pid \(pid)\(listens)", instance: instanceID(service, instance))
        case .becameReady(let instance): tell(service, "instance-ready", instance: instanceID(service, instance))
        case .exited(let instance, let exit):
            tell(service, "exited", exit.inWords, instance: instanceID(service, instance))
        case .scaled(let count): tell(service, "scaled", "\(count)")
        // Else nothing has been switched yet: the front still leads to another unit.
        case .switched(let place):
            if targets.isInUse(service) { tell(service, "switched", "\(place)") }
        }
    }

    func instanceID(_ service: String, _ instance: Int) -> String { "\(service).\(instance)" }

    /// What the proxy calls one process of an instance, which may have two for a while.
    func processID(_ service: String, _ run: RunKey) -> String {
        "\(instanceID(service, run.instance))#\(run.generation)"
    }
}

/// What the proxy asks of the other rooms.
extension Mesh: ProxyDelegate {
    func refusal(caller: String, target: String) -> String? { supervisor.cycle(caller: caller, target: target) }

    func lastLines(_ service: String) -> [String] {
        LogArchive.recent(targets.unit(of: service), count: 10, in: project.logsFolder, kernel: loop.kernel).map {
            masking($0.text)
        }
    }

    func remoteFailed(_ service: String, reason: String) { supervisor.remoteFailed(service, reason: reason) }

    func remoteSucceeded(_ service: String) { supervisor.remoteSucceeded(service) }
}

extension RemoteTarget {
    init(_ remote: Remote) {
        let scheme: Scheme =
            switch remote.scheme {
            case .http: .http
            case .https: .https
            case .tcp: .tcp
            }
        self.init(
            scheme: scheme, host: remote.host, port: remote.port, path: remote.path, hostHeader: remote.hostHeader,
            headers: remote.headers.map { Header($0.name, $0.value) }, tls: remote.tls.map { TLSSettings($0) },
            serverName: remote.tls?.serverName)
    }
}
