import Manifest

/// What will be run and where: every port and every variable, decided before anything starts.
///
///     Manifest ─┐
///               ├─ Plan.make ─▶ Plan ─▶ listeners, environment(of:), selection(…), Changes
///     registry ─┘
public struct Plan: Sendable, Equatable {
    public var manifest: Manifest
    /// What people see: the manifest's name, or with a suffix where another project has the same.
    public var displayName: String
    public var gatewayPort: Int
    public var dnsPort: Int
    /// In the manifest's order.
    public var services: [ServicePlan] {
        didSet { places = Self.places(of: services) }
    }
    /// Where in `services` each is, by name.
    private var places: [String: Int]
    /// The environment that `up` inherited, less `SERVICE_*`.
    public var inherited: [String: String]

    public init(
        manifest: Manifest, displayName: String, gatewayPort: Int, dnsPort: Int, services: [ServicePlan],
        inherited: [String: String]
    ) {
        self.manifest = manifest
        self.displayName = displayName
        self.gatewayPort = gatewayPort
        self.dnsPort = dnsPort
        self.services = services
        places = Self.places(of: services)
        self.inherited = inherited
    }

    /// Finds a service by its name, compared without case; nil where there is none.
    public func service(_ name: String) -> ServicePlan? {
        if let place = places[name] { return services[place] }
        let wanted = name.lowercased()
        return services.first { $0.name.lowercased() == wanted }
    }

    private static func places(of services: [ServicePlan]) -> [String: Int] {
        Dictionary(zip(services.map(\.name), services.indices), uniquingKeysWith: { first, _ in first })
    }
}

public struct ServicePlan: Sendable, Equatable {
    public var service: Service
    /// Nil where `listens` is false.
    public var front: Int?
    /// One per entry of `uses` whose target has a front, in that order.
    public var edges: [Edge]

    public init(service: Service, front: Int?, edges: [Edge]) {
        self.service = service
        self.front = front
        self.edges = edges
    }

    public var name: String { service.name }
}

/// A front reserved for one caller.
public struct Edge: Sendable, Equatable, Hashable {
    public var caller: String
    public var target: String
    public var port: Int
    /// What of `target` the caller's calls go to, whatever that is served from; nil: that.
    public var pinned: Target?

    public init(caller: String, target: String, port: Int, pinned: Target? = nil) {
        self.caller = caller
        self.target = target
        self.port = port
        self.pinned = pinned
    }
}
