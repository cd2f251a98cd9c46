import Manifest

/// Which unit serves each service now: what its own entry says, locally or by its remote, or one of its versions.
struct Targets {
    /// The version in use, by service; absent: what the service's own entry says.
    private var versions: [String: String] = [:]
    /// Services whose requests go to the remote while their processes run, since a route needs these, too.
    private var remotes: Set<String> = []

    func version(of service: String) -> String? { versions[service] }

    func unit(of service: String) -> String {
        versions[service].map { UnitName.of(service, version: $0) } ?? service
    }

    func isInUse(_ unit: String) -> Bool { self.unit(of: UnitName.service(of: unit)) == unit }

    func keepsRemote(_ service: String) -> Bool { remotes.contains(service) }

    mutating func keepRemote(_ service: String, _ isKept: Bool) {
        if isKept { remotes.insert(service) } else { remotes.remove(service) }
    }

    mutating func use(_ unit: String) { versions[UnitName.service(of: unit)] = UnitName.version(of: unit) }
}

extension Target {
    /// What of a service is run for it.
    func unit(of service: String) -> String {
        switch self {
        case .local, .remote: service
        case .version(let name), .git(let name): UnitName.of(service, version: name)
        }
    }
}
