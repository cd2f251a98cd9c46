import Plan
import Platform
import Project

/// What `devmesh doctor` says: of each thing how it is, and of what should be mended how.
extension Sentences {
    // MARK: The machine

    static func openFiles(_ limits: ResourceLimits) -> String {
        "devmesh may have \(number(limits.hard)) files and connections open; programs get the limit of \(number(limits.soft))"
    }

    static func processes(_ limits: ResourceLimits) -> String {
        "this user may have \(number(limits.soft)) processes and threads"
    }

    static func fileWatches(_ watches: Int, _ instances: Int) -> String {
        "\(instances) programs of this user may watch \(watches) folders and files"
    }

    static func ephemeral(_ range: ClosedRange<Int>) -> String {
        "connections come from ports \(range.lowerBound) to \(range.upperBound), out of devmesh's way"
    }

    static func ephemeralOverlaps(_ range: ClosedRange<Int>) -> String {
        "connections come from ports \(range.lowerBound) to \(range.upperBound), and may take one that a service is "
            + "given from 10000 upwards"
    }

    static let mendEphemeral = "`sudo sysctl net.ipv4.ip_local_port_range=\"32768 60999\"`"

    static func controlGroups(below folder: String?) -> String {
        guard let folder else { return "this user may make none; whatever a mesh has started is found without" }
        return "a mesh may get its own in \(folder), and all that it starts stays in there"
    }

    static func loopback(hasV6: Bool) -> String {
        hasV6 ? "services answer on 127.0.0.1 and ::1" : "services answer on 127.0.0.1; this machine has no ::1"
    }

    static func clockIsBehind(_ time: String) -> String {
        "this machine believes that it is \(time); no certificate is valid then"
    }

    static let mendClock = "set the clock: `sudo timedatectl set-ntp true`"

    /// Limits that are none are enormous.
    private static func number(_ limit: UInt64) -> String { limit > 1 << 40 ? "any number of" : "\(limit)" }

    // MARK: The project

    static func noManifest(_ folder: String) -> String {
        "there is no services.json in \(folder) or above it; only the machine is looked at"
    }

    static func ports(_ ports: [Int], isGiven: Bool, mesh: MeshRecord?) -> String {
        let span = "\(ports.min() ?? 0) to \(ports.max() ?? 0)"
        if let mesh { return "\(mesh.name) is up (pid \(mesh.pid)) and listens on \(ports.count) ports from \(span)" }
        return "\(ports.count) ports from \(span) are free" + (isGiven ? "" : "; the first `up` takes them")
    }

    static func insistedPortHeld(_ port: Int, _ service: String, _ owner: PortOwner) -> String {
        "\(service) insists on port \(port) (\"listens\"), which is held by \(owner)"
    }

    static func freePort(_ owner: PortOwner) -> String {
        switch owner {
        case .process(let pid, _): "stop that process (`kill \(pid)`), or change \"listens\""
        case .mesh(let manifest): "stop that mesh (`devmesh -f \(manifest) down`), or change \"listens\""
        case .user, .system, .unknown: "stop that process, or change \"listens\""
        }
    }

    static let mendRegistry = "`devmesh ports` writes it anew; the damaged one is kept beside it"

    static func meshes(_ count: Int, removed: Int) -> String {
        let dead = removed > 0 ? "; what \(Phrase.count(removed, "dead one")) had left was removed" : ""
        return (count == 0 ? "none is up" : "\(count) up (`devmesh ls`)") + dead
    }

    static func registry(_ count: Int, gone: Int) -> String {
        let left = gone > 0 ? "; those of \(gone) whose manifest is gone are given to others when they run out" : ""
        return "\(Phrase.count(count, "project")) with ports of their own" + left
    }

    static let crashed = "the last mesh of this project did not end in order, and may have left processes running"
    static let mendCrash = "`devmesh down` ends them; `devmesh up` does so, too, and says what happened"

