import Manifest

/// Which part of the mesh an `up` brings to life, and where each service is served from.
public struct Selection: Sendable, Equatable {
    public enum Role: Sendable, Equatable {
        /// Its `run` command is started.
        case local
        /// Its front leads to its `remote`.
        case remote
        /// One of its `versions` is started.
        case version(String)
        /// Only its front listens, and answers that the service is not started.
        case idle

        /// Nil where it is served from nowhere.
        public var target: Target? {
            switch self {
            case .local: .local
            case .remote: .remote
            case .version(let name): .version(name)
            case .idle: nil
            }
        }
    }

    /// In the manifest's order.
    public var roles: [(service: String, role: Role)]

    /// Tells what is to become of a service, by its name as the manifest writes it.
    public subscript(service: String) -> Role {
        roles.first { $0.service == service }?.role ?? .idle
    }

    public static func == (left: Selection, right: Selection) -> Bool {
        left.roles.elementsEqual(right.roles) { $0 == $1 }
    }
}

extension Plan {
    /// `up`: every service from where the manifest says.
    public var wholeSelection: Selection {
        Selection(roles: services.map { ($0.name, $0.manifestRole) })
    }

    /// `up A B`: those and what they transitively `dependsOn`; of the others only remotes serve.
    public func selection(of names: [String]) throws(PlanError) -> Selection {
        let chosen = try closure(ofKnown: names)
        return Selection(
            roles: services.map { planned in
                let role = planned.manifestRole
                return (planned.name, chosen.contains(planned.name) || role == .remote ? role : .idle)
            })
    }

    /// `up --local A,B`: those here; of the others, those with a remote there, and those without one here if A or B
    /// transitively `dependsOn` them.
    public func localSelection(of names: [String]) throws(PlanError) -> Selection {
        let chosen = try closure(ofKnown: names)
        let here = Set(names.compactMap { service($0)?.name })
        for planned in services where here.contains(planned.name) && !planned.service.runsHere {
            throw .notLocal(service: planned.name)
        }
        return Selection(
            roles: services.map { planned in
                if here.contains(planned.name) { return (planned.name, .local) }
                if planned.service.remote != nil { return (planned.name, .remote) }
                return (planned.name, chosen.contains(planned.name) ? planned.manifestRole : .idle)
            })
    }

    /// Adds to `names` all that they transitively `dependsOn`, in the manifest's order.
    public func closure(of names: [String]) -> [ServicePlan] {
        var reached: Set<String> = []
        var open = names.map { $0.lowercased() }
        while let name = open.popLast() {
            guard reached.insert(name).inserted, let planned = service(name) else { continue }
            open += planned.service.dependsOn.map { $0.service.lowercased() }
        }
        return services.filter { reached.contains($0.name.lowercased()) }
    }

    private func closure(ofKnown names: [String]) throws(PlanError) -> Set<String> {
        for name in names where service(name) == nil {
            throw .unknownService(name: name, services: services.map(\.name))
        }
        return Set(closure(of: names).map(\.name))
    }
}

extension ServicePlan {
    fileprivate var manifestRole: Selection.Role {
        switch service.target {
        case .local: .local
        case .remote: .remote
        case .version(let name), .git(let name): .version(name)
        }
    }
}
