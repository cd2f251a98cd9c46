/// The names by which rooms that have types of the same name tell these apart.
extension Supervisor {
    public typealias FrontState = ServiceFront
    public typealias Backend = ServiceBackend
    public typealias ServiceStatus = ServiceSnapshot
    public typealias InstanceStatus = InstanceSnapshot
}
