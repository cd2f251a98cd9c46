import Manifest

extension Plan {
    /// Decides every port of `manifest`, and records those given for the first time in `registry`.
    ///
    /// Ports that were given before, and those the manifest pins, are taken without asking who holds them: with a
    /// mesh up that is devmesh itself. Call `checkPorts` before something is started on them.
    ///
    /// - Parameter environment: what `up` inherited.
    public static func make(
        _ manifest: Manifest, registry: inout PortRegistry, environment: [String: String], machine: Machine
    ) throws(PlanError) -> Plan {
        var assignment = PortAssignment(manifest: manifest, registry: registry, machine: machine)
        let services = try assignment.run()
        registry = assignment.registry
        let first = assignment.project.blocks[0]
        return Plan(
            manifest: manifest, displayName: assignment.project.displayName, gatewayPort: first.gateway,
            dnsPort: first.dns, services: services,
            inherited: environment.filter { !$0.key.hasPrefix("SERVICE_") })
    }
}
