import Manifest

/// Writes all that a manifest says, a line for each thing: what stands in Fixtures/manifests/valid/*.expected.
func summary(of manifest: Manifest) -> String {
    var lines = ["project \(manifest.name) in \(manifest.directory), \(manifest.path)"]
    if let port = manifest.firstPort { lines.append("first port \(port)") }
    lines += manifest.variables.map(summary)
    for service in manifest.services {
        lines.append("service \(service.name) of \(service.position.line):\(service.position.column)")
        lines += details(of: service).map { "  " + $0 }
    }
    return lines.joined(separator: "\n") + "\n"
}

private func details(of service: Service) -> [String] {
    var lines = ["directory \(service.directory)"]
    if let build = service.build { lines.append("build \(summary(build))") }
    if let run = service.run { lines.append("run \(summary(run))") }
    if let container = service.container {
        lines.append("container \(container.image), port \(container.port.map(String.init) ?? "any")")
        lines += container.volumes.map { "volume \($0)" }
        if !container.entrypoint.isEmpty {
            lines.append("container entrypoint \(summary(.argv(container.entrypoint)))")
        }
        if !container.command.isEmpty { lines.append("container command \(summary(.argv(container.command)))") }
        if let directory = container.directory { lines.append("container directory \(directory)") }
        if let user = container.user { lines.append("container user \(user)") }
        lines.append("container variables \(container.variables)")
    }
    lines += service.variables.map(summary)
    lines.append(
        "uses " + (service.uses.map { $0.isEmpty ? "none" : $0.map(summary).joined(separator: ", ") } ?? "all"))
    lines += service.dependsOn.map { "dependsOn \($0.service) \($0.condition.rawValue)" }
    lines.append("ready \(summary(service.ready.kind)) each \(service.ready.interval) within \(service.ready.timeout)")
    if let live = service.live {
        lines.append("live \(summary(live.kind)) each \(live.interval), \(live.failures) failures")
    }
    let stop = service.stop
    lines.append("restart \(service.restart.rawValue)")
    lines.append("stop \(stop.signal) to \(stop.to.rawValue), drain \(stop.drain), timeout \(stop.timeout)")
    lines.append("instances \(service.instances)\(service.oneShot ? ", once" : "")")
    if service.hasTerminal { lines.append("tty") }
    if service.handover != .hold { lines.append("handover \(service.handover.rawValue)") }
    if let watch = service.watch {
        lines.append("watch \(watch.paths) but \(watch.ignore) after \(watch.debounce)")
    }
    lines.append(
        "listens \(service.listens), port \(service.port.map(String.init) ?? "any"), \(service.protocol.rawValue)")
    if let remote = service.remote {
        lines.append(
            "remote \(remote.scheme.rawValue) \(remote.host) \(remote.port) \"\(remote.path)\" Host \(remote.hostHeader)"
                + " of \(remote.maskedURL)")
        lines += remote.headers.map { "header \($0.name): \($0.value)\($0.isSecret ? ", secret" : "")" }
        if let tls = remote.tls {
            let texts = [tls.ca, tls.certificate, tls.key, tls.serverName].map { $0 ?? "-" }
            lines.append("tls \(texts.joined(separator: " "))\(tls.isInsecure ? ", insecure" : "")")
        }
    }
    if !service.origins.isEmpty { lines.append("origins \(service.origins.joined(separator: " "))") }
    if !service.hosts.isEmpty { lines.append("hosts \(service.hosts.joined(separator: " "))") }
    lines += service.paths.map { "path \"\($0.prefix)\"\($0.strips ? ", stripped" : "")" }
    lines.append("target \(service.target.text)")
    lines += details(of: service.routing)
    if service.timeouts != Timeouts() { lines.append("timeouts \(text(service.timeouts))") }
    if service.retries != Retries() { lines.append("retries \(text(service.retries))") }
    if service.limits != Limits() { lines.append("limits \(text(service.limits))") }
    lines.append("logs \(service.logs.size)")
    if !service.secrets.isEmpty { lines.append("secrets \(service.secrets)") }
    if let checkout = service.checkout { lines.append("git \(checkout.ref)") }
    for version in service.versions {
        lines.append("version \(version.name): \(version.service.name) of \(version.service.position.line)")
        lines += details(of: version.service).map { "  " + $0 }
    }
    return lines
}

private func summary(_ use: Use) -> String { use.service + (use.target.map { "@\($0.text)" } ?? "") }

private func text(_ timeouts: Timeouts) -> String {
    func text(_ time: Duration?) -> String { time.map { "\($0)" } ?? "none" }
    return "connect \(text(timeouts.connect)), response \(text(timeouts.response)), idle \(text(timeouts.idle)), "
        + "body \(timeouts.body)"
}

private func text(_ retries: Retries) -> String {
    let causes = retries.on.map { cause in
        switch cause {
        case .connect: "connect"
        case .reset: "reset"
        case .status(let status): "\(status)"
        }
    }
    return "\(retries.attempts) after \(causes), budget \(retries.budget)"
}

private func text(_ limits: Limits) -> String {
    let breaker = limits.breaker.map { "after \($0.failures) for \($0.open)" } ?? "never"
    let ejection = limits.ejection.map { "after \($0.failures) for \($0.time)" } ?? "never"
    return "\(limits.connections.map(String.init) ?? "any") connections, \(limits.waiting) waiting, "
        + "breaker \(breaker), ejection \(ejection)"
        + (limits.memory.map { ", \($0) bytes" } ?? "") + (limits.cpu.map { ", \($0) processors" } ?? "")
}

private func details(of routing: Routing) -> [String] {
    func summary(_ weights: [Routing.Weight]) -> String {
        weights.map { "\($0.target)=\($0.weight)" }.joined(separator: " ")
    }
    var lines: [String] = []
    if !routing.weights.isEmpty { lines.append("route \(summary(routing.weights))") }
    lines += routing.headers.map { "route header \($0.name): \($0.value) to \($0.target)" }
    lines += routing.cookies.map { "route cookie \($0.name)=\($0.value) to \($0.target)" }
    lines += routing.callers.map { "route from \($0.service) \(summary($0.weights))" }
    if let mirror = routing.mirror { lines.append("mirror \(mirror)") }
    if routing.sticky != .none { lines.append("sticky \(routing.sticky)") }
    if !routing.propagate.isEmpty { lines.append("propagate \(routing.propagate)") }
    return lines
}

private func summary(_ variable: Variable) -> String {
    let place =
        switch variable.source {
        case .file(let path, let line): "\(path):\(line)"
        case .manifest(let position): "\(position.line):\(position.column)"
        }
    let secret = variable.isSecret ? ", shown as \(variable.masked.debugDescription)" : ""
    return "env \(variable.name)=\(Injected.display(variable.value).debugDescription) of \(place)\(secret)"
}

private func summary(_ command: Command) -> String {
    switch command {
    case .shell(let text): "sh \(text.debugDescription)"
    case .argv(let words): "\(words.map(Injected.display))"
    }
}

private func summary(_ kind: ReadyProbe.Kind) -> String {
    switch kind {
    case .tcp: "tcp"
    case .http(let path): "http \(path)"
    case .command(let command): "command \(summary(command))"
    case .log(let expression): "log \(expression.debugDescription)"
    }
}
