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
    /// The same without where they come from, which a start doesn't need.
    private let commonValues: [String: String]
    private let commonValuesWithFronts: [String: String]

    public init(_ plan: Plan) {
        self.plan = plan
        var environment = Environment()
        for (name, value) in plan.inherited { environment.set(name, value, source: .inherited) }
        for variable in plan.manifest.variables { environment.set(variable) }
        environment.inject("SERVICE_DNS_ADDRESS", "127.0.0.1:\(plan.dnsPort)")
        common = environment
        for service in plan.services {
            guard let front = service.front else { continue }
            for (name, value) in addresses(of: service.name, port: front) { environment.inject(name, value) }
        }
        commonWithFronts = environment
        commonValues = common.values
        commonValuesWithFronts = commonWithFronts.values
    }

    /// Puts together what one instance finds in its environment.
    ///
    /// - Parameters:
    ///   - privatePort: where the instance must listen. Not needed where `listens` is a number or false; for others, nil
    ///     leaves `PORT` as it was.
    ///   - isInside: of a container, whether as its program finds it, or as a command on this machine would.
    public func environment(
        of service: ServicePlan, instance: Int = 1, privatePort: Int? = nil, isInside: Bool = true
    ) -> Environment {
        var environment = service.seesFronts ? commonWithFronts : common
        for variable in service.service.variables { environment.set(variable) }
        let container = isInside ? service.service.container : nil
        for (name, value) in injected(into: service, container, instance, privatePort) {
            environment.inject(name, value)
        }
        environment.resolveReferences()
        return environment
    }

    /// The values of that environment, in a fraction of the time where none names an injected variable.
    public func values(of service: ServicePlan, instance: Int, privatePort: Int?) -> [String: String] {
        let isPlain = common.unresolved.isEmpty && !service.service.variables.contains(where: \.namesInjected)
        guard isPlain else { return environment(of: service, instance: instance, privatePort: privatePort).values }
        var values = service.seesFronts ? commonValuesWithFronts : commonValues
        for variable in service.service.variables { values[variable.name] = variable.value }
        for (name, value) in injected(into: service, service.service.container, instance, privatePort) {
            values[name] = value
        }
        return values
    }

    /// What only that instance gets.
    /// - Parameter container: within which it is to be.
    private func injected(
        into service: ServicePlan, _ container: Container?, _ instance: Int, _ privatePort: Int?
    ) -> [(String, String)] {
        var own = [("SERVICE_NAME", service.serviceName), ("SERVICE_INSTANCE", "\(instance)")]
        switch service.service.listens {
        case .assigned: if let port = container?.port ?? privatePort { own.append(("PORT", "\(port)")) }
        case .fixed(let port): own.append(("PORT", "\(container?.port ?? port)"))
        case .nothing: break
        }
        if let front = service.front { own.append(("SERVICE_ADDRESS", "127.0.0.1:\(front)")) }
        let host = container == nil ? "127.0.0.1" : Container.hostName
        for edge in service.edges { own += addresses(of: edge.target, port: edge.port, host: host) }
        return own
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
    public func environment(
        of service: ServicePlan, instance: Int = 1, privatePort: Int? = nil, isInside: Bool = true
    ) -> Environment {
        EnvironmentMaker(self).environment(
            of: service, instance: instance, privatePort: privatePort, isInside: isInside)
    }

    /// Makes the environment of `devmesh run`: see `EnvironmentMaker`.
    public var meshEnvironment: Environment { EnvironmentMaker(self).meshEnvironment }
}

extension Environment {
    fileprivate mutating func set(_ variable: Variable) {
        if variable.namesInjected { unresolved.append(variable.name) }
        set(variable.name, variable.value, source: .manifest(variable.source), isMarked: variable.isSecret)
    }

    fileprivate mutating func inject(_ name: String, _ value: String) {
        set(name, value, source: .injected)
    }
}

extension Variable {
    /// Whether its value names injected variables, as `Injected` marks them.
    fileprivate var namesInjected: Bool { value.utf8.contains(0) }
}

/// The four variables of a service that is called at `port`.
private func addresses(of service: String, port: Int, host: String = "127.0.0.1") -> [(String, String)] {
    let prefix = "SERVICE_" + Injected.stem(of: service)
    return [
        (prefix + "_ADDRESS", "\(host):\(port)"), (prefix + "_HOST", host), (prefix + "_PORT", "\(port)"),
        (prefix + "_URL", "http://\(host):\(port)"),
    ]
}

extension ServicePlan {
    /// Whether it gets the addresses of all services, having no `uses`: within a container only edges are in reach.
    fileprivate var seesFronts: Bool { service.uses == nil && service.container == nil }
}
