import JSON

/// What holds within the `route` of one service.
struct RoutingRules {
    let report: Report
    let roster: Roster
    let entry: Roster.Entry
    let trail: KeyTrail

    /// - Parameter isWhole: false where syntax errors may have hidden parts, so that nothing is said to be missing.
    func run(_ route: JSONSyntax, isWhole: Bool) {
        guard case .object = route.kind else { return }
        if let weights = route["weights"] { check(weights, trail.key("weights"), isWhole) }
        checkMatches(route, "headers", isWhole) { Routing.Match(header: $0) }
        checkMatches(route, "cookies", isWhole) { Routing.Match(cookie: $0) }
        checkCallers(route["from"], isWhole)
        if let mirror = route["mirror"] { checkTarget(mirror, trail.key("mirror"), isWhole) }
        checkSticky(route["sticky"])
        if entry.node["protocol"]?.string == "tcp" {
            for key in ["headers", "cookies", "mirror"] {
                guard let node = route[key], node.elements?.isEmpty != true else { continue }
                report.error(.needsHTTP(key), at: node.offset, trail.key(key))
            }
        }
    }

    private func check(_ weights: JSONSyntax, _ trail: KeyTrail, _ isWhole: Bool) {
        guard let members = weights.members else { return }
        for member in members { checkTarget(member.name, at: member.nameOffset, trail.key(member.name), isWhole) }
        // What is no number has been reported.
        let numbers = members.compactMap { $0.value.wholeNumber }
        if isWhole, numbers.count == members.count, numbers.allSatisfy({ $0 == 0 }) {
            report.error(.weightlessRoute(isEmpty: members.isEmpty), at: weights.offset, trail)
        }
    }

    private func checkMatches(
        _ route: JSONSyntax, _ key: String, _ isWhole: Bool, _ read: (String) -> Routing.Match?
    ) {
        var seen: Set<[String]> = []
        for (index, node) in (route[key]?.elements ?? []).enumerated() {
            guard let match = node.string.flatMap(read) else { continue }
            let trail = trail.key(key).element(index)
            checkTarget(match.target, at: node.offset, trail, isWhole)
            let name = key == "headers" ? match.name.lowercased() : match.name
            if !seen.insert([name, match.value]).inserted {
                report.error(.sameMatch(node.string ?? ""), at: node.offset, trail)
            }
        }
    }

    private func checkCallers(_ from: JSONSyntax?, _ isWhole: Bool) {
        for member in from?.members ?? [] {
            let trail = trail.key("from").key(member.name)
            if member.value.string != nil {
                checkTarget(member.value, trail, isWhole)
            } else {
                check(member.value, trail, isWhole)
            }
            guard isWhole, TextRule.serviceName.matches(member.name) else { continue }
            guard let caller = roster[member.name] else {
                let nearest = report.nearest(to: member.name, among: roster.entries.lazy.map(\.name))
                let isHidden = roster.isHidden(member.name)
                report.error(
                    .unknownService(member.name, nearest: nearest, isHidden: isHidden), at: member.nameOffset, trail)
                continue
            }
            let uses = (caller.node["uses"]?.elements ?? []).compactMap { $0.string?.split(separator: "@").first }
            if !uses.contains(where: { $0.lowercased() == entry.name.lowercased() }) {
                report.warning(.callerWithoutEdge(caller.name, entry.name), at: member.nameOffset, trail)
            }
        }
    }

    private func checkTarget(_ node: JSONSyntax, _ trail: KeyTrail, _ isWhole: Bool) {
        guard let name = node.string, !name.isEmpty else { return }
        checkTarget(name, at: node.offset, trail, isWhole)
    }

    private func checkTarget(_ name: String, at offset: Int, _ trail: KeyTrail, _ isWhole: Bool) {
        let names = entry.targetNames
        guard isWhole, entry.target(name) == nil, !names.isEmpty else { return }
        let nearest = report.nearest(to: name, among: names)
        report.error(.noSuchTarget(name, of: entry.name, among: names, nearest: nearest), at: offset, trail)
    }

    private func checkSticky(_ sticky: JSONSyntax?) {
        guard let sticky, let members = sticky.members else { return }
        let kinds = members.filter { $0.name == "header" || $0.name == "cookie" }
        if kinds.isEmpty { report.error(.stickyByNothing, at: sticky.offset, trail.key("sticky")) }
        if kinds.count > 1 {
            report.error(.stickyByBoth, at: kinds[1].nameOffset, trail.key("sticky").key(kinds[1].name))
        }
    }
}
