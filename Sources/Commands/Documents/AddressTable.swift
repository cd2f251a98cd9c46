import Mesh

/// What `up` shows before the logs: where everything can be reached.
enum AddressTable {
    static func table(_ addresses: [MeshStart.Address]) -> Table {
        Table(
            columns: [.init(title: "SERVICE"), .init(title: "URL"), .init(title: "FROM", dropRank: 1)],
            rows: addresses.map { address in
                [.init(address.service), .init(address.url ?? ""), .init(address.target ?? "not started", .dim)]
            })
    }
}
