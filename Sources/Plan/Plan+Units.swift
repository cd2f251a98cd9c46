import Manifest

/// What is built, run, logged and restarted by itself: services, and their versions.
extension Plan {
    /// Each service, followed by its versions.
    public var units: [ServicePlan] {
        // Most have no versions: they are not copied one by one.
        services.contains { !$0.versions.isEmpty } ? services.flatMap { [$0] + $0.versions } : services
    }

    /// Finds a service, `members`, or one of its versions, `members@next`; what a service itself runs may be called
    /// `members@local`. Nil where there is none.
    public func unit(_ name: String) -> ServicePlan? {
        guard let version = UnitName.version(of: name) else { return service(name) }
        guard let planned = service(UnitName.service(of: name)) else { return nil }
        return planned.version(version) ?? (version == Target.local.name && planned.service.runsHere ? planned : nil)
    }

    /// Adds a version that is made of a git ref, unless there is one of that name.
    /// - Parameter service: of this plan.
    public mutating func addVersion(git ref: String, to service: String) {
        guard let index = services.firstIndex(where: { $0.name == service }),
            !services[index].service.versions.contains(where: { $0.name == ref })
        else { return }
        services[index].service.versions.append(services[index].service.version(git: ref))
    }
}

extension ServicePlan {
    /// The service that it belongs to: `members` of `members@next`.
    public var serviceName: String { UnitName.service(of: name) }

    /// Its versions, which have its addresses.
    public var versions: [ServicePlan] { service.versions.map(plan) }

    public func version(_ name: String) -> ServicePlan? { service.version(name).map(plan) }

    private func plan(_ version: ServiceVersion) -> ServicePlan {
        ServicePlan(service: version.service, front: front, edges: edges)
    }
}
