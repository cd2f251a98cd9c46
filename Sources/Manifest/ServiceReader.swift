import JSON

/// Reads the entry of one service.
struct ServiceReader {
    let reader: ManifestReader
    let expander: Expander
    let roster: Roster
    let entry: Roster.Entry
    let trail: KeyTrail
    let topVariables: [Variable]
    let topOrigins: [String]
    var secrets: [String] = []

    init(
        reader: ManifestReader, expander: Expander, roster: Roster, entry: Roster.Entry, trail: KeyTrail,
        topVariables: [Variable], topOrigins: [String]
    ) {
        self.reader = reader
        self.expander = expander
        self.roster = roster
        self.entry = entry
        self.trail = trail
        self.topVariables = topVariables
        self.topOrigins = topOrigins
    }

    var node: JSONSyntax { entry.node }

    /// - Parameters:
    ///   - scope: what is set at the top.
    ///   - defaults: what the top says of all services.
    mutating func read(scope topScope: Scope, defaults: ServiceDefaults) -> Service {
        var scope = topScope
        let injected = roster.names(for: entry)
        let variables = reader.variables(of: node, &scope, injected: injected, at: trail)
        let run = command("run", scope, injected)
        let remote = remote(scope)
        var service = Service(
            name: entry.name, position: reader.report.position(at: entry.nameOffset), directory: directory(scope),
            build: command("build", scope, roster.names(for: entry, isBuild: true)), run: run, variables: variables,
            uses: uses, dependsOn: dependencies, ready: ready(scope, injected), live: live(scope, injected),
            restart: choice("restart") ?? .onFailure, stop: stop, instances: node["instances"]?.wholeNumber ?? 1,
            listens: listens, port: node["port"]?.wholeNumber, protocol: choice("protocol") ?? .auto,
            oneShot: node["oneShot"]?.bool ?? false, remote: remote,
            checkout: node["git"]?.string.map { Checkout(ref: $0) },
            logs: reader.logs(node["logs"], default: defaults.logs))
        service.environmentFile = reader.environmentFile(node).map(reader.absolute)
        service.container = container(scope, injected, variables)
        service.handover = choice("handover") ?? .hold
        service.watch = watch
        service.hasTerminal = node["tty"]?.bool ?? false
        service.origins = topOrigins + origins
        service.hosts = hosts
        service.paths = paths
        service.secrets = secrets
        service.limits = reader.limits(node["limits"], default: defaults.limits)
        service.versions = entry.versions.map { name, entry in
            var reader = ServiceReader(
                reader: reader, expander: expander, roster: roster, entry: entry,
                trail: trail.key("versions").key(name), topVariables: topVariables, topOrigins: topOrigins)
            var defaults = defaults
            defaults.logs = service.logs
            defaults.limits = service.limits
            return ServiceVersion(name: name, service: reader.read(scope: topScope, defaults: defaults))
        }
        service.target =
            node["target"]?.string.flatMap { service.target($0) } ?? service.targets.first
            ?? (entry.runsHere ? .local : .remote)
        service.routing = reader.routing(node["route"], of: entry, roster)
        service.timeouts = reader.timeouts(node["timeouts"], default: defaults.timeouts)
        service.retries = reader.retries(node["retries"], default: defaults.retries)
        service.fingerprint = Fingerprint.of(service, entry: node, topVariables: topVariables)
        return service
    }

    private func choice<Choice: RawRepresentable<String>>(_ key: String) -> Choice? {
        node[key]?.string.flatMap(Choice.init(rawValue:))
    }

    private func duration(_ node: JSONSyntax?) -> Duration? {
        node?.string.flatMap(Quantities.duration)
    }

    /// Expands, and remembers what of it is secret.
    mutating func expand(
        _ node: JSONSyntax, _ scope: Scope, _ injected: InjectedNames = .none, at trail: KeyTrail
    ) -> String? {
        let expansion = expander.expand(node, scope, injected: injected, at: trail)
        secrets += expansion?.secrets ?? []
        return expansion?.text
    }

    private mutating func directory(_ scope: Scope) -> String {
        guard let directory = node["directory"] else { return reader.folder }
        return reader.absolute(expand(directory, scope, at: trail.key("directory")) ?? ".")
    }

