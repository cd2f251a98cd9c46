import JSON
import Manifest

/// Making a draft hold to the manifest's rules.
extension Draft {
    func finished() throws(ImportError) -> ImportedManifest {
        guard !services.isEmpty else { throw .noServices(source: origin.source) }
        var draft = self
        draft.giveNames()
        draft.choosePorts()
        let addresses = ContainerAddresses(draft.services)
        for index in draft.services.indices { draft.notes += addresses.rewrite(&draft.services[index]) }
        draft.connect()
        draft.shareOutPorts()
        for index in draft.services.indices { draft.settle(index) }
        let environmentFile = draft.checkedEnvironmentFile()
        let text = ManifestText.write(draft, environmentFile: environmentFile)
        return ImportedManifest(
            text: text, services: draft.services.filter { !$0.isDisabled }.map(\.name), notes: draft.notes,
            secrets: draft.services.flatMap(\.secrets))
    }

    // MARK: Names

    /// Gives each service a name that a manifest takes, and calls it so wherever it is named.
    private mutating func giveNames() {
        var given: [String: String] = [:]
        var labels: Set<String> = []
        for index in services.indices {
            let old = services[index].name
            let base = ServiceNaming.name(for: old)
            var name = base
            var count = 2
            while !labels.insert(Injected.stem(of: name)).inserted {
                name = "\(base.prefix(59))-\(count)"
                count += 1
            }
            if name != old { note("\(Sentence.quoted(old)) is called \(Sentence.quoted(name)) in the manifest") }
            given[old] = given[old] ?? name
            services[index].name = name
        }
        let active = Set(services.filter { !$0.isDisabled }.map(\.name))
        for index in services.indices {
            let name = services[index].name
            var seen: Set<String> = [name]
            var dependencies: [(name: String, condition: String)] = []
            for dependency in services[index].dependsOn {
                guard let target = given[dependency.name], active.contains(target) else {
                    note("\(name): it does not wait for \(Sentence.quoted(dependency.name)), which does not run here")
                    continue
                }
                if seen.insert(target).inserted { dependencies.append((target, dependency.condition)) }
            }
            services[index].dependsOn = dependencies
            services[index].uses = services[index].uses.map { uses in
                var seen: Set<String> = [name]
                return uses.compactMap { given[$0] }.filter { active.contains($0) && seen.insert($0).inserted }
            }
        }
    }

    // MARK: Between services

    private mutating func connect() {
        breakCycles()
        let listening = Set(services.filter { $0.listens != .nowhere }.map(\.name))
        let places = Dictionary(uniqueKeysWithValues: services.indices.map { (services[$0].name, $0) })
        for index in services.indices {
            for (number, dependency) in services[index].dependsOn.enumerated() where dependency.condition == "completed"
            {
                guard let target = places[dependency.name] else { continue }
                if services[target].restart == "always" {
                    services[index].dependsOn[number].condition = "started"
                    note(
                        "\(services[index].name): it waits only for the start of \(dependency.name), which is always "
                            + "restarted and so never completes")
                } else {
                    services[target].isJob = true
                    // Where nobody asks for it, such a job runs once in other tools, also when it fails.
                    services[target].restart = services[target].restart ?? "never"
                }
            }
            services[index].uses?.removeAll { !listening.contains($0) }
        }
    }

    /// Leaves out each dependency that would close a cycle of those before it.
    private mutating func breakCycles() {
        var waits: [String: [String]] = [:]
        func doesWait(_ name: String, for other: String) -> Bool {
            var open = [name]
            var seen: Set<String> = []
            while let next = open.popLast() {
                if next == other { return true }
                if seen.insert(next).inserted { open += waits[next] ?? [] }
            }
            return false
        }
        for index in services.indices {
            let name = services[index].name
            let dependencies = services[index].dependsOn
            services[index].dependsOn = []
            for dependency in dependencies {
                if doesWait(dependency.name, for: name) {
                    note("\(name): it does not wait for \(dependency.name), which waits for it")
                } else {
                    waits[name, default: []].append(dependency.name)
                    services[index].dependsOn.append(dependency)
                }
            }
        }
    }

    /// Two can't insist on one port, and one that insists on its port has that to itself.
    private mutating func shareOutPorts() {
        var taken: [Int: String] = [:]
        for index in services.indices where !services[index].isDisabled {
            guard case .fixed(let port) = services[index].listens else { continue }
            let name = services[index].name
            if let other = taken[port] {
                services[index].listens = .assigned
                note("\(name): let it listen on $PORT; \(other) listens on \(port) too")
            } else {
                taken[port] = name
                if let count = services[index].instances, count > 1 {
                    services[index].instances = nil
                    note("\(name): one instance instead of \(count), since it insists on port \(port)")
                }
            }
        }
        for index in services.indices where !services[index].isDisabled {
            guard let port = services[index].port else { continue }
            if let other = taken[port] {
                services[index].port = nil
                note("\(services[index].name): its address is not pinned to port \(port), which \(other) has")
            } else {
                taken[port] = services[index].name
            }
        }
    }

    // MARK: Within a service

    private mutating func settle(_ index: Int) {
        var service = services[index]
        if service.isJob {
            if let count = service.instances, count > 1 { note("\(service.name): it runs once, not \(count) times") }
            service.instances = nil
            if !service.live.isEmpty { note("\(service.name): a job that runs once has no liveness probe") }
            service.live = []
        }
        if service.listens == .nowhere { service.port = nil }
        var kept: [(name: String, value: String)] = []
        for variable in service.variables {
            if !Variable.isName(variable.name.utf8) {
                note(
                    "\(service.name): the variable \(Sentence.quoted(variable.name)) was left out: no shell can name it"
                )
            } else if Injected.isReserved(variable.name) {
                note("\(service.name): the variable \(variable.name) was left out: devmesh sets it")
            } else {
                kept.removeAll { $0.name == variable.name }
                kept.append(variable)
            }
        }
        service.variables = kept
        services[index] = service
    }

    /// The `.env` beside the source, which other tools read unasked, as the manifest names it; nil where it can't.
    private mutating func checkedEnvironmentFile() -> String? {
        guard let bytes = origin.environmentFile else { return nil }
        let path = origin.path(".env")
        let probe: JSON = ["envFile": .string(path), "services": [:]]
        let loaded = Manifest.load(Array(probe.serialized().utf8), path: "/services.json", environment: [:]) { _ in
            .success(bytes)
        }
        func told(_ diagnostics: [Diagnostic], _ severity: Diagnostic.Severity) -> String {
            diagnostics.filter { $0.severity == severity }
                .map { "line \($0.position.line): \($0.sentence.fact)" }.joined(separator: "; ")
        }
        switch loaded {
        case .valid(_, let warnings):
            if !warnings.isEmpty { note("\(path): \(told(warnings, .warning))") }
            return path
        case .invalid(let diagnostics):
            note(
                "\(path) was left out (\(told(diagnostics, .error))); without these lines it can be the \"envFile\" of "
                    + "the manifest")
            return nil
        }
    }
}
