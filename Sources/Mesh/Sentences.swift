import Control
import Manifest
import Platform
import Project
import Supervisor
import Watch

/// What a mesh says to people. Each says what happened, why, and what to do next.
enum Sentences {
    static func cannotStart(_ error: Errno) -> String { "The mesh can't start: \(error.explained)." }

    static func logsFail(_ service: String, _ error: Errno) -> String {
        "The log of \(service) can't be stored: \(error.explained). The service runs on; storing goes on as soon as it can."
    }

    static func isStopping(_ name: String) -> String {
        "\(name) is going down. Wait until `devmesh down` returns, then start it with `devmesh up`."
    }

    static func noService(_ name: String, _ known: [String]) -> String {
        let hint =
            if let nearest = Manifest.nearest(to: name, among: known) {
                "Did you mean \(nearest)?"
            } else if known.isEmpty {
                "The manifest declares no services."
            } else {
                "There are: \(known.joined(separator: ", "))."
            }
        return "There is no service \(name). \(hint)"
    }

    static func noTarget(_ target: String, _ service: String, _ known: [String], _ why: String) -> String {
        let nearest = Manifest.nearest(to: target, among: known).map { " Did you mean \($0)?" } ?? ""
        let list = known.joined(separator: ", ")
        return "\(service) can't be served from \(target): it has \(list.isEmpty ? "no targets" : list), "
            + "and \(target) is no git ref that could be checked out (\(why)).\(nearest)"
    }

    static func lacksTarget(_ service: String, _ target: String, _ key: String) -> String {
        "\(service) has no \(target); give its entry in the manifest a `\(key)`"
    }

    static func refInsists(_ service: String, _ port: Int) -> String {
        "\(service) insists on port \(port), which two of it can't share; declare a version with a \"listens\" of its own"
    }

    static func overtaken(_ service: String, _ target: String) -> String {
        "\(service) was switched meanwhile; it is served from \(target)"
    }

    static func routedMeanwhile(_ service: String) -> String {
        "\(service) was routed or switched by another command meanwhile; `devmesh route \(service)` shows how"
    }

    /// - Parameter isManifests: whether the manifest's own route leads there.
    static func partIsStopped(_ unit: String, _ service: String, inUse: String, isManifests: Bool) -> String {
        let elsewhere = isManifests ? "`devmesh use \(service) \(inUse)`" : "`devmesh route \(service) --clear`"
        return "\(unit) is stopped, and a route sends this request there; `devmesh start \(unit)` starts it, "
            + "\(elsewhere) sends such requests to \(inUse)."
    }

    static func listensNowhere(_ service: String) -> String {
        "\(service) listens nowhere (\"listens\": false): no requests go to it, so there is nothing to route."
    }

    static func noEdge(_ caller: String, _ service: String) -> String {
        "Calls of \(caller) to \(service) can't be told from others: name \(service) in the \"uses\" of \(caller), "
            + "and `devmesh up` again."
    }

    static func routesNeedHTTP(_ service: String) -> String {
        "\(service) has \"protocol\": \"tcp\": headers, cookies and mirrors need HTTP. Route it by weights and callers."
    }

    static func routed(_ summary: String, isChosen: Bool) -> String {
        "its requests go to \(summary)" + (isChosen ? ", as `devmesh route` chose" : "")
    }

    static func faulty(_ summary: String) -> String {
        "`devmesh fault` makes requests go wrong: \(summary)"
    }

    static func servedBy(_ version: String, isRef: Bool) -> String {
        "it is served from its \(isRef ? "git ref" : "version") \(version)"
    }

    static func notInUse(_ service: String, _ target: String) -> String {
        "nobody is sent to it: \(service) is served from \(target); `devmesh use` changes that"
    }

    static func choicesNotKept(_ error: ProjectError) -> String {
        "It is done, but won't outlive a crash of devmesh: \(error)"
    }

    static func restarted(_ count: Int) -> String {
        "restarted \(count == 1 ? "once" : "\(count) times") by itself"
    }

    static let isInsecure =
        "the remote's certificate is not verified (\"insecure\" in its \"tls\"): whoever is on the way can read along"

    static func cannotWatch(_ error: Errno) -> String {
        "No files are watched: \(error). `devmesh restart SERVICE` builds and restarts by hand."
    }

    static func cannotWatch(_ service: String, isCheckout: Bool) -> String {
        isCheckout
            ? "\(service) is built from a git ref in a folder of devmesh's own, where nobody edits"
            : "\(service) doesn't run here; give its entry in the manifest a `run` command"
    }

    static func filesChanged(_ summary: String, builds: Bool) -> String {
        "\(summary) changed; \(builds ? "building" : "restarting")"
    }

    static func filesChanged(_ summary: String, at time: WallTime, builds: Bool) -> String {
        "\(summary) changed at \(time.timeOfDay), and it was \(builds ? "built" : "restarted") for that"
    }

    static func watchSuspended(_ leftOut: FlapGuard.LeftOut, builds: Bool) -> String {
        let (when, who) = builds ? ("while it is built", "its build") : ("while it starts", "it")
        let mend = "name what it writes in \"ignore\" of \"watch\""
        switch leftOut {
        case .files(let files):
            let names = files.count > 3 ? files.prefix(2) + ["\(files.count - 2) others"] : files[...]
            let list = [names.dropLast().joined(separator: ", "), names.last ?? ""].filter { !$0.isEmpty }
            return "watching \(list.joined(separator: " and ")) is suspended \(when): \(who) writes "
                + "\(files.count == 1 ? "that file" : "these files") itself, again and again; \(mend)"
        case .everything:
            return "watching its files is suspended \(when): \(who) writes other files each time; \(mend)"
        }
    }

    static func notWatched(_ unit: String, isOff: Bool) -> String {
        isOff
            ? "its files are not watched; `devmesh watch \(unit) on` changes that"
            : "its files are not watched yet"
    }

    /// What became of a manifest that has changed: `restarted reader, started feed`.
    static func followed(_ report: UpReport) -> String {
        let parts = [("started", report.started), ("restarted", report.restarted), ("removed", report.removed)]
        let told = parts.filter { !$0.1.isEmpty }.map { "\($0.0) \($0.1.joined(separator: ", "))" }
        return told.isEmpty ? "nothing to restart" : told.joined(separator: "; ")
    }

    static func manifestChanged(_ name: String, _ what: String) -> String { "\(name) has changed: \(what)." }

    static func manifestRefused(_ name: String) -> String {
        "\(name) has changed, and can't be followed; the mesh runs on as it was:"
    }

    static func couldNotFollow(_ name: String, _ service: String, _ reason: String?) -> String {
        "\(service) is not up as \(name) now has it" + (reason.map { ": \($0)" } ?? "")
            + ". `devmesh why \(service)` says more."
    }

    static func idle(_ service: String) -> String {
        "\(service) was left out of this `up`; `devmesh start \(service)` starts it"
    }
}
