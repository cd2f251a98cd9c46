import Manifest
import Control
import Platform

extension Sentences {
    static let noGateway = "The mesh has no gateway: it is older than this devmesh. `devmesh down`, then `devmesh up`."

    static func noAddress(_ service: String) -> String {
        "\(service) has no address: it listens nowhere (\"listens\": false)."
    }

    /// A name that no service has.
    static func unknownService(_ name: String, among names: [String]) -> String {
        if let nearest = Manifest.nearest(to: name, among: names) {
            return "There is no service \"\(name)\". Did you mean \"\(nearest)\"?"
        }
        if names.isEmpty { return "There is no service \"\(name)\"; the manifest has none." }
        return "There is no service \"\(name)\". The manifest has \(Phrase.list(names, joined: "and"))."
    }

    static func done(_ verb: ServiceAction, _ service: String) -> String {
        switch verb {
        case .start: "\(service) is up."
        case .stop: "\(service) is stopped."
        case .restart: "\(service) is restarted."
        case .build: "\(service) is built."
        }
    }

    /// With `--no-wait`.
    static func begun(_ verb: ServiceAction, _ service: String) -> String {
        switch verb {
        case .start: "\(service) is starting."
        case .stop: "\(service) is stopping."
        case .restart: "\(service) is restarting."
        case .build: "\(service) is being built."
        }
    }

    static func failed(_ verb: ServiceAction, _ service: String, _ reason: String?) -> String {
        let what =
            switch verb {
            case .start: "started"
            case .stop: "stopped"
            case .restart: "restarted"
            case .build: "built"
            }
        return because("\(service) could not be \(what)", reason, service) + " `devmesh why \(service)` says more."
    }

    static func nothingToBuild(_ service: String) -> String {
        "it has nothing to build; give services.\(service) a `build` command"
    }

    static func notCheckedOut(_ ref: String) -> String {
        "\(ref) is checked out only while a mesh is up; start it with `devmesh up`"
    }

    static func buildEnded(_ status: ExitStatus) -> String {
        "the build ended with \(status); what it printed stands above"
    }

    static func buildFailed(_ service: String, _ reason: String) -> String {
        "\(service) could not be built: \(Phrase.withoutStop(reason))."
    }

    static func using(_ service: String, _ target: String) -> String { "\(service) is now served by \(target)." }

    static func usingManifest(_ service: String) -> String { "\(service) is as the manifest says." }

    static func couldNotUse(_ service: String, _ target: String?, _ reason: String?) -> String {
        let what = target.map { "\(service) could not be served by \($0)" } ?? "\(service) could not be reset"
        return because(what, reason, service) + " What served it before goes on; `devmesh logs \(service)` says more."
    }

    static func routed(_ service: String) -> String {
        "\(service) is routed so; `devmesh route \(service)` shows how."
    }

    static func routedAsManifest(_ service: String) -> String { "\(service) is routed as the manifest says." }

    static func couldNotRoute(_ service: String, _ reason: String?) -> String {
        because("\(service) could not be routed so, and its route is as it was", reason, service)
    }

    static func sticky(_ how: String) -> String { "A client gets the target again that it got before, known \(how)." }

    static func carried(by headers: [String]) -> String {
        "Headers count also as members of \(Phrase.list(headers, joined: "and"))."
    }

    static func routeDiffers(_ service: String) -> String {
        "`devmesh route` chose this; `devmesh route \(service) --clear` goes back to the manifest's."
    }

    static func noFaults(_ service: String) -> String { "Nothing is made to go wrong with requests to \(service)." }

    static func noFault(_ service: String, of caller: String) -> String {
        "No fault of its own awaits the calls of \(caller) to \(service)."
    }

    static func faulty(_ service: String) -> String {
        "Requests to \(service) go wrong from now on; `devmesh fault \(service) --clear` ends it."
    }

    static func couldNotFault(_ service: String, _ reason: String?) -> String {
        because("The faults of \(service) could not be changed", reason, service)
    }

    static func scaled(_ service: String, _ count: Int) -> String {
        "\(service) has \(Phrase.count(count, "instance"))."
    }

    static func couldNotScale(_ service: String, _ count: Int, _ reason: String?) -> String {
        because("\(service) could not have \(Phrase.count(count, "instance"))", reason, service)
    }

    static func watched(_ service: String, isOn: Bool) -> String {
        isOn
            ? "\(service) is watched: when its files change, it is built and restarted."
            : "\(service) is no longer watched; `devmesh restart \(service)` builds and restarts it."
    }

    static func couldNotWatch(_ service: String, _ reason: String?) -> String {
        because("\(service) can't be watched", reason, service)
    }

    static let nothingWouldChange = "Nothing would change."

    /// `what: the reason.`, or the reason alone where that itself says what the service can't do.
    private static func because(_ what: String, _ reason: String?, _ service: String) -> String {
        guard let reason = reason.map(Phrase.withoutStop) else { return what + "." }
        return reason.hasPrefix("\(service) can't ") ? reason + "." : "\(what): \(reason)."
    }

    /// One that has completed counts as ready, and is not called so.
    static func conditionMet(_ services: [(name: String, state: String)], _ condition: String) -> String {
        let completed = condition == "ready" ? services.filter { $0.state == "completed" }.map(\.name) : []
        let others = services.map(\.name).filter { !completed.contains($0) }
        return [(others, condition), (completed, "completed")].filter { !$0.0.isEmpty }.map { names, state in
            Phrase.list(names, joined: "and") + (names.count == 1 ? " is \(state)." : " are \(state).")
        }.joined(separator: " ")
    }

    static func waitedTooLong(_ services: [String], _ condition: String, _ limit: String) -> String {
        let verb = services.count == 1 ? "is" : "are"
        return "\(Phrase.list(services, joined: "and")) \(verb) not \(condition) after \(limit). "
            + "`devmesh why \(services.first ?? "SERVICE")` says more."
    }

    static func willNotBe(_ services: [String], _ condition: String) -> String {
        let verb = services.count == 1 ? "is" : "are"
        return "\(Phrase.list(services, joined: "and")) \(verb) not \(condition), and will not be. "
            + "`devmesh why \(services.first ?? "SERVICE")` says more."
    }
}
