import Control
import Logs
import Platform

/// What `devmesh ps` shows to people.
struct StatusTable {
    var services: [ServiceStatus]
    var now: WallTime
    /// Whether cpu and memory are what it is about: they stay however narrow the terminal.
    var isAboutUse = false

    var table: Table {
        Table(
            columns: [
                .init(title: "SERVICE"), .init(title: "STATE"), .init(title: "TARGET", dropRank: 3),
                .init(title: "ADDRESS", dropRank: 2), .init(title: "PID", alignment: .right, dropRank: 4),
                .init(title: "UPTIME", alignment: .right, dropRank: 5),
                .init(title: "RESTARTS", alignment: .right, dropRank: 6),
                .init(title: "CPU", alignment: .right, dropRank: isAboutUse ? nil : 8),
                .init(title: "MEM", alignment: .right, dropRank: isAboutUse ? nil : 7), .init(title: "WHY"),
            ],
            rows: services.map(row))
    }

    /// What stands below the table; nil where there is nothing to say.
    var footnote: String? {
        var lines: [String] = []
        if services.contains(where: \.differs) { lines.append(Sentences.differs) }
        if services.contains(where: \.isInsecure) { lines.append(Sentences.insecure) }
        return lines.isEmpty ? nil : lines.joined(separator: "\n")
    }

    private func row(_ service: ServiceStatus) -> [Table.Cell] {
        let processes = service.instances.filter { $0.pid != nil }
        let restarts = service.instances.reduce(0) { $0 + $1.restarts }
        return [
            .init(service.service), .init(state(service), Style(state: service.state)),
            .init(
                (service.shares ?? service.target) + (service.isInsecure ? "!" : "") + (service.differs ? "*" : ""),
                service.isInsecure ? .yellow : service.differs ? .bold : .plain),
            .init(service.address ?? ""), .init(pids(processes)), .init(uptime(processes)),
            .init(restarts > 0 ? "\(restarts)" : "", restarts > 0 ? .yellow : .plain),
            .init(service.cpu.map { DecimalText.one($0) + "%" } ?? ""),
            .init(service.rss.map(SizeText.short) ?? ""),
            .init(OneLine.of(service.reason ?? service.remark ?? "")),
        ]
    }

    /// `ready`, or `ready 2/3` where some of several instances are.
    private func state(_ service: ServiceStatus) -> String {
        let ready = service.instances.count { $0.state == "ready" }
        if service.instances.count < 2 || ready == service.instances.count { return service.state }
        return "\(service.state) \(ready)/\(service.instances.count)"
    }

    /// `812`, or `812 +2` for three.
    private func pids(_ processes: [InstanceStatus]) -> String {
        guard let first = processes.first?.pid else { return "" }
        return processes.count > 1 ? "\(first) +\(processes.count - 1)" : "\(first)"
    }

    /// Of the youngest process.
    private func uptime(_ processes: [InstanceStatus]) -> String {
        let moments = processes.compactMap(\.started).compactMap { try? WallTime.parse($0, now: now) }
        guard let youngest = moments.max() else { return "" }
        return DurationText.short(.microseconds(max(0, now.microseconds - youngest.microseconds)))
    }
}
