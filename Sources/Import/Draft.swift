import JSON
import Manifest

/// A manifest in the making: what the importers fill in, each as far as its source says.
///
/// Names are the source's own. `finished()` makes of them what a manifest takes, and leaves out, with a note, what
/// would not pass its check.
struct Draft {
    let origin: ImportOrigin
    var name: String?
    var services: [DraftService] = []
    var notes: [String] = []

    init(_ origin: ImportOrigin) {
        self.origin = origin
    }

    mutating func note(_ sentence: String) { notes.append(sentence) }

    /// Notes what of a part of the source nobody has asked for.
    mutating func noteRest(of fields: Fields, in part: String? = nil) {
        let rest = fields.rest
        guard !rest.isEmpty else { return }
        note("\(part.map { $0 + ": " } ?? "")not carried over: \(Sentence.alternatives(rest, "and"))")
    }
}

/// A service of a draft; what the source does not say is nil or empty.
struct DraftService {
    /// As the source names it.
    let source: String
    /// The same, until it is known what a manifest takes.
    var name: String
    /// Lines above it.
    var comments: [String] = []
    /// Written under a name that begins with `x-`, which devmesh ignores.
    var isDisabled = false
    /// As the manifest takes it: relative to it or absolute, `$` escaped; nil: the manifest's own folder.
    var directory: String?
    var build: JSON?
    var run: JSON?
    var container: [JSON.Member] = []
    /// Values as the manifest takes them, `$` escaped.
    var variables: [(name: String, value: String)] = []
    /// Nil: all services.
    var uses: [String]?
    var dependsOn: [(name: String, condition: String)] = []
    var ready: [JSON.Member] = []
    var live: [JSON.Member] = []
    var restart: String?
    var stop: [JSON.Member] = []
    var instances: Int?
    var listens = Listening.assigned
    /// Of its front.
    var port: Int?
    var isJob = false
    var hasTerminal = false
    var watchesFiles = false
    var limits: [JSON.Member] = []
    /// Of a container: where it listens inside, and where it was reached on this machine.
    var ports: [(inside: Int, outside: Int?)] = []
    /// By what else other containers call it, and by what it calls others.
    var aliases: [String] = []
    var links: [(service: String, alias: String)] = []

    init(_ name: String) {
        source = name
        self.name = name
    }

    enum Listening: Equatable {
        /// On the port in `PORT`, or a container on that of its `port`.
        case assigned
        case fixed(Int)
        case nowhere
    }

    /// Where it holds a secret itself, not a reference to one: its variables, and commands with options or settings
    /// that are named so.
    var secrets: [String] {
        func isSecret(_ name: String, _ value: String) -> Bool {
            !value.isEmpty && !value.hasPrefix("${") && Secrets.isSecretName(name) || Secrets.holdsPassword(value)
        }
        let commands = [("build", build), ("run", run)] + container.map { ($0.name, Optional($0.value)) }
        let keys = commands.filter { _, command in
            let words =
                command?.arrayValue?.compactMap(\.stringValue)
                ?? command?.stringValue?.split { $0.isWhitespace }.map(String.init) ?? []
            let pairs = words.map { word in
                let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
                return parts.count == 2 ? (parts[0], parts[1]) : ("", word)
            }
            let options = zip(words, words.dropFirst()).filter { $0.0.hasPrefix("-") && !$0.1.hasPrefix("-") }
            return pairs.contains { isSecret($0.0, $0.1) }
                || options.contains { isSecret($0.0.hasSuffix("pass") ? "password" : $0.0, $0.1) }
        }
        let names = variables.filter { isSecret($0.name, $0.value) }.map(\.name) + keys.map { $0.0 }
        return names.map { "\(name).\($0)" }
    }

    /// Its entry, in the order in which the manifest's keys are described.
    var json: JSON {
        var members: [JSON.Member] = []
        func add(_ name: String, _ value: JSON?) {
            if let value { members.append(JSON.Member(name, value)) }
        }
        func add(_ name: String, _ object: [JSON.Member]) { add(name, object.isEmpty ? nil : .object(object)) }
        add("directory", directory.map { .string($0) })
        add("build", build)
        add("run", run)
        add("container", container)
        add("env", variables.map { JSON.Member($0.name, .string($0.value)) })
        add("uses", uses.map { .array($0.map { .string($0) }) })
        add("dependsOn", dependsOn.map { JSON.Member($0.name, .string($0.condition)) })
        add("ready", ready)
        add("live", live)
        add("watch", watchesFiles ? true : nil)
        add("restart", restart.map { .string($0) })
        add("stop", stop)
        add("instances", instances.map { .int($0) })
        switch listens {
        case .assigned: break
        case .fixed(let port): add("listens", .int(port))
        case .nowhere: add("listens", false)
        }
        add("port", port.map { .int($0) })
        add("tty", hasTerminal ? true : nil)
        add("oneShot", isJob ? true : nil)
        add("limits", limits)
        return .object(members)
    }
}
