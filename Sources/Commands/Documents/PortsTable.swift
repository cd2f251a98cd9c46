import Control
import Plan

/// What `devmesh ports` shows.
enum PortsTable {
    static func table(_ entries: [PortEntry]) -> Table {
        Table(
            columns: [
                .init(title: "SERVICE"), .init(title: "PORT", alignment: .right), .init(title: "URL"),
                .init(title: "FOR"),
            ],
            rows: entries.map { entry in
                [
                    .init(entry.service ?? entry.kind.rawValue, entry.service == nil ? .dim : .plain),
                    .init("\(entry.port)"), .init(entry.url ?? ""),
                    .init(entry.edge.map { "\($0) only" } ?? (entry.kind == .front ? "everyone" : ""), .dim),
                ]
            })
    }

    /// The same as the mesh would say, from the plan alone.
    static func entries(of plan: Plan) -> [PortEntry] {
        var entries = [PortEntry(service: nil, port: plan.gatewayPort, url: nil, edge: nil, kind: .gateway)]
        for service in plan.services {
            guard let front = service.front else { continue }
            entries.append(entry(service.name, front, edge: nil, .front))
        }
        entries.append(PortEntry(service: nil, port: plan.dnsPort, url: nil, edge: nil, kind: .dns))
        for edge in plan.services.flatMap(\.edges) {
            entries.append(entry(edge.target, edge.port, edge: edge.caller, .edge))
        }
        return entries
    }

    private static func entry(_ service: String, _ port: Int, edge: String?, _ kind: PortEntry.Kind) -> PortEntry {
        PortEntry(service: service, port: port, url: "http://127.0.0.1:\(port)", edge: edge, kind: kind)
    }
}
