import JSON
import Manifest
import Plan

/// What `devmesh config` prints: the manifest as it is understood, defaults filled in, with the ports.
struct ConfigDocument {
    var plan: Plan
    /// Shows secrets.
    var reveal: Bool

    /// The document of these services or versions.
    func json(of shown: [ServicePlan]) -> JSON {
        let gateway = JSON.int(plan.gatewayPort)
        var members: [JSON.Member] = [
            .init("name", .string(plan.manifest.name)), .init("manifest", .string(plan.manifest.path)),
            .init("ports", ["first": gateway, "gateway": gateway, "dns": .int(plan.dnsPort)]),
        ]
        if let file = plan.manifest.environmentFile { members.append(.init("envFile", .string(file))) }
        members.append(.init("env", environment(plan.manifest.variables)))
        members.append(.init("services", .object(shown.map { .init($0.name, service($0)) })))
        return .object(members)
    }

    private func service(_ planned: ServicePlan) -> JSON { .object(members(of: planned)) }

    private func members(of planned: ServicePlan) -> [JSON.Member] {
        let service = planned.service
        var members: [JSON.Member] = [.init("directory", .string(service.directory))]
        func add(_ name: String, _ value: JSON?) { if let value { members.append(.init(name, value)) } }
        add("build", service.build.map(command))
        add("run", service.run.map(command))
        add("container", service.container.map(container))
        add("envFile", service.environmentFile.map { .string($0) })
        add("env", environment(service.variables))
        add("uses", service.uses.map { uses in .array(uses.map { .string(name(of: $0)) }) })
        add("dependsOn", .object(service.dependsOn.map { .init($0.service, .string($0.condition.rawValue)) }))
        add("ready", ready(service))
        add("live", service.live.map(live))
        add("watch", watch(service.watch))
        add("restart", .string(service.restart.rawValue))
        add("handover", .string(service.handover.rawValue))
        add("stop", stop(service.stop))
        add("instances", .int(service.instances))
        add("listens", listens(service.listens))
        add("port", planned.front.map { .int($0) })
        add("address", planned.front.map { .string("127.0.0.1:\($0)") })
        add("edges", planned.edges.isEmpty ? nil : .object(planned.edges.map { .init($0.target, .int($0.port)) }))
        add("protocol", .string(service.protocol.rawValue))
        add("oneShot", .bool(service.oneShot))
        add("tty", .bool(service.hasTerminal))
        add("remote", service.remote.map(remote))
        add("origins", service.origins.isEmpty ? nil : texts(service.origins))
        add("hosts", service.hosts.isEmpty ? nil : texts(service.hosts))
        let paths = service.paths.map { path -> JSON in
            ["path": .string(path.prefix.isEmpty ? "/" : path.prefix), "strip": .bool(path.strips)]
        }
        add("paths", paths.isEmpty ? nil : .array(paths))
        add("route", service.routing == Routing() ? nil : route(service.routing))
        add("timeouts", timeouts(service.timeouts))
        add("retries", retries(service.retries))
        add("limits", limits(service.limits))
        add("logs", ["size": .int(service.logs.size)])
        // A version has what its service has but for what it is served from.
        guard UnitName.version(of: planned.name) == nil else {
            add("git", service.checkout.map { .string($0.ref) })
            return members
        }
        add("target", .string(service.target.name))
        let versions = service.versions.map { version in
            JSON.Member(version.name, planned.version(version.name).map(self.service) ?? .null)
        }
        add("versions", versions.isEmpty ? nil : .object(versions))
        return members
    }

    private func name(of use: Use) -> String {
        use.target.map { UnitName.of(use.service, version: $0.name) } ?? use.service
    }

    private func container(_ container: Container) -> JSON {
        var members: [JSON.Member] = [.init("image", .string(container.image))]
        if let port = container.port { members.append(.init("port", .int(port))) }
        members.append(.init("volumes", texts(container.volumes)))
        for (key, words) in [("entrypoint", container.entrypoint), ("command", container.command)] {
            members.append(.init(key, .array(words.map { .string(Injected.display($0)) })))
        }
        if let directory = container.directory { members.append(.init("directory", .string(directory))) }
        if let user = container.user { members.append(.init("user", .string(user))) }
        return .object(members)
    }

    /// The URL, or an object where there is more to say.
    private func remote(_ remote: Remote) -> JSON {
        let url = JSON.string(reveal ? remote.url : remote.maskedURL)
        guard !remote.headers.isEmpty || remote.tls != nil else { return url }
        var members: [JSON.Member] = [.init("url", url), .init("host", .string(remote.hostHeader))]
        if !remote.headers.isEmpty {
            let headers = remote.headers.map { header in
                JSON.Member(header.name, .string(header.isSecret && !reveal ? Secrets.mask : header.value))
            }
            members.append(.init("headers", .object(headers)))
        }
        if let tls = remote.tls {
            var keys: [JSON.Member] = []
            for (name, value) in [
                ("ca", tls.ca), ("cert", tls.certificate), ("key", tls.key), ("serverName", tls.serverName),
            ] {
                if let value { keys.append(.init(name, .string(value))) }
            }
            members.append(.init("tls", .object(keys + [.init("insecure", .bool(tls.isInsecure))])))
        }
        return .object(members)
    }

    /// Of several under one name the last holds.
    private func environment(_ variables: [Variable]) -> JSON {
        var members: [JSON.Member] = []
        for variable in variables {
            members.removeAll { $0.name == variable.name }
            members.append(.init(variable.name, .string(text(variable))))
        }
        return .object(members)
    }

    private func text(_ variable: Variable) -> String {
        reveal ? Injected.display(variable.value) : variable.masked
    }

    private func command(_ command: Command) -> JSON {
        switch command {
        case .shell(let line): .string(line)
        case .argv(let words): .array(words.map { .string(Injected.display($0)) })
        }
    }

    private func ready(_ service: Service) -> JSON? {
        if service.listens == .nothing, service.ready.kind == .tcp { return nil }
        return .object(
            [probe(service.ready.kind)] + [
                .init("interval", .string(DurationText.exact(service.ready.interval))),
                .init("timeout", .string(DurationText.exact(service.ready.timeout))),
            ])
    }

    private func live(_ live: LiveProbe) -> JSON {
        .object(
            [probe(live.kind)] + [
                .init("interval", .string(DurationText.exact(live.interval))), .init("failures", .int(live.failures)),
            ])
    }

    private func watch(_ rules: WatchRules?) -> JSON {
        guard let rules else { return false }
        return [
            "paths": texts(rules.paths), "ignore": texts(rules.ignore),
            "debounce": .string(DurationText.exact(rules.debounce)),
        ]
    }

    private func probe(_ kind: ReadyProbe.Kind) -> JSON.Member {
        switch kind {
        case .tcp: .init("tcp", .bool(true))
        case .http(let path): .init("http", .string(path))
        case .command(let line): .init("command", command(line))
        case .log(let pattern): .init("log", .string(pattern))
        }
    }

    func texts(_ texts: [String]) -> JSON { .array(texts.map { .string($0) }) }

    private func stop(_ stop: StopPolicy) -> JSON {
        [
            "signal": .string(SignalText.name(stop.signal)), "to": .string(stop.to.rawValue),
            "drain": .string(DurationText.exact(stop.drain)), "timeout": .string(DurationText.exact(stop.timeout)),
        ]
    }

    private func listens(_ listens: Listens) -> JSON? {
        switch listens {
        case .assigned: nil
        case .fixed(let port): .int(port)
        case .nothing: .bool(false)
        }
    }
}
