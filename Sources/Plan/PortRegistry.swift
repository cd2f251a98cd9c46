/// Which project owns which ports: the user's one list, so that two projects never collide and a port stays with its
/// name. A value: reading, locking and writing the file is the Project room's.
public struct PortRegistry: Sendable, Equatable {
    /// Of the file's format. A file with a higher one was written by a newer devmesh.
    public static let version = 1

    public var projects: [Project]

    public init(projects: [Project] = []) {
        self.projects = projects
    }

    /// What one project owns. Names are in lower case, since names are compared without case.
    public struct Project: Sendable, Equatable {
        /// The real path of the manifest.
        public var manifest: String
        /// The manifest's own name.
        public var name: String
        /// What people see.
        public var displayName: String
        /// The first one holds gateway and DNS.
        public var blocks: [PortBlock]
        /// Whether the first block was asked for by `ports.first`.
        public var isChosen: Bool
        /// Ports that were given to services. They stay with the name when the service leaves the manifest.
        public var fronts: [String: Int]
        /// What the manifest pinned when it was last planned.
        public var pins: [String: Int]
        public var edges: [EdgeName: Int]

        public init(
            manifest: String, name: String, displayName: String, blocks: [PortBlock] = [], isChosen: Bool = false,
            fronts: [String: Int] = [:], pins: [String: Int] = [:], edges: [EdgeName: Int] = [:]
        ) {
            self.manifest = manifest
            self.name = name
            self.displayName = displayName
            self.blocks = blocks
            self.isChosen = isChosen
            self.fronts = fronts
            self.pins = pins
            self.edges = edges
        }
    }

    /// `caller → target`, in lower case.
    public struct EdgeName: Sendable, Hashable {
        public var caller: String
        public var target: String

        public init(caller: String, target: String) {
            self.caller = caller.lowercased()
            self.target = target.lowercased()
        }
    }

    /// Finds what the project of that manifest owns.
    public func project(manifest: String) -> Project? {
        projects.first { $0.manifest == manifest }
    }

    /// Puts `project` in place of what its manifest owned before.
    public mutating func set(_ project: Project) {
        if let index = projects.firstIndex(where: { $0.manifest == project.manifest }) {
            projects[index] = project
        } else {
            projects.append(project)
        }
    }

    /// Gives up all ports of that manifest.
    public mutating func forget(manifest: String) {
        projects.removeAll { $0.manifest == manifest }
    }
}

extension PortRegistry.Project {
    /// Every port that this project listens on when it is up, and those kept for names that are gone.
    public var claims: [Int] {
        Array(fronts.values) + Array(pins.values) + Array(edges.values)
            + (blocks.first.map { [$0.gateway, $0.dns] } ?? [])
    }

    /// Says what the project uses a port for, leaving pins aside; nil where it was not given.
    func use(of port: Int) -> String? {
        if let first = blocks.first {
            if port == first.gateway { return "the gateway" }
            if port == first.dns { return "the DNS server" }
        }
        if let front = fronts.first(where: { $0.value == port }) { return "the front of \(front.key)" }
        if let edge = edges.first(where: { $0.value == port }) {
            return "the edge \(edge.key.caller) → \(edge.key.target)"
        }
        return nil
    }
}
