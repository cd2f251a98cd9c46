import JSON

/// What holds within the entry of one service, and between it and those it names.
struct ServiceRules {
    let report: Report
    let roster: Roster
    let entry: Roster.Entry
    let service: Service
    let trail: KeyTrail

    private var node: JSONSyntax { entry.node }

    func run(isWhole: Bool) {
        guard case .object = node.kind else { return }
        checkTarget(isWhole: isWhole)
        checkUses(isWhole: isWhole)
        checkDependencies(isWhole: isWhole)
        if let route = node["route"] {
            RoutingRules(report: report, roster: roster, entry: entry, trail: trail.key("route"))
                .run(route, isWhole: isWhole)
        }
        checkProcess()
        checkVersions(isWhole: isWhole)
    }

    private func checkProcess() {
        checkContainer()
        checkProbes()
        checkListener()
        checkJob()
    }

    private func has(_ key: String) -> Bool { node.has(key) }

    private func report(_ sentence: Sentence, _ key: String) {
        report.error(sentence, at: node[key]?.offset ?? entry.nameOffset, trail.key(key))
    }

    private func checkTarget(isWhole: Bool) {
        if let target = node["target"]?.string, !target.isEmpty, entry.target(target) == nil {
            if Target.reservedNames.contains(target) {
                if isWhole { report(.targetWithout(target == "local" ? "run" : target), "target") }
            } else {
                let versions = entry.versions.map(\.name).filter { !Target.reservedNames.contains($0) }
                let names = Target.reservedNames + versions
                let nearest = report.nearest(to: target, among: names)
                report(.unknownTarget(target, among: names, nearest: nearest), "target")
            }
        }
        if let remote = node["remote"], case .object(let members) = remote.kind, remote["url"] == nil, isWhole {
            // An object of another form has been refused by its keys.
            let forms = ["cluster", "consul", "etcd", "kubernetes", "dns", "ssh", "command"]
            if !members.contains(where: { forms.contains($0.name) }) { report(.remoteWithoutURL, "remote") }
        }
        let canRun = entry.runsHere || has("remote") || !entry.versions.isEmpty
        if isWhole, !canRun { report.error(.nothingToRun, at: entry.nameOffset, trail) }
        // Versions may have what runs it.
        if isWhole, canRun, has("build"), !entry.runsHere, entry.versions.isEmpty { report(.buildWithoutRun, "build") }
        let limitsProcesses = node["limits"]?.members?.contains { Limits.ofProcesses.contains($0.name) } ?? false
        if isWhole, canRun, limitsProcesses, !entry.runsHere, entry.versions.isEmpty {
            report(.limitsWithoutRun, "limits")
        }
        if isWhole, canRun, service.watch != nil, !entry.runsHere, entry.versions.isEmpty {
            report(.watchWithoutRun, "watch")
        }
    }

    private func checkVersions(isWhole: Bool) {
        var names: [String: JSONSyntax.Member] = [:]
        for (member, version) in zip(node["versions"]?.members ?? [], zip(entry.versions, service.versions)) {
            let trail = trail.key("versions").key(member.name)
            let folded = member.name.lowercased()
            if Target.reservedNames.contains(folded) {
                report.error(.reservedVersion(member.name), at: member.nameOffset, trail)
            }
            if let other = names[folded], other.name != member.name {
                let place = report.position(at: other.nameOffset)
                report.error(.sameName(member.name, as: other.name, at: place), at: member.nameOffset, trail)
            }
            names[folded] = names[folded] ?? member
            guard case .object = member.value.kind else { continue }
            if isWhole, !version.0.entry.runsHere {
                report.error(.versionWithoutRun, at: member.nameOffset, trail)
            }
            checkListener(of: member, trail)
            ServiceRules(
                report: report, roster: roster, entry: version.0.entry, service: version.1.service, trail: trail
            ).checkProcess()
        }
    }

    /// A version listens where its service does, and shares no port with it.
    private func checkListener(of version: JSONSyntax.Member, _ trail: KeyTrail) {
        guard let own = version.value["listens"] else {
            if case .fixed(let port) = service.listens {
                report.error(.versionWithoutListens(port), at: version.nameOffset, trail)
            }
            return
        }
        if (own.bool == false) != (service.listens == .nothing) {
            report.error(.versionListensOtherwise, at: own.offset, trail.key("listens"))
        }
    }

    private func checkUses(isWhole: Bool) {
        var seen: Set<String> = []
        for (index, use) in (node["uses"]?.elements ?? []).enumerated() {
            guard let name = use.string, !name.isEmpty else { continue }
            let trail = trail.key("uses").element(index)
            let called = UnitName.service(of: name)
            if !seen.insert(called.lowercased()).inserted {
                report.error(.usesTwice(called), at: use.offset, trail)
            } else if isWhole, let used = checkKnown(called, at: use.offset, trail) {
                if !used.hasFront { report.warning(.usesWorker(used.name), at: use.offset, trail) }
                checkVersion(of: name, used, at: use.offset, trail)
            }
        }
    }

