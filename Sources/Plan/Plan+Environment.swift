import Manifest

/// Makes the environments of a plan's instances. What they have in common is put together once: a mesh keeps one of
/// these for as long as it keeps the plan.
///
///     inherited < top envFile < top env < service envFile < service env < injected        (contract §2)
///
/// Addresses are set before what the service itself sets: a manifest can't set an injected name, so neither can
/// override the other.
public struct EnvironmentMaker: Sendable {
    private let plan: Plan
    /// What services with `uses` start from.
    private let common: Environment
    /// What those without start from: `common` and the fronts of all.
    private let commonWithFronts: Environment

    public init(_ plan: Plan) {
        self.plan = plan
        var environment = Environment()
        for (name, value) in plan.inherited { environment.set(name, value, source: .inherited) }
        for variable in plan.manifest.variables { environment.set(variable) }
        environment.inject("SERVICE_DNS_ADDRESS", "127.0.0.1:\(plan.dnsPort)")
        common = environment
        for service in plan.services {
            if let front = service.front { environment.injectAddress(of: service.name, port: front) }
        }
        commonWithFronts = environment
    }

    /// Puts together what one instance finds in its environment.
    ///
    /// - Parameter privatePort: where the instance must listen. Not needed where `listens` is a number or false; for
    ///   others, nil leaves `PORT` as it was.
    public func environment(of service: ServicePlan, instance: Int = 1, privatePort: Int? = nil) -> Environment {
        var environment = service.service.uses == nil ? commonWithFronts : common
        for variable in service.service.variables { environment.set(variable) }
        switch service.service.listens {
        case .assigned: if let privatePort { environment.inject("PORT", "\(privatePort)") }
        case .fixed(let port): environment.inject("PORT", "\(port)")
        case .nothing: break
        }
        environment.inject("SERVICE_NAME", service.serviceName)
        environment.inject("SERVICE_INSTANCE", "\(instance)")
        if let front = service.front { environment.inject("SERVICE_ADDRESS", "127.0.0.1:\(front)") }
        for edge in service.edges { environment.injectAddress(of: edge.target, port: edge.port) }
        environment.resolveReferences()
        return environment
    }

    /// Puts together what `devmesh run` gives to any command: as for a service that uses all others, without what
    /// belongs to one service.
    public var meshEnvironment: Environment {
        var environment = commonWithFronts
        environment.resolveReferences()
        return environment
    }
}

extension Plan {
    /// Makes one environment: see `EnvironmentMaker`, which is quicker for several.
    public func environment(of service: ServicePlan, instance: Int = 1, privatePort: Int? = nil) -> Environment {
        EnvironmentMaker(self).environment(of: service, instance: instance, privatePort: privatePort)
    }

    /// Makes the environment of `devmesh run`: see `EnvironmentMaker`.
    public var meshEnvironment: Environment { EnvironmentMaker(self).meshEnvironment }
}

extension Environment {
    fileprivate mutating func set(_ variable: Variable) {
        if variable.value.utf8.contains(0) { unresolved.append(variable.name) }
        set(variable.name, variable.value, source: .manifest(variable.source), isMarked: variable.isSecret)
    }

    fileprivate mutating func inject(_ name: String, _ value: String) {
        set(name, value, source: .injected)
    }

    /// The four variables of a service that is called at `port`.
    fileprivate mutating func injectAddress(of service: String, port: Int) {
        let prefix = "SERVICE_" + Injected.stem(of: service)
        inject(prefix + "_ADDRESS", "127.0.0.1:\(port)")
        inject(prefix + "_HOST", "127.0.0.1")
        inject(prefix + "_PORT", "\(port)")
        inject(prefix + "_URL", "http://127.0.0.1:\(port)")
    }
}
