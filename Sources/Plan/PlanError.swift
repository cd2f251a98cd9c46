import Manifest

/// Why no plan could be made. Each says what is wrong, why, and what to do next.
public enum PlanError: Error, Sendable, Equatable {
    /// Ports that this project must listen on, held by somebody else.
    case portsHeld([Held])
    /// `ports.first` names ports that another project owns.
    case blockOwned(first: Int, owner: String, manifest: String)
    /// A service's `port` or `listens` is one that another project was given; `key` says which.
    case portOwned(port: Int, key: String, use: String, owner: String, manifest: String)
    /// A service's `port` or `listens` is a port that this project or another of its services needs.
    case portTwice(port: Int, service: String, other: String)
    /// Two meshes that run at once have programs that insist on the same port.
    case listensTwice(port: Int, service: String, other: String, project: String)
    /// No block of 200 ports is left.
    case noSpace(limit: Int)
    /// A service that the manifest does not have.
    case unknownService(name: String, services: [String])
    /// `--local` for a service without `run`.
    case notLocal(service: String)

    public struct Held: Sendable, Equatable {
        public var listener: ListeningPort
        public var holder: PortOwner

        public init(listener: ListeningPort, holder: PortOwner) {
            self.listener = listener
            self.holder = holder
        }
    }
}

extension PlanError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .portsHeld(let held):
            return held.map(\.description).joined(separator: "\n")
        case .blockOwned(let first, let owner, let manifest):
            return
                "ports.first is \(first), but ports from \(first) to \(first + PortBlock.size - 1) belong to project "
                + "\(owner) (\(manifest)). Choose another number, or leave ports.first out."
        case .portOwned(let port, let key, let use, let owner, let manifest):
            return "\(key) is \(port), which is \(use) in project \(owner) (\(manifest)). "
                + "Choose another port, or leave it out."
        case .portTwice(let port, let service, let other):
            return "Port \(port) of service \(service) is also \(other). Choose another port for one of them."
        case .listensTwice(let port, let service, let other, let project):
            return "Service \(service) listens on port \(port), and so does \(other) of project \(project), which is "
                + "up. Stop that one (devmesh down there), or change `listens` of one of them."
        case .noSpace(let limit):
            return "No block of \(PortBlock.size) free ports is left between \(PortBlock.lowest) and \(limit). "
                + "Remove manifests that are no longer needed, or choose a block with \"ports\": {\"first\": …}."
        case .unknownService(let name, let services):
            let nearest = Manifest.nearest(to: name, among: services)
            return "There is no service \"\(name)\" in the manifest. "
                + (nearest.map { "Did you mean \"\($0)\"?" } ?? "It has: \(services.joined(separator: ", ")).")
        case .notLocal(let service):
            return "Service \(service) can't run here: it has no `run` command. "
                + "Add one to services.\(service), or leave it out of --local."
        }
    }
}

extension PlanError.Held: CustomStringConvertible {
    public var description: String { "\(fact). \(advice)" }

    public var fact: String { "Port \(listener.port), \(listener.role), is held by \(holder)" }

    /// What to do next.
    public var advice: String {
        let stop: String
        switch holder {
        case .process(let pid, _): stop = "Stop that process (kill \(pid))"
        case .mesh(let manifest): stop = "Stop that mesh (devmesh -f \(manifest) down)"
        case .user, .unknown: stop = "Stop that process"
        case .system: return "Choose a port from 1024 upwards."
        }
        switch listener.role {
        case .front(let service, _): return "\(stop), or set another \"port\" in services.\(service)."
        case .gateway, .dns, .edge: return "\(stop), or choose another block with \"ports\": {\"first\": …}."
        }
    }
}
