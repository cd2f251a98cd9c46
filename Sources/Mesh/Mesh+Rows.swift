import Control
import EventLoop
import Gateway
import Manifest
import Plan
import Platform
import Project
import Supervisor

/// What listings show.
extension Mesh {
    func measured(_ body: @escaping ([Int32: Usage]) -> Void) {
        guard statuses.contains(where: { $0.status.instances.contains { $0.pid != nil } }) else { return body([:]) }
        usage?.measure(body)
    }

    /// A service as it is served now, or one of its versions by itself; nil where nothing is known of it.
    func row(_ planned: ServicePlan, _ usage: [Int32: Usage]) -> ServiceStatus? {
        let isService = planned.name == planned.serviceName
        guard let serving = isService ? unit(planned.name) : planned, let status = supervisor.status(serving.name)
        else {
            return nil
        }
        let target = isService ? currentTarget(planned).name : UnitName.version(of: planned.name) ?? ""
        var instances = rows(serving.name, status, usage)
        // What is on its way up, or has not been stopped yet.
        for other in isService ? [planned] + planned.versions : [] where other.name != serving.name {
            guard let status = supervisor.status(other.name) else { continue }
            instances += rows(other.name, status, usage)
        }
        let count = choices.instances[serving.name] ?? serving.service.instances
        return ServiceStatus(
            service: planned.name, state: status.state.rawValue, target: target,
            address: planned.front.map { "127.0.0.1:\($0)" }, url: planned.front.map { "http://127.0.0.1:\($0)" },
            reason: status.reason.map { masking($0) }, instances: instances,
            differs: isService && isChosen(planned) || count != serving.service.instances,
            isInsecure: status.targetsRemote && serving.service.remote?.tls?.isInsecure == true,
            shares: isService ? rules(of: planned).shares : nil, remark: status.remark.map { masking($0) })
    }

    /// Whether requests to a service take another way than the manifest says.
    private func isChosen(_ planned: ServicePlan) -> Bool {
        currentTarget(planned) != planned.service.target || choices.routes[planned.name] != nil
            || choices.faults[planned.name] != nil
    }

    private func rows(_ unit: String, _ status: ServiceSnapshot, _ usage: [Int32: Usage]) -> [InstanceStatus] {
        status.instances.filter { $0.pid != nil || $0.state != .stopped }.map { instance in
            let used = instance.pid.flatMap { usage[$0] }
            return InstanceStatus(
                id: instanceID(unit, instance.number), pid: instance.pid.map(Int.init), port: instance.port,
                state: instance.state.rawValue, started: instance.started?.rfc3339(),
                restarts: instance.restarts, cpu: used?.cpu, rss: used?.resident)
        }
    }

    /// What led to a service's state, a fact a line.
    func details(_ planned: ServicePlan, _ status: ServiceSnapshot) -> [String] {
        var lines: [String] = []
        let service = planned.serviceName
        if selection[service] == .idle, status.state == .stopped { lines.append(Sentences.idle(planned.name)) }
        if let whole = plan.service(service), !isNeeded(planned.name) {
            lines.append(Sentences.notInUse(service, currentTarget(whole).name))
        } else if let version = UnitName.version(of: planned.name) {
            let isRef = plan.service(service)?.service.version(version)?.isRef ?? false
            lines.append(Sentences.servedBy(version, isRef: isRef))
        }
        if let whole = plan.service(service) {
            let summary = rules(of: whole).summary
            if !summary.isEmpty { lines.append(Sentences.routed(summary, isChosen: choices.routes[service] != nil)) }
            lines += faultRules(of: whole).map { Sentences.faulty($0.summary) }
        }
        if status.targetsRemote, let remote = planned.service.remote {
            lines.append("it is served by its remote, \(remote.maskedURL)")
            if remote.tls?.isInsecure == true { lines.append(Sentences.isInsecure) }
        }
        for dependency in supervisor.dependencies(of: planned.service) where !dependency.isMet {
            lines.append(dependency.sentence)
        }
        for instance in status.instances {
            let id = instanceID(planned.name, instance.number)
            var line = "\(id) is \(instance.state.rawValue)"
            if let reason = instance.reason, reason != status.reason { line += ": \(reason)" }
            if let pid = instance.pid { line += " (pid \(pid)" + (instance.port.map { ", port \($0))" } ?? ")") }
            if instance.restarts > 0 { line += "; " + Sentences.restarted(instance.restarts) }
            lines.append(line)
            if let port = instance.port, instance.state != .ready, let holder = SocketTable.holder(ofPort: port),
                let pid = holder.pid, pid != instance.pid
            {
                lines.append("port \(port) is held by \(holder.program ?? "a program") (pid \(pid))")
            }
        }
        lines += supervisor.prospects(planned.name) + watchDetails(planned)
        let events = self.events.recent.filter { $0.service == planned.name }.suffix(5)
        lines += events.map { event in
            "\(event.time) \(event.event.replacing("-", with: " "))" + (event.detail.map { ": \($0)" } ?? "")
        }
        return lines
    }
}

extension PortEntry {
    /// As `devmesh ports` lists it, whether the mesh is up or not.
    public init(_ listener: ListeningPort) {
        let url = "http://127.0.0.1:\(listener.port)"
        switch listener.role {
        case .gateway:
            let url = "http://localhost:\(listener.port)"
            self.init(service: nil, port: listener.port, url: url, edge: nil, kind: .gateway)
        case .dns: self.init(service: nil, port: listener.port, url: nil, edge: nil, kind: .dns)
        case .front(let service, _):
            self.init(service: service, port: listener.port, url: url, edge: nil, kind: .front)
        case .edge(let caller, let target):
            self.init(service: target, port: listener.port, url: url, edge: caller, kind: .edge)
        }
    }
}
