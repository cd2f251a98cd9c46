import Manifest

/// What will be run and where: every port and every variable, decided before anything starts.
public struct Plan: Sendable, Equatable {
    public var manifest: Manifest
    /// What people see: the manifest's name, or with a suffix where another project has the same.
    public var displayName: String
    public var gatewayPort: Int
    public var dnsPort: Int
    /// In the manifest's order.
    public var services: [ServicePlan]
    /// The environment that `up` inherited, less `SERVICE_*`.
    public var inherited: [String: String]
}

public struct ServicePlan: Sendable, Equatable {
    public var service: Service
    /// Nil where `listens` is false.
    public var front: Int?
    /// One per entry of `uses` whose target has a front, in that order.
    public var edges: [Edge]
}

/// A front reserved for one caller.
public struct Edge: Sendable, Equatable {
    public var caller: String
    public var target: String
    public var port: Int
}
