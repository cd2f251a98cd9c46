import Control
import Manifest
import Plan
import Proxy

/// What the gateway leads to, and what it shows.
extension Mesh {
    func overview() -> GatewayOverview {
        GatewayOverview(
            project: plan.displayName,
            services: plan.services.compactMap { planned in
                guard let row = row(planned, [:]) else { return nil }
                let host = plan.gatewayHosts(of: planned).first
                return GatewayOverview.Service(
                    name: planned.name, state: row.state, url: host.map { "http://\($0):\(plan.gatewayPort)/" },
                    reason: row.reason)
            })
    }
}

extension HostTable {
    init(_ plan: Plan) {
        self.init(
            plan.services.compactMap { planned in
                let hosts = plan.gatewayHosts(of: planned)
                guard !hosts.isEmpty else { return nil }
                return Entry(
                    service: planned.name, ownHosts: hosts, sharedHosts: planned.service.hosts,
                    paths: planned.service.paths.map { Path($0.prefix, strips: $0.strips) })
            })
    }
}

extension Plan {
    /// The host names that a service has at the gateway by itself; none where it speaks no HTTP.
    fileprivate func gatewayHosts(of planned: ServicePlan) -> [String] {
        guard planned.front != nil, planned.service.protocol != .tcp else { return [] }
        return Set([manifest.name, displayName]).sorted().reduce(into: []) { hosts, project in
            hosts += GatewayHost.names(of: planned.name, in: project).filter { !hosts.contains($0) }
        }
    }
}