    private mutating func command(_ key: String, _ scope: Scope, _ injected: InjectedNames) -> Command? {
        guard let node = node[key] else { return nil }
        return command(node, scope, injected, at: trail.key(key))
    }

    private mutating func command(
        _ node: JSONSyntax, _ scope: Scope, _ injected: InjectedNames, at trail: KeyTrail
    ) -> Command? {
        if let text = node.string { return .shell(text) }
        guard let elements = node.elements, !elements.isEmpty else { return nil }
        var words: [String?] = []
        for (index, element) in elements.enumerated() {
            words.append(expand(element, scope, injected, at: trail.element(index)))
        }
        if words[0]?.isEmpty == true {
            reader.report.error(.emptyProgram(entry.name), at: elements[0].offset, trail.element(0))
        }
        return .argv(words.map { $0 ?? "" })
    }

    private var uses: [Use]? {
        node["uses"]?.elements?.compactMap { use in
            guard let name = use.string, let used = roster[UnitName.service(of: name)] else { return nil }
            return Use(service: used.name, target: UnitName.version(of: name).flatMap(used.target))
        }
    }

    private var dependencies: [Dependency] {
        (node["dependsOn"]?.members ?? []).compactMap { member in
            guard let target = roster[member.name] else { return nil }
            let condition = member.value.string.flatMap(Dependency.Condition.init(rawValue:)) ?? .ready
            return Dependency(service: target.name, condition: condition)
        }
    }

    private var origins: [String] { ManifestReader.texts(node["origins"]) }

    private var listens: Listens {
        if node["listens"]?.bool == false { return .nothing }
        return node["listens"]?.wholeNumber.map { .fixed($0) } ?? .assigned
    }

    private var stop: StopPolicy {
        let node = node["stop"]
        let standard = StopPolicy()
        let signal = node?["signal"]?.string.map { $0.hasPrefix("SIG") ? String($0.dropFirst(3)) : $0 }
        return StopPolicy(
            signal: signal.flatMap { reader.signals[$0] } ?? standard.signal,
            to: node?["to"]?.string.flatMap(StopPolicy.Recipient.init(rawValue:)) ?? standard.to,
            drain: duration(node?["drain"]) ?? standard.drain,
            timeout: duration(node?["timeout"]) ?? standard.timeout)
    }

    private var watch: WatchRules? {
        guard let node = node["watch"], node.bool != false else { return nil }
        let standard = WatchRules()
        let paths = ManifestReader.texts(node["paths"])
        return WatchRules(
            paths: paths.isEmpty ? standard.paths : paths, ignore: ManifestReader.texts(node["ignore"]),
            debounce: duration(node["debounce"]) ?? standard.debounce)
    }

    private mutating func ready(_ scope: Scope, _ injected: InjectedNames) -> ReadyProbe {
        let standard = ReadyProbe()
        guard let node = node["ready"] else { return standard }
        return ReadyProbe(
            kind: probe(node, scope, injected, at: trail.key("ready")) ?? .tcp,
            interval: duration(node["interval"]) ?? standard.interval,
            timeout: duration(node["timeout"]) ?? standard.timeout)
    }

    private mutating func live(_ scope: Scope, _ injected: InjectedNames) -> LiveProbe? {
        guard let node = node["live"], let kind = probe(node, scope, injected, at: trail.key("live")) else {
            return nil
        }
        let standard = LiveProbe(kind: kind)
        return LiveProbe(
            kind: kind, interval: duration(node["interval"]) ?? standard.interval,
            failures: node["failures"]?.wholeNumber ?? standard.failures)
    }

    private mutating func probe(
        _ node: JSONSyntax, _ scope: Scope, _ injected: InjectedNames, at trail: KeyTrail
    ) -> ReadyProbe.Kind? {
        if let path = node["http"]?.string { return .http(path) }
        if let expression = node["log"]?.string { return .log(expression) }
        if let command = node["command"] {
            let command = self.command(command, scope, injected, at: trail.key("command"))
            return command.map { .command($0) }
        }
        return node["tcp"]?.bool == true ? .tcp : nil
    }
}
