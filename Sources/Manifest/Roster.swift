import JSON

/// Who is in the manifest, known before anyone is read: whom `uses`, `dependsOn` and `${SERVICE_…}` can name.
struct Roster: Sendable {
    struct Entry: Sendable {
        var name: String
        var nameOffset: Int
        var node: JSONSyntax
        /// Whether it has a front, and so an address.
        var hasFront: Bool

        /// The entries of its versions: its own with what each says instead. `env` is taken together by name, and
        /// what belongs to the service as a whole is left out.
        var versions: [(name: String, entry: Entry)] {
            guard case .object(let inherited) = node.kind else { return [] }
            return (node["versions"]?.members ?? []).map { version in
                var merged = node
                let own = (version.value.members ?? []).filter { !Self.ofTheWhole.contains($0.name) }
                // One replaces the other.
                let replaced = own.compactMap { $0.name == "run" ? "container" : $0.name == "container" ? "run" : nil }
                merged.kind = .object(
                    inherited.filter { member in
                        !Self.ofTheWhole.contains(member.name) && !replaced.contains(member.name)
                            && !own.contains { $0.name == member.name }
                    } + own.map { Self.merged($0, with: node) })
                let name = UnitName.of(name, version: version.name)
                return (
                    version.name,
                    Entry(name: name, nameOffset: version.nameOffset, node: merged, hasFront: hasFront)
                )
            }
        }

        /// Whether it says what can run here.
        var runsHere: Bool { node["run"] != nil || node["container"] != nil }

        /// What it can be served from, by name.
        var targetNames: [String] {
            (runsHere ? ["local"] : []) + (node["remote"] == nil ? [] : ["remote"])
                + (node["versions"]?.members ?? []).map(\.name)
        }

        /// Finds one of `targetNames`, without regard to case where that finds none.
        func target(_ name: String) -> Target? {
            let names = targetNames
            let found = names.first { $0 == name } ?? names.first { $0.lowercased() == name.lowercased() }
            return found.map { $0 == "local" ? .local : $0 == "remote" ? .remote : .version($0) }
        }

        private static let ofTheWhole = [
            "versions", "target", "remote", "port", "route", "timeouts", "retries", "limits", "hosts", "paths",
        ]

        private static func merged(_ member: JSONSyntax.Member, with inherited: JSONSyntax) -> JSONSyntax.Member {
            guard member.name == "env", let own = member.value.members, let earlier = inherited["env"]?.members else {
                return member
            }
            var member = member
            member.value.kind = .object(earlier.filter { kept in !own.contains { $0.name == kept.name } } + own)
            return member
        }
    }

    private(set) var entries: [Entry] = []
    private var indices: [String: Int] = [:]
    private var hidden: Set<String> = []
    /// The `X` of `SERVICE_X_ADDRESS` and its like, of every service with a front.
    private var stems: Set<String> = []

    init(_ services: JSONSyntax?) {
        guard let services, case .object(let members) = services.kind else { return }
        for member in members {
            let folded = member.name.lowercased()
            if member.isExtension {
                hidden.insert(folded)
                continue
            }
            let hasFront = member.value["listens"]?.bool != false
            if indices[folded] == nil { indices[folded] = entries.count }
            entries.append(
                Entry(name: member.name, nameOffset: member.nameOffset, node: member.value, hasFront: hasFront))
            if hasFront { stems.insert(Injected.stem(of: member.name)) }
        }
    }

    /// Finds a service; names are compared without case.
    subscript(name: String) -> Entry? {
        indices[name.lowercased()].map { entries[$0] }
    }

    /// Whether a name was left out since it begins with `x-`.
    func isHidden(_ name: String) -> Bool {
        hidden.contains(name.lowercased())
    }

    /// What the `env` at the top may name: it is for all services.
    var namesForAll: InjectedNames {
        let stems = stems
        return InjectedNames(
            isKnown: { name in
                Self.ownNames.contains(name) || Self.listenerNames.contains(name)
                    || Self.stem(in: name).map(stems.contains) ?? false
            },
            why: "which devmesh does not give to services")
    }

    /// What the entry of a service may name.
    func names(for entry: Entry, isBuild: Bool = false) -> InjectedNames {
        InjectedNames(
            isKnown: { name in
                if isBuild, name == "PORT" || name == "SERVICE_INSTANCE" { return false }
                if Self.ownNames.contains(name) { return true }
                if Self.listenerNames.contains(name) { return entry.hasFront }
                guard let stem = Self.stem(in: name) else { return false }
                guard let uses = entry.node["uses"]?.elements else {
                    // From within a container only edges are in reach.
                    return entry.node["container"] == nil && stems.contains(stem)
                }
                return uses.contains { use in
                    guard let used = use.string.flatMap({ self[UnitName.service(of: $0)] }) else { return false }
                    return used.hasFront && Injected.stem(of: used.name) == stem
                }
            },
            why: isBuild ? "which devmesh does not give to a build" : "which devmesh does not give to this service")
    }

    /// `X` of `SERVICE_X_ADDRESS`, `_HOST`, `_PORT` and `_URL`.
    private static func stem(in name: String) -> String? {
        guard name.hasPrefix("SERVICE_"), let end = name.utf8.lastIndex(of: UInt8(ascii: "_")) else { return nil }
        let start = name.utf8.index(name.startIndex, offsetBy: 8)
        guard start < end, ["_ADDRESS", "_HOST", "_PORT", "_URL"].contains(String(name[end...])) else { return nil }
        return String(name[start..<end])
    }

    private static let ownNames: Set<String> = ["SERVICE_NAME", "SERVICE_INSTANCE", "SERVICE_DNS_ADDRESS"]
    private static let listenerNames: Set<String> = ["PORT", "SERVICE_ADDRESS"]
}