    static let leftContainers = "the last mesh of this project could not take its containers away, and they may run on"
    static let mendContainers = "`devmesh down` takes them away as soon as docker answers; so does `devmesh up`"

    static func leftWorktrees(_ count: Int, _ folder: String) -> String {
        "a mesh that did not end by itself left \(Phrase.count(count, "checkout")) of git refs in \(folder)"
    }

    static let mendWorktrees = "`devmesh up` makes those that it needs anew and removes the others"

    static func space(_ free: Int, _ folder: String) -> String {
        "\(SizeText.short(free)) free for \(folder)"
    }

    static func notAFolder(_ path: String, _ folder: String) -> String { "\(path) is no folder, so \(folder) can't be" }

    static func mendNotAFolder(_ path: String) -> String { "move \(path) away" }

    static func unwritable(_ nearest: String, _ folder: String, _ error: Errno) -> String {
        "\(nearest), where \(folder) belongs, can't be written: \(error)"
    }

    /// That folder and none above it becomes the user's own.
    static func mendUnwritable(_ folder: String, _ error: Errno) -> String {
        error == .accessDenied
            ? "`sudo install -d -m 700 -o $(id -un) \(ShellText.quote(folder))`"
            : "keep the project, XDG_STATE_HOME and XDG_RUNTIME_DIR where it can be written"
    }

    // MARK: Programs

    static func programs(_ found: [String]) -> String {
        found.isEmpty ? "the manifest's commands need none from the PATH" : "found: \(found.joined(separator: ", "))"
    }

    static func noProgram(_ name: String, _ key: String, _ service: String) -> String {
        "`\(key)` of \(service) begins with \(name), which can't be executed"
    }

    static func noFolder(_ path: String, _ service: String) -> String {
        "the folder of \(service), \(path), does not exist"
    }

    static func mendFolder(_ path: String) -> String { "create it, or mend \"directory\" in the manifest" }

    static let noGit = "there is no git, and versions of the manifest are git refs"
    static func gitFails(_ path: String) -> String { "\(path) does not work: `git --version` failed" }
    static let mendGit = "install git, or name the versions' folders by \"directory\""

    static let noClient = "there is no docker or podman, and services of the manifest run in containers"
    static let mendClient = "install one of them, or give these services a `run` command in place of `container`"
    static func clientFails(_ client: String) -> String {
        "\(client) runs no containers: `\(client) info` had no answer of its daemon"
    }
    static func mendDaemon(_ client: String) -> String {
        "start its daemon, or mend DOCKER_HOST where that is set; `\(client) info` tells why"
    }

    // MARK: Remotes

    static let noTLS = "no OpenSSL that devmesh can use: https remotes and `devmesh trust` need it"

    static func tls(_ version: String, _ trust: String) -> String { "\(version), with the authorities of \(trust)" }

    static func noTrust(_ file: String, _ folder: String) -> String {
        "neither \(file) nor \(folder) has any authorities: no https server is believed"
    }

    static let mendTrust =
        "install them (Debian, Ubuntu, Alpine, Fedora: package ca-certificates), or name a file in SSL_CERT_FILE"

    static func notResolved(_ host: String, _ reason: String) -> String { "\(host) has no address: \(reason)" }
    static let mendName = "check the name, the network and the VPN"
    static func reached(_ place: String, _ address: String) -> String { "\(place) accepts connections at \(address)" }
    static func notReached(_ place: String, _ error: Errno) -> String { "\(place) can't be reached: \(error)" }
    static let mendReach = "check the network, the VPN and whether the service is up there"

    // MARK: The whole

    static func healthy(warnings: Int) -> String {
        warnings == 0 ? "Nothing to mend." : "No problems; \(Phrase.count(warnings, "warning"))."
    }

    static func unhealthy(problems: Int, warnings: Int) -> String {
        let more = warnings > 0 ? ", \(Phrase.count(warnings, "warning"))" : ""
        return "\(Phrase.count(problems, "problem"))\(more): follow the arrows and run `devmesh doctor` again."
    }
}
