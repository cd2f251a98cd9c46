import Control
import Manifest
import Proxy

// Routes, faults and limits in the words of the rooms that know them: the manifest's, the control API's, the proxy's.

extension RouteRules {
    init(_ routing: Routing) {
        func weights(_ weights: [Routing.Weight]) -> [Weight] { weights.map { Weight($0.target, $0.weight) } }
        func matches(_ matches: [Routing.Match]) -> [Match] {
            matches.map { Match(name: $0.name, value: $0.value, target: $0.target) }
        }
        let sticky: Sticky =
            switch routing.sticky {
            case .none: .none
            case .client: .client
            case .header(let name): .header(name)
            case .cookie(let name): .cookie(name)
            }
        self.init(
            weights: weights(routing.weights), headers: matches(routing.headers), cookies: matches(routing.cookies),
            callers: routing.callers.map { Caller($0.service, weights($0.weights)) }, sticky: sticky,
            mirror: routing.mirror, propagate: routing.propagate)
    }

    /// Every target that they name, each once.
    var targets: [String] {
        let all =
            weights.map(\.target) + callers.flatMap { $0.weights.map(\.target) }
            + (headers + cookies).map(\.target) + [mirror].compactMap { $0 }
        var seen: Set<String> = []
        return all.filter { seen.insert($0).inserted }
    }

    /// With the names of targets and callers as `target` and `caller` spell them. What these don't know is left out.
    func spelled(target: (String) -> String?, caller: (String) -> String?) -> RouteRules {
        func weights(_ weights: [Weight]) -> [Weight] {
            let known = weights.compactMap { weight in target(weight.target).map { Weight($0, weight.weight) } }
            return known.contains { $0.weight > 0 } ? known : []
        }
        func matches(_ matches: [Match]) -> [Match] {
            matches.compactMap { match in
                target(match.target).map { Match(name: match.name, value: match.value, target: $0) }
            }
        }
        var rules = self
        rules.weights = weights(self.weights)
        rules.headers = matches(headers)
        rules.cookies = matches(cookies)
        rules.callers = callers.compactMap { rule in
            let own = weights(rule.weights)
            return own.isEmpty ? nil : caller(rule.service).map { Caller($0, own) }
        }
        rules.mirror = mirror.flatMap(target)
        return rules
    }

    /// `local 90, next 10`; nil where all go to the target in use.
    var shares: String? { weights.isEmpty ? nil : Self.text(weights) }

    private static func text(_ weights: [Weight]) -> String {
        weights.count == 1 ? weights[0].target : weights.map { "\($0.target) \($0.weight)" }.joined(separator: ", ")
    }

    /// For an event: `local 90, next 10; x-user: me to next; from reader next`.
    var summary: String {
        var parts = [shares].compactMap { $0 }
        parts += headers.map { "\($0.name): \($0.value) to \($0.target)" }
        parts += cookies.map { "\($0.name)=\($0.value) to \($0.target)" }
        parts += callers.map { "from \($0.service) to \(Self.text($0.weights))" }
        if let mirror { parts.append("mirror \(mirror)") }
        return parts.joined(separator: "; ")
    }
}

extension Route {
    /// - Parameters:
    ///   - target: the one in use.
    ///   - pins: what callers insist on, unless the rules say something of the same caller.
    init(_ rules: RouteRules, inUse target: String, pins: [(caller: String, target: String)] = []) {
        func shares(_ weights: [RouteRules.Weight]) -> Shares? { Shares(weights.map { ($0.target, $0.weight) }) }
        let sticky: Sticky =
            switch rules.sticky {
            case .none: .none
            case .client: .client
            case .header(let name): .header(HeaderMark(name))
            case .cookie(let name): .cookie(CookieMark(name))
            }
        let ruled = rules.callers.compactMap { rule in shares(rule.weights).map { CallerShares(rule.service, $0) } }
        let pinned = pins.filter { pin in !ruled.contains { $0.caller == pin.caller } }
        self.init(
            shares(rules.weights) ?? Shares(target),
            matches: rules.headers.map { Match(header: $0.name, $0.value, target: $0.target) }
                + rules.cookies.map { Match(cookie: $0.name, $0.value, target: $0.target) },
            callers: ruled + pinned.map { CallerShares($0.caller, Shares($0.target)) }, sticky: sticky,
            mirror: rules.mirror, propagate: rules.propagate.map { Carrier($0) })
    }
}

extension Fault {
    init(_ rule: FaultRule) {
        let ending: Ending? = rule.disconnect ? .disconnect : rule.abort.map { .abort(status: $0) }
        self.init(
            caller: rule.caller, delay: .milliseconds(rule.delay), jitter: .milliseconds(rule.jitter), ending: ending,
            rate: rule.bytesPerSecond, percent: rule.percent)
    }
}

extension Resilience {
    init(_ service: Service) {
        let statuses = service.retries.on.compactMap { if case .status(let status) = $0 { status } else { nil } }
        self.init(
            timeouts: Timeouts(
                connect: service.timeouts.connect, response: service.timeouts.response, idle: service.timeouts.idle,
                body: service.timeouts.body),
            retries: Retries(
                attempts: service.retries.attempts, onConnect: service.retries.on.contains(.connect),
                onReset: service.retries.on.contains(.reset), statuses: statuses,
                budget: .init(percent: service.retries.budget)),
            connections: service.limits.connections, waiting: service.limits.waiting,
            breaker: service.limits.breaker.map { .init(failures: $0.failures, open: $0.open) },
            ejection: service.limits.ejection.map { .init(failures: $0.failures, time: $0.time) })
    }
}
