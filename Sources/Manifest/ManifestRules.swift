import JSON

/// What holds between services: names that stay apart, whom one may name, ports that are not shared.
struct ManifestRules {
    let report: Report
    let roster: Roster
    let manifest: Manifest

    /// Runs all of them.
    /// - Parameter isWhole: false where syntax errors may have hidden parts, so that nothing is said to be missing.
    func run(isWhole: Bool) {
        checkNames()
        for (entry, service) in zip(roster.entries, manifest.services) {
            let trail = KeyTrail().key("services").key(entry.name)
            ServiceRules(report: report, roster: roster, entry: entry, service: service, trail: trail)
                .run(isWhole: isWhole)
        }
        checkCycles()
        checkPorts()
        GatewayRules(report: report, roster: roster, manifest: manifest).run()
    }

    private func checkNames() {
        var folded: [String: Roster.Entry] = [:]
        var common: [String: Roster.Entry] = [:]
        for entry in roster.entries {
            let trail = KeyTrail().key("services").key(entry.name)
            let lower = entry.name.lowercased()
            if lower == "dns" || lower == "callback" {
                report.error(.reservedName(entry.name), at: entry.nameOffset, trail)
            }
            if let dot = entry.name.utf8.lastIndex(of: UInt8(ascii: ".")) {
                let tail = entry.name.utf8[dot...].dropFirst()
                if !tail.isEmpty, tail.allSatisfy(\.isDigit) {
                    report.error(.instanceLikeName(entry.name), at: entry.nameOffset, trail)
                }
            }
            // `.`, `_` and `-` are all that a valid name has beside letters and digits, so that names fall together
            // as host label exactly where they do as variable.
            let label = GatewayHost.label(of: entry.name)
            if let other = folded[lower] {
                if other.name != entry.name {
                    report.error(
                        .sameName(entry.name, as: other.name, at: report.position(at: other.nameOffset)),
                        at: entry.nameOffset, trail)
                }
            } else if let other = common[label] {
                report.error(
                    .fallsTogether(
                        entry.name, with: other.name, as: label, at: report.position(at: other.nameOffset)),
                    at: entry.nameOffset, trail)
            }
            folded[lower] = folded[lower] ?? entry
            common[label] = common[label] ?? entry
        }
    }

    private func checkCycles() {
        let names = manifest.services.map { $0.name.lowercased() }
        let indices = Dictionary(zip(names, names.indices), uniquingKeysWith: { first, _ in first })
        let edges = manifest.services.map { service in
            service.dependsOn.compactMap { indices[$0.service.lowercased()] }
        }
        for cycle in DependencyCycles.find(edges) {
            let first = roster.entries[cycle[0]]
            let next = manifest.services[cycle[1]].name
            let member = first.node["dependsOn"]?.members?.first { $0.name.lowercased() == next.lowercased() }
            let trail = KeyTrail().key("services").key(first.name).key("dependsOn").key(member?.name ?? next)
            report.error(
                .cycle(cycle.map { manifest.services[$0].name } + [first.name]),
                at: member?.nameOffset ?? first.nameOffset, trail)
        }
    }

    private func checkPorts() {
        if let first = manifest.firstPort, (9801...19999).contains(first) {
            report(.privateBlock(first), manifest: "ports", "first")
        }
        var listeners: [Int: Service] = [:]
        var fronts: [Int: Service] = [:]
        for (entry, service) in zip(roster.entries, manifest.services) {
            let trail = KeyTrail().key("services").key(entry.name)
            let versions = zip(entry.versions, service.versions).compactMap { version, planned in
                // One that inherits it has been reported.
                version.entry.node["listens"]?.offset == entry.node["listens"]?.offset
                    ? nil : (version.entry, planned.service, trail.key("versions").key(version.name))
            }
            for (entry, service, trail) in [(entry, service, trail)] + versions {
                guard case .fixed(let port) = service.listens else { continue }
                if let other = listeners[port] {
                    let sentence = Sentence.sharedListener(port, with: other.name, at: other.position)
                    report.error(
                        sentence, at: entry.node["listens"]?.offset ?? entry.nameOffset, trail.key("listens"))
                }
                listeners[port] = listeners[port] ?? service
            }
            guard let port = service.port else { continue }
            if port == manifest.firstPort { report(.gatewayPort(port), entry, "port") }
            if let other = fronts[port] {
                report(.sharedFront(port, with: other.name, at: other.position), entry, "port")
            }
            fronts[port] = fronts[port] ?? service
        }
        for (entry, service) in zip(roster.entries, manifest.services) {
            guard let port = service.port, let other = listeners[port], other.name != service.name else { continue }
            report(.sharedListener(port, with: other.name, at: other.position), entry, "port")
        }
    }

    private func report(_ sentence: Sentence, _ entry: Roster.Entry, _ key: String) {
        report.error(
            sentence, at: entry.node[key]?.offset ?? entry.nameOffset,
            KeyTrail().key("services").key(entry.name).key(key))
    }

    private func report(_ sentence: Sentence, manifest key: String, _ inner: String) {
        let offset = report.document.root[key]?[inner]?.offset ?? 0
        report.error(sentence, at: offset, KeyTrail().key(key).key(inner))
    }
}
