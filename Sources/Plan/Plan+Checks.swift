import Manifest

extension Plan {
    /// Refuses to go on when somebody else holds a port that devmesh must listen on; names all of them.
    ///
    /// - Parameter held: ports that this mesh itself listens on already, which are not asked about.
    public func checkPorts(besides held: Set<Int> = [], holder: (Int) -> PortOwner?) throws(PlanError) {
        let foreign = listeners.filter { !held.contains($0.port) }.compactMap { listener in
            holder(listener.port).map { PlanError.Held(listener: listener, holder: $0) }
        }
        if !foreign.isEmpty { throw .portsHeld(foreign) }
    }

    /// Ports that programs insist on (a numeric `listens`), by port, with the service or its version.
    public var insistedPorts: [Int: String] {
        var ports: [Int: String] = [:]
        for planned in units {
            if case .fixed(let port) = planned.service.listens { ports[port] = planned.name }
        }
        return ports
    }

    /// Refuses to go on when a program of a mesh that is up insists on the same port as one of this plan's.
    ///
    /// - Parameter ports: `insistedPorts` of the mesh called `project`.
    public func checkInsistedPorts(against ports: [Int: String], of project: String) throws(PlanError) {
        let own = insistedPorts
        for port in own.keys.sorted() {
            guard let service = own[port], let other = ports[port] else { continue }
            throw .listensTwice(port: port, service: service, other: other, project: project)
        }
    }
}
