import Manifest

/// One address that devmesh itself listens on for as long as the mesh is up.
public struct ListeningPort: Sendable, Equatable, Hashable {
    public var port: Int
    public var role: Role

    public enum Role: Sendable, Equatable, Hashable {
        case gateway
        case dns
        /// The address of a service; pinned where the manifest says `port`.
        case front(service: String, isPinned: Bool)
        case edge(caller: String, target: String)
    }

    public init(port: Int, role: Role) {
        self.port = port
        self.role = role
    }
}

extension ListeningPort.Role: CustomStringConvertible {
    /// As a sentence names it: `the front of reader`.
    public var description: String {
        switch self {
        case .gateway: "the gateway"
        case .dns: "the DNS server"
        case .front(let service, _): "the front of \(service)"
        case .edge(let caller, let target): "the edge \(caller) → \(target)"
        }
    }
}

extension Plan {
    /// Lists every port that devmesh listens on: gateway, DNS, then the fronts and then the edges in the manifest's
    /// order.
    public var listeners: [ListeningPort] {
        var all = [ListeningPort(port: gatewayPort, role: .gateway), ListeningPort(port: dnsPort, role: .dns)]
        for planned in services {
            guard let front = planned.front else { continue }
            let role = ListeningPort.Role.front(service: planned.name, isPinned: planned.service.port != nil)
            all.append(ListeningPort(port: front, role: role))
        }
        for edge in services.flatMap(\.edges) {
            all.append(ListeningPort(port: edge.port, role: .edge(caller: edge.caller, target: edge.target)))
        }
        return all
    }
}
