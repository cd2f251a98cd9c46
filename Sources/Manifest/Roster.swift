import JSON

/// Who is in the manifest, known before anyone is read: whom `uses`, `dependsOn` and `${SERVICE_…}` can name.
struct Roster {
    struct Entry {
        var name: String
        var nameOffset: Int
        var node: JSONSyntax
        /// Whether it has a front, and so an address.
        var hasFront: Bool
    }

    private(set) var entries: [Entry] = []
    private var indices: [String: Int] = [:]
    private var hidden: Set<String> = []
    /// `SERVICE_X_ADDRESS` and its like of every service with a front.
    private var addressNames: Set<String> = []

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
            if hasFront { addressNames.formUnion(Self.addressNames(of: member.name)) }
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

    private static func addressNames(of service: String) -> [String] {
        let stem = Injected.stem(of: service)
        return ["ADDRESS", "HOST", "PORT", "URL"].map { "SERVICE_\(stem)_\($0)" }
    }

    /// What the `env` at the top may name: it is for all services.
    var namesForAll: InjectedNames {
        let names = addressNames
        return InjectedNames(
            isKnown: { names.contains($0) || Self.ownNames.contains($0) || Self.listenerNames.contains($0) },
            why: "which devmesh does not give to services")
    }

    /// What the entry of a service may name.
    func names(for entry: Entry, isBuild: Bool = false) -> InjectedNames {
        let used = entry.node["uses"]?.elements?.compactMap { $0.string.flatMap { self[$0] } }.filter(\.hasFront)
        let names = used.map { Set($0.flatMap { Self.addressNames(of: $0.name) }) } ?? addressNames
        let hasFront = entry.hasFront
        return InjectedNames(
            isKnown: { name in
                if isBuild, name == "PORT" || name == "SERVICE_INSTANCE" { return false }
                return names.contains(name) || Self.ownNames.contains(name)
                    || hasFront && Self.listenerNames.contains(name)
            },
            why: isBuild ? "which devmesh does not give to a build" : "which devmesh does not give to this service")
    }

    private static let ownNames: Set<String> = ["SERVICE_NAME", "SERVICE_INSTANCE", "SERVICE_DNS_ADDRESS"]
    private static let listenerNames: Set<String> = ["PORT", "SERVICE_ADDRESS"]
}
