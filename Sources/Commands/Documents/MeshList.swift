import JSON
import Platform
import Project

/// What `devmesh ls` shows.
enum MeshList {
    static func table(_ records: [MeshRecord], now: WallTime) -> Table {
        Table(
            columns: [
                .init(title: "NAME"), .init(title: "PID", alignment: .right, dropRank: 1),
                .init(title: "UPTIME", alignment: .right, dropRank: 2), .init(title: "GATEWAY", alignment: .right),
                .init(title: "MANIFEST"),
            ],
            rows: records.map { record in
                let uptime = max(0, now.microseconds - record.started.microseconds)
                return [
                    .init(record.name), .init("\(record.pid)"), .init(DurationText.short(.microseconds(uptime))),
                    .init("\(record.gatewayPort)"), .init(OneLine.of(record.manifest)),
                ]
            })
    }

    static func json(_ records: [MeshRecord]) -> JSON {
        .array(
            records.map { record in
                [
                    "name": .string(record.name), "manifest": .string(record.manifest), "pid": .int(Int(record.pid)),
                    "started": .string(record.started.rfc3339()), "gateway": .int(record.gatewayPort),
                    "socket": .string(record.socket),
                ]
            })
    }
}
