import Control
import Manifest
import Platform
import Project
import Supervisor
import Watch

/// What a mesh says to people. Each says what happened, why, and what to do next.
enum Sentences {
    static func cannotStart(_ error: Errno) -> String { "The mesh can't start: \(error.explained)." }

    // MARK: Ends that nobody asked for

    static let isUnguarded =
        "This system lets no process guard the mesh: should devmesh be killed (kill -9), programs may be left running. "
        + "The next `devmesh up` ends them."

    static let firstProcessEnded = "its first process was killed"
    static let guardianEnded = "its guardian was killed"

    static func supervisorGaveUp(_ code: Int32) -> String { "its supervisor failed (exit code \(code))" }

    static func supervisorEnded(_ how: Signal) -> String {
        how == .kill ? "its supervisor was killed (SIGKILL)" : "its supervisor crashed (\(how))"
    }

    /// For the terminal of a mesh whose supervisor is no more.
    static func isDown(_ how: String, left: [ProcessEntry], report: String?) -> [String] {
        var lines = [
            "The mesh is down: \(how). Everything that it had started is ended; logs, ports and choices are kept. "
                + "`devmesh up` starts it again."
        ]
        if let report { lines.append(isReported(report)) }
        if let stuck = wouldNotDie(left) { lines.append(stuck) }
        return lines
    }

    /// For the log of each service that was running.
    static func endedWithSupervisor(_ how: String) -> String { "ended with the mesh: \(how)" }

    private static func isReported(_ path: String) -> String {
        "The crash is described in \(path): please report it with that file."
    }

    /// Names processes that SIGKILL did not end; nil where there are none.
    static func wouldNotDie(_ left: [ProcessEntry]) -> String? {
        guard !left.isEmpty else { return nil }
        let names = left.map { "\(ProcessTable.program(of: $0.pid) ?? "a process") (pid \($0.pid))" }
        return "SIGKILL did not end \(names.joined(separator: ", ")): it hangs in the kernel, as on a network disk, or "
            + "belongs to another user. `cat /proc/\(left[0].pid)/stack` may tell where."
    }

    /// What the next `up` says after an end that was none in order.
    static func recovered(_ leftovers: Leftovers, report: String?) -> [String] {
        let start = "The last mesh of this project"
        var lines: [String]
        switch leftovers.end {
        case .withTheMachine: return []
        case .told(let time, let how):
            lines = [
                "\(start) ended at \(time.rfc3339()): \(how). Everything that it had started was ended then; logs, ports "
                    + "and choices are kept."
            ]
        case .alone:
            let which = leftovers.began.map { ", pid \($0.supervisor), up since \($0.time.rfc3339())," } ?? ""
            lines = [
                "\(start)\(which) was killed and its guardian with it; logs, ports and choices are kept."
            ]
        }
        if !leftovers.ended.isEmpty {
            let names = leftovers.ended.map { "\($0.name) (pid \($0.pid))" }
            lines.append("Ended what it had left running: \(names.joined(separator: ", ")).")
        }
        if let report { lines.append(isReported(report)) }
        return lines
    }

    static func logsFail(_ service: String, _ error: Errno) -> String {
        "The log of \(service) can't be stored: \(error.explained). The service runs on; storing goes on as soon as it can."
    }

    /// Of a service that was running when its mesh was killed.
    static func lastLinesLost(_ service: String, _ error: Errno) -> String {
        "The last lines of \(service) are lost: they could not be stored (\(error))."
            + (error == .noSpace ? " Make room on the disk." : "")
    }

    static func containersLeft(_ project: LocatedProject) -> String {
        let label = Container.label(ofProject: project.hash)
        return "Containers of this project could not be taken away: docker failed or did not answer. Once it does, "
            + "`docker rm -f $(docker ps -aq --filter label=\(label))` takes them away, and so does the next `devmesh up` "
            + "or `devmesh down`."
    }

    static func containersAwaited(_ client: String, _ patience: Duration) -> String {
        "Waiting for \(client), at most \(patience.inWords): it has to take this project's containers away, and has not "
            + "answered yet."
    }

    static let containersTaken = "Containers that an earlier mesh of this project may have left were taken away."

    /// What is left after all that could be done; nil where nothing is.
    static func left(_ processes: [ProcessEntry], hasContainers: Bool, of project: LocatedProject) -> String? {
        let left = [wouldNotDie(processes), hasContainers ? containersLeft(project) : nil].compactMap { $0 }
        return left.isEmpty ? nil : left.joined(separator: " ")
    }

    static func unreachable(from bridge: String, _ reason: String) -> String {
        "Containers can't call services from their network, at \(bridge). \(reason)"
    }

    static func isStopping(_ name: String) -> String {
        "\(name) is going down. Wait until `devmesh down` returns, then start it with `devmesh up`."
    }

    static func noService(_ name: String, _ known: [String]) -> String {
        let hint =
            if let nearest = Manifest.nearest(to: name, among: known) {
                "Did you mean \"\(nearest)\"?"
            } else if known.isEmpty {
                "The manifest declares no services."
            } else {
                "There are: \(known.joined(separator: ", "))."
            }
        return "There is no service \"\(name)\". \(hint)"
    }

    static func noTarget(_ target: String, _ service: String, _ known: [String], _ why: String) -> String {
        let nearest = Manifest.nearest(to: target, among: known).map { " Did you mean \"\($0)\"?" } ?? ""
        let list = known.joined(separator: ", ")
        return "\(service) can't be served from \(target): it has \(list.isEmpty ? "no targets" : list), "
            + "and \(target) is no git ref that could be checked out (\(why)).\(nearest)"
    }

    static func lacksTarget(_ service: String, _ target: String, _ key: String) -> String {
        "\(service) has no \(target); give its entry in the manifest a `\(key)`."
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

    // MARK: Terminals

    static func noTerminal(_ service: String) -> String {
        "\(service) has no terminal to attach to: give its entry in the manifest `\"tty\": true`, and `devmesh up` again."
    }

    static func noInstance(_ service: String, _ instance: Int, of count: Int) -> String {
        "There is no \(service).\(instance): \(service) has \(count == 1 ? "one instance" : "\(count) instances")"
            + (instance > count ? ". `devmesh scale \(service)=\(instance)` would make it one." : ", from 1 on.")
    }

    static func terminalBegan(_ instance: String) -> String { "\(instance) is started" }

    static func terminalEnded(_ instance: String) -> String {
        "\(instance) has ended; its next start is shown here"
    }

    static func terminalIsEmpty(_ instance: String) -> String {
        "\(instance) is not running; its next start is shown here"
    }

    static func terminalTooFast(_ count: Int) -> String {
        "\(count) bytes were left out here: too much came at once; `devmesh logs` has them"
    }

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