    /// `members@next` names a target that `members` has.
    private func checkVersion(of name: String, _ used: Roster.Entry, at offset: Int, _ trail: KeyTrail) {
        guard let version = UnitName.version(of: name), used.target(version) == nil else { return }
        let nearest = report.nearest(to: version, among: used.targetNames)
        report.error(
            .unknownVersion(version, of: used.name, among: used.targetNames, nearest: nearest), at: offset, trail)
    }

    @discardableResult
    private func checkKnown(_ name: String, at offset: Int, _ trail: KeyTrail) -> Roster.Entry? {
        if let known = roster[name] { return known }
        let nearest = report.nearest(to: name, among: roster.entries.lazy.map(\.name))
        report.error(.unknownService(name, nearest: nearest, isHidden: roster.isHidden(name)), at: offset, trail)
        return nil
    }

    private func checkDependencies(isWhole: Bool) {
        guard case .object(let members) = node["dependsOn"]?.kind else { return }
        for member in members {
            let trail = trail.key("dependsOn").key(member.name)
            if member.isExtension {
                if roster.isHidden(member.name) { checkKnown(member.name, at: member.nameOffset, trail) }
                continue
            }
            if member.name.lowercased() == entry.name.lowercased() {
                report.error(.dependsOnItself, at: member.nameOffset, trail)
                continue
            }
            guard let target = isWhole ? checkKnown(member.name, at: member.nameOffset, trail) : roster[member.name]
            else { continue }
            let isJob = target.node["oneShot"]?.bool == true
            switch member.value.string.flatMap(Dependency.Condition.init(rawValue:)) {
            case .completed:
                if let why = whyItNeverCompletes(target.node) {
                    report.error(.neverCompletes(target.name, because: why), at: member.value.offset, trail)
                }
            case .ready where isJob && target.node["ready"] == nil:
                report.warning(.jobNeverReady(target.name), at: member.value.offset, trail)
            default: break
            }
        }
    }

    /// A service that exits 0 by itself is completed too, so only what cannot be is refused.
    private func whyItNeverCompletes(_ target: JSONSyntax) -> String? {
        if target["target"]?.string == "remote"
            || target["target"] == nil && target["run"] == nil && target["container"] == nil
                && target["remote"] != nil
        {
            return "runs elsewhere"
        }
        return target["restart"]?.string == "always" ? "is always restarted" : nil
    }

    private func checkProbes() {
        for key in ["ready", "live"] {
            guard let probe = node[key], let members = probe.members else { continue }
            let kinds = ["http", "tcp", "command", "log"].filter { kind in members.contains { $0.name == kind } }
            if kinds.count > 1 {
                let second = members.filter { kinds.contains($0.name) }[1]
                report.error(.several(kinds), at: second.nameOffset, trail.key(key).key(second.name))
            }
            if key == "live", kinds.isEmpty { report(.liveWithoutKind, key) }
            if service.listens == .nothing, let kind = kinds.first(where: { $0 == "http" || $0 == "tcp" }) {
                report.error(.probeWithoutListener(kind), at: probe[kind]!.offset, trail.key(key).key(kind))
            }
        }
        if let log = node["ready"]?["log"], let text = log.string, !text.isEmpty, (try? Regex(text)) == nil {
            report.error(.malformedExpression(text), at: log.offset, trail.key("ready").key("log"))
        }
    }

    private func checkContainer() {
        guard let container = node["container"] else { return }
        if has("run") { report(.containerAndRun, "container") }
        if service.listens == .nothing, let port = container["port"] {
            report.error(.workerWith("port"), at: port.offset, trail.key("container").key("port"))
        }
    }

    private func checkListener() {
        switch service.listens {
        case .fixed(let port):
            if service.instances > 1 {
                report(
                    .fixedPort("\(service.instances) instances", "Remove \"instances\", or let it listen on $PORT"),
                    "instances")
            }
            if service.handover == .overlap {
                report(
                    .fixedPort("\"overlap\", with two for a while", "Use \"hold\", or let it listen on $PORT"),
                    "handover")
            }
            if service.port == port {
                report(.fixedPort("the front's port, \(port) too", "Choose another \"port\", or remove it"), "port")
            }
        case .nothing:
            for key in ["port", "remote", "route", "timeouts", "retries"] where has(key) {
                report(.workerWith(key), key)
            }
            // What its processes use can be limited.
            for member in node["limits"]?.members ?? [] where !Limits.ofProcesses.contains(member.name) {
                report(.workerWith("limits.\(member.name)"), "limits")
            }
        case .assigned: break
        }
    }

    private func checkJob() {
        guard service.oneShot else { return }
        if service.instances > 1 { report(.jobWith("\(service.instances) instances"), "instances") }
        if service.restart == .always { report(.jobWith("\"restart\": \"always\""), "restart") }
        if has("live") { report(.jobWith("\"live\""), "live") }
        if service.handover == .overlap { report(.jobWith("\"handover\": \"overlap\""), "handover") }
    }
}

extension JSONSyntax {
    fileprivate func has(_ key: String) -> Bool { self[key] != nil }
}
