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
        tell(service, state.rawValue, reason)
        settleWaiters()
    }

    func frontChanged(_ service: String, to front: ServiceFront) {
        if fronts != nil {
            fronts?[service] = front
        } else {
            proxy.set(service, proxyState(service, front))
        }
    }

    /// Lets the fronts change only once `body` is through: nobody should be told that a service is stopped which is
    /// about to start.
    func withFrontsHeld<T>(_ body: () -> T) -> T {
        fronts = [:]
        let result = body()
        let changed = fronts ?? [:]
        fronts = nil
        for (service, front) in changed { proxy.set(service, proxyState(service, front)) }
        return result
    }

    /// The supervisor's words in the proxy's.
    private func proxyState(_ service: String, _ front: ServiceFront) -> FrontState {
        switch front {
        case .hold(let bound, let reason): return .hold(bound: bound, reason: masking(reason))
        case .answer(let reason): return .answer(reason: masking(reason))
        case .pass(let backends, let whenRefused):
            let targets = backends.map {
                Backend(instance: instanceID(service, $0.instance), host: $0.host, port: $0.port)
            }
            return .pass(targets, whenRefused: masking(whenRefused))
        case .remote:
            guard let remote = plan.service(service)?.service.remote else {
                return .answer(
                    reason: "\(service) has no remote any more; `devmesh use \(service) local` runs it here.")
            }
            return .remote(RemoteTarget(remote))
        }
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

    func outputEnded(_ source: OutputSource) {
        for hub in outputs.remove(source) { logs.ended(hub) }
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

    func drain(_ service: String, instance: Int, limit: Duration, done: @escaping () -> Void) {
        proxy.drain(service, instance: instanceID(service, instance), limit: limit) { _ in done() }
    }

    func closeConnections(_ service: String, instance: Int) {
        proxy.closeConnections(service, instance: instanceID(service, instance))
    }

    func happened(_ service: String, _ happening: ServiceMachine.Happening) {
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
        case .switched(let target): tell(service, "switched", target.rawValue)
        }
    }

    func instanceID(_ service: String, _ instance: Int) -> String { "\(service).\(instance)" }
}

/// What the proxy asks of the other rooms.
extension Mesh: ProxyDelegate {
    func refusal(caller: String, target: String) -> String? { supervisor.cycle(caller: caller, target: target) }

    func lastLines(_ service: String) -> [String] {
        LogArchive.recent(service, count: 10, in: project.logsFolder, kernel: loop.kernel).map { masking($0.text) }
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
            scheme: scheme, host: remote.host, port: remote.port, path: remote.path, hostHeader: remote.hostHeader)
    }
}
