import Manifest

/// Gives one project its ports, keeping every one that it was given before.
///
///     numbers in the manifest ─▶ the first block ─▶ fronts, in manifest order ─▶ edges
///
/// A port comes from, in this order: the manifest's `port`; what the name was given before; the lowest port of the
/// project's blocks that nobody has; a further block; a port kept for a name that has left the manifest.
struct PortAssignment {
    let manifest: Manifest
    let machine: Machine
    var registry: PortRegistry
    var project: PortRegistry.Project
    /// Ports that can't be given afresh.
    var taken: Set<Int> = []

    init(manifest: Manifest, registry: PortRegistry, machine: Machine) {
        self.manifest = manifest
        self.machine = machine
        self.registry = registry
        project =
            registry.project(manifest: manifest.path)
            ?? .init(manifest: manifest.path, name: manifest.name, displayName: "")
    }

    var others: [PortRegistry.Project] {
        registry.projects.filter { $0.manifest != manifest.path }
    }

    /// Services that have a front.
    private var listening: [Service] {
        manifest.services.filter { $0.listens != .nothing }
    }

    /// Settles all ports; afterwards `registry` holds them, and the ports are returned service by service.
    mutating func run() throws(PlanError) -> [ServicePlan] {
        let numbers = try numbersOfManifest()
        try settleFirstBlock()
        try yieldTo(numbers)
        taken.formUnion(project.fronts.values)
        taken.formUnion(project.edges.values)
        taken.formUnion(numbers.keys)
        taken.formUnion(others.flatMap(\.pins.values))

        var fronts: [String: Int] = [:]
        for service in listening { fronts[service.name] = try front(of: service) }
        var plans: [ServicePlan] = []
        for service in manifest.services {
            plans.append(ServicePlan(service: service, front: fronts[service.name], edges: try edges(of: service)))
        }
        project.pins = [:]
        for service in listening { project.pins[service.name.lowercased()] = service.port }
        settleName()
        registry.set(project)
        return plans
    }

    // MARK: Numbers that the manifest insists on

    /// A `port` or `listens` of the manifest.
    struct Number {
        var service: Service
        /// `port` or `listens`.
        var key: String
    }

    private func numbersOfManifest() throws(PlanError) -> [Int: Number] {
        var numbers: [Int: Number] = [:]
        for service in listening {
            var own: [(key: String, port: Int)] = []
            if let port = service.port { own.append(("port", port)) }
            for unit in [service] + service.versions.map(\.service) {
                if case .fixed(let port) = unit.listens { own.append(("listens", port)) }
            }
            for (key, port) in own {
                if let earlier = numbers[port] {
                    let other = "`\(earlier.key)` of service \(earlier.service.name)"
                    throw .portTwice(port: port, service: service.name, other: other)
                }
                numbers[port] = Number(service: service, key: key)
            }
        }
        return numbers
    }

    /// Takes ports that were given before away from names whose port the manifest now insists on for another.
    private mutating func yieldTo(_ numbers: [Int: Number]) throws(PlanError) {
        for (port, number) in numbers.sorted(by: { $0.key < $1.key }) {
            if let first = project.blocks.first, port == first.gateway || port == first.dns {
                let other = port == first.gateway ? "the gateway of this project" : "the DNS server of this project"
                throw .portTwice(port: port, service: number.service.name, other: other)
            }
            if !project.blocks.contains(where: { $0.ports.contains(port) }) {
                try checkOwners(of: port, number: number)
            }
        }
        let pins = Dictionary(
            uniqueKeysWithValues: listening.compactMap { service in
                service.port.map { (service.name.lowercased(), $0) }
            })
        project.fronts = project.fronts.filter { numbers[$0.value] == nil || pins[$0.key] == $0.value }
        project.edges = project.edges.filter { numbers[$0.value] == nil }
    }

    /// Refuses a number that another project was given; one whose manifest is gone gives way.
    private mutating func checkOwners(of port: Int, number: Number) throws(PlanError) {
        for other in others {
            guard let use = other.use(of: port) else { continue }
            if machine.manifestExists(other.manifest) {
                throw .portOwned(
                    port: port, key: "services.\(number.service.name).\(number.key)", use: use,
                    owner: other.displayName, manifest: other.manifest)
            }
            registry.forget(manifest: other.manifest)
        }
    }

    // MARK: One port each

    private mutating func front(of service: Service) throws(PlanError) -> Int {
        let name = service.name.lowercased()
        if let pinned = service.port {
            // Inside a block it counts as given, and stays when the pin goes.
            if project.blocks.contains(where: { $0.ports.contains(pinned) }) { project.fronts[name] = pinned }
            return pinned
        }
        if let given = project.fronts[name] { return given }
        let port = try freshPort {
            $0.fronts
        } orOneOf: { assignment in
            let present = Set(assignment.listening.map { $0.name.lowercased() })
            let spare = assignment.project.fronts.filter { !present.contains($0.key) && !assignment.isHeld($0.value) }
            guard let oldest = spare.min(by: { $0.value < $1.value }) else { return nil }
            return assignment.project.fronts.removeValue(forKey: oldest.key)
        }
        project.fronts[name] = port
        return port
    }

    private mutating func edges(of service: Service) throws(PlanError) -> [Edge] {
        var edges: [Edge] = []
        for use in service.uses ?? [] {
            let wanted = use.service.lowercased()
            guard let target = listening.first(where: { $0.name.lowercased() == wanted }) else { continue }
            let name = PortRegistry.EdgeName(caller: service.name, target: target.name)
            if project.edges[name] == nil { project.edges[name] = try freshEdge() }
            guard let port = project.edges[name] else { continue }
            edges.append(Edge(caller: service.name, target: target.name, port: port, pinned: use.target))
        }
        return edges
    }

    private mutating func freshEdge() throws(PlanError) -> Int {
        try freshPort {
            $0.edges
        } orOneOf: { assignment in
            let present = Set(
                assignment.manifest.services.flatMap { service in
                    (service.uses ?? []).map { PortRegistry.EdgeName(caller: service.name, target: $0.service) }
                })
            let spare = assignment.project.edges.filter { !present.contains($0.key) && !assignment.isHeld($0.value) }
            guard let oldest = spare.min(by: { $0.value < $1.value }) else { return nil }
            return assignment.project.edges.removeValue(forKey: oldest.key)
        }
    }

    private func isHeld(_ port: Int) -> Bool {
        machine.holder(port) != nil
    }

    /// Finds a port that nobody has, in a further block if need be; `recycled` is asked when there is none left.
    private mutating func freshPort(
        _ range: (PortBlock) -> ClosedRange<Int>, orOneOf recycled: (inout PortAssignment) -> Int?
    ) throws(PlanError) -> Int {
        while true {
            for block in project.blocks {
                for port in range(block) where taken.insert(port).inserted {
                    if !isHeld(port) { return port }
                }
            }
            do {
                project.blocks.append(try freeBlock())
            } catch {
                guard let port = recycled(&self) else { throw error }
                return port
            }
        }
    }
}
