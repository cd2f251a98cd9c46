import Manifest

extension Plan {
    /// Puts together what one instance finds in its environment; from low to high (contract §2):
    ///
    ///     inherited < top envFile < top env < service envFile < service env < injected
    ///
    /// - Parameter privatePort: where the instance must listen. Not needed where `listens` is a number or false; for
    ///   others, nil leaves `PORT` as it was.
    public func environment(of service: ServicePlan, instance: Int = 1, privatePort: Int? = nil) -> Environment {
        var environment = meshVariables
        for variable in service.service.variables { environment.set(variable) }

        switch service.service.listens {
        case .assigned: if let privatePort { environment.inject("PORT", "\(privatePort)") }
        case .fixed(let port): environment.inject("PORT", "\(port)")
        case .nothing: break
        }
        environment.inject("SERVICE_NAME", service.name)
        environment.inject("SERVICE_INSTANCE", "\(instance)")
        if let front = service.front { environment.inject("SERVICE_ADDRESS", "127.0.0.1:\(front)") }
        environment.inject("SERVICE_DNS_ADDRESS", "127.0.0.1:\(dnsPort)")
        if service.service.uses == nil {
            for other in services {
                if let front = other.front { environment.injectAddress(of: other.name, port: front) }
            }
        } else {
            for edge in service.edges { environment.injectAddress(of: edge.target, port: edge.port) }
        }
        environment.resolveReferences()
        return environment
    }

    /// Puts together what `devmesh run` gives to any command: as for a service that uses all others, without what
    /// belongs to one service.
    public var meshEnvironment: Environment {
        var environment = meshVariables
        environment.inject("SERVICE_DNS_ADDRESS", "127.0.0.1:\(dnsPort)")
        for service in services {
            if let front = service.front { environment.injectAddress(of: service.name, port: front) }
        }
        environment.resolveReferences()
        return environment
    }

    /// What all services have in common and nothing of ours overrides.
    private var meshVariables: Environment {
        var environment = Environment()
        for (name, value) in inherited { environment.set(name, value, source: .inherited) }
        for variable in manifest.variables { environment.set(variable) }
        return environment
    }
}

extension Environment {
    fileprivate mutating func set(_ variable: Variable) {
        set(variable.name, variable.value, source: .manifest(variable.source), isMarked: variable.isSecret)
    }

    fileprivate mutating func inject(_ name: String, _ value: String) {
        set(name, value, source: .injected)
    }

    /// The four variables of a service that is called at `port`.
    fileprivate mutating func injectAddress(of service: String, port: Int) {
        let prefix = Self.variablePrefix(of: service)
        inject(prefix + "_ADDRESS", "127.0.0.1:\(port)")
        inject(prefix + "_HOST", "127.0.0.1")
        inject(prefix + "_PORT", "\(port)")
        inject(prefix + "_URL", "http://127.0.0.1:\(port)")
    }

    /// Spells a service's name as variables do: `SERVICE_NEWS_READER` for `news-reader`.
    public static func variablePrefix(of service: String) -> String {
        var prefix = "SERVICE_"
        for byte in service.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): prefix.unicodeScalars.append(.init(byte - 32))
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                prefix.unicodeScalars.append(.init(byte))
            default: prefix += "_"
            }
        }
        return prefix
    }
}
