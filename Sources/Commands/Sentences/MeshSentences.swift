import Platform

/// What devmesh says to people, by topic; each is tested word for word.
enum Sentences {
    static func cannotWrite(_ error: Errno) -> String { "The output could not be written: \(error.explained)." }

    static func cannotFollow(_ error: Errno) -> String {
        "Nothing can be followed now: \(error.explained)."
    }

    static func noMesh(_ manifest: String) -> String { "No mesh is up for \(manifest). `devmesh up` starts it." }

    static func nothingToStop(_ manifest: String) -> String {
        "No mesh is up for \(manifest); there is nothing to stop."
    }

    static func stopped(_ count: Int, _ name: String) -> String {
        "\(name) is down; \(Phrase.count(count, "service")) stopped."
    }

    static func detached(_ name: String) -> String { "Detached; \(name) stays up. `devmesh down` stops it." }

    /// What an `up` found to do where the mesh was up already.
    static func changes(started: [String], restarted: [String], removed: [String], _ name: String) -> String {
        var parts: [String] = []
        if !started.isEmpty { parts.append("started \(Phrase.list(started, joined: "and"))") }
        if !restarted.isEmpty { parts.append("restarted \(Phrase.list(restarted, joined: "and"))") }
        if !removed.isEmpty { parts.append("removed \(Phrase.list(removed, joined: "and"))") }
        let what = parts.isEmpty ? "nothing to change" : parts.joined(separator: ", ")
        return "\(name) is up already: \(what)."
    }

    /// In place of a value: what `PORT` will be.
    static let portLater = "(another one at each start)"

    static func valid(_ file: String, _ services: Int) -> String {
        "\(file): no mistakes; \(Phrase.count(services, "service"))."
    }

    static let noMeshes = "No mesh is up on this machine. `devmesh up` starts one."

    static let differs =
        "* differs from the manifest; `devmesh use SERVICE --reset`, `scale`, `route --clear` or `fault --clear` change it "
        + "back."

    static let insecure = "! its certificate is not verified (\"insecure\" in the \"tls\" of its remote)."

    static func isUp(_ name: String) -> String { "\(name) is up; ^C stops it." }

    static func isUpInBackground(_ name: String) -> String {
        "\(name) is up in the background. `devmesh logs -f` follows it, `devmesh down` stops it."
    }

    static func isReady(_ name: String) -> String { "\(name) is ready." }

    static func waitsForEnd(_ manifest: String) -> String {
        "The mesh of \(manifest) is still going down; this one starts after it."
    }

    static func isDown(_ name: String) -> String { "\(name) is down." }

    static func isSuspended(_ name: String, _ pid: Int32) -> String {
        "\(name) is suspended, and answers once it goes on: by `fg` where ^Z was pressed, or by `kill -CONT \(pid)`."
    }

    static func wentDown(_ name: String) -> String { "\(name) went down." }

    static func notReady(_ service: String, _ reason: String?) -> String {
        "\(service) failed" + (reason.map { ": " + Phrase.withoutStop($0) + "." } ?? ".")
            + " The mesh stays up; `devmesh why \(service)` says more."
    }

    static let wasStopped = "it was stopped"

    static func cannotSupervise(_ error: Errno) -> String { "The supervisor could not be started: \(error)." }

    static func supervisorEnded(_ log: String) -> String {
        "The supervisor ended at once and said nothing; see \(log)."
    }

    static func cannotShowLogs(_ error: Errno) -> String {
        "The logs can't be shown here: \(error). They are stored; `devmesh logs` prints them."
    }

    static let restIsStored = "Whoever reads this output is too slow; `devmesh logs` prints the rest."
}
