import JSON

/// Reads the keys that say what becomes of requests on their way.
extension ManifestReader {
    /// - Parameters:
    ///   - node: the value of `route`.
    ///   - entry: the service whose route it is.
    func routing(_ node: JSONSyntax?, of entry: Roster.Entry, _ roster: Roster) -> Routing {
        guard let node else { return Routing() }
        func target(_ name: String) -> String { entry.target(name)?.name ?? name }
        func weights(_ node: JSONSyntax?) -> [Routing.Weight] {
            (node?.members ?? []).map { .init(target($0.name), $0.value.wholeNumber ?? 0) }
        }
        func matches(_ key: String, _ read: (String) -> Routing.Match?) -> [Routing.Match] {
            (node[key]?.elements ?? []).compactMap { $0.string.flatMap(read) }.map { match in
                Routing.Match(name: match.name, value: match.value, target: target(match.target))
            }
        }
        var routing = Routing(
            weights: weights(node["weights"]), headers: matches("headers") { Routing.Match(header: $0) },
            cookies: matches("cookies") { Routing.Match(cookie: $0) }, mirror: node["mirror"]?.string.map(target),
            propagate: (node["propagate"]?.elements ?? []).compactMap(\.string))
        routing.callers = (node["from"]?.members ?? []).compactMap { member in
            guard let caller = roster[member.name] else { return nil }
            return Routing.Caller(
                caller.name, member.value.string.map { [.init(target($0), 1)] } ?? weights(member.value))
        }
        let sticky = node["sticky"]
        if sticky?.bool == true { routing.sticky = .client }
        if let name = sticky?["header"]?.string { routing.sticky = .header(name) }
        if let name = sticky?["cookie"]?.string { routing.sticky = .cookie(name) }
        return routing
    }

    /// - Parameter standard: of the top, whose keys hold where the service's own say nothing.
    func timeouts(_ node: JSONSyntax?, default standard: Timeouts) -> Timeouts {
        Timeouts(
            connect: duration(node?["connect"]) ?? standard.connect,
            response: duration(node?["response"]) ?? standard.response, idle: duration(node?["idle"]) ?? standard.idle,
            body: duration(node?["body"]) ?? standard.body)
    }

    func retries(_ node: JSONSyntax?, default standard: Retries) -> Retries {
        let causes = node?["on"]?.elements?.compactMap { element -> Retries.Cause? in
            switch element.string {
            case "connect": .connect
            case "reset": .reset
            default: element.wholeNumber.map { .status($0) }
            }
        }
        return Retries(
            attempts: node?["attempts"]?.wholeNumber ?? standard.attempts, on: causes ?? standard.on,
            budget: node?["budget"]?.wholeNumber ?? standard.budget)
    }

    func limits(_ node: JSONSyntax?, default standard: Limits) -> Limits {
        var limits = standard
        limits.connections = node?["connections"]?.wholeNumber ?? standard.connections
        limits.waiting = node?["waiting"]?.wholeNumber ?? standard.waiting
        limits.memory = size(node?["memory"]) ?? standard.memory
        limits.cpu = node?["cpu"]?.wholeNumber ?? standard.cpu
        if let own = node?["breaker"] {
            let inherited = standard.breaker ?? Limits.Breaker()
            limits.breaker =
                own.bool == false
                ? nil
                : Limits.Breaker(
                    failures: own["failures"]?.wholeNumber ?? inherited.failures,
                    open: duration(own["open"]) ?? inherited.open)
        }
        if let own = node?["ejection"] {
            let inherited = standard.ejection ?? Limits.Ejection()
            limits.ejection =
                own.bool == false
                ? nil
                : Limits.Ejection(
                    failures: own["failures"]?.wholeNumber ?? inherited.failures,
                    time: duration(own["time"]) ?? inherited.time)
        }
        return limits
    }

    func size(_ node: JSONSyntax?) -> Int? { node?.wholeNumber ?? node?.string.flatMap(Quantities.size) }

    private func duration(_ node: JSONSyntax?) -> Duration? { node?.string.flatMap(Quantities.duration) }
}
