import Control

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
}
