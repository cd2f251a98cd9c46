import Control
import Platform

/// What `devmesh route SERVICE` shows: which requests go where, in the order in which that is decided.
struct RouteTable {
    var status: RouteStatus

    var table: Table {
        let rules = status.rules
        var rows = rules.headers.map { row("with \($0.name): \($0.value)", $0.target) }
        rows += rules.cookies.map { row("with cookie \($0.name)=\($0.value)", $0.target) }
        rows += rules.callers.map { row("from \($0.service)", shares($0.weights)) }
        rows.append(
            row(
                rows.isEmpty ? "all" : "all others",
                rules.weights.isEmpty ? status.target : shares(rules.weights)))
        if let mirror = rules.mirror { rows.append(row("copies of all", mirror)) }
        return Table(columns: [.init(title: "REQUESTS"), .init(title: "TARGET")], rows: rows)
    }

    /// What stands below the table.
    var footnotes: [String] {
        let rules = status.rules
        var lines: [String] = []
        switch rules.sticky {
        case .none: break
        case .client: lines.append(Sentences.sticky("by Authorization, its cookies or the service that it is"))
        case .header(let name): lines.append(Sentences.sticky("by the header \(name)"))
        case .cookie(let name): lines.append(Sentences.sticky("by the cookie \(name)"))
        }
        if !rules.headers.isEmpty { lines.append(Sentences.carried(by: ["baggage"] + rules.propagate)) }
        if status.source == .command { lines.append(Sentences.routeDiffers(status.service)) }
        return lines
    }

    private func row(_ which: String, _ target: String) -> [Table.Cell] { [.init(OneLine.of(which)), .init(target)] }

    /// `local 90%, next 10%`
    private func shares(_ weights: [RouteRules.Weight]) -> String {
        let total = weights.reduce(0) { $0 + $1.weight }
        guard total > 0, weights.count > 1 else { return weights.first?.target ?? "" }
        return weights.map { "\($0.target) \(PercentText.of(Double($0.weight) / Double(total) * 100))" }
            .joined(separator: ", ")
    }
}

/// What `devmesh fault SERVICE` shows.
enum FaultTable {
    static func table(_ faults: [FaultRule]) -> Table {
        Table(
            columns: [
                .init(title: "CALLS OF"), .init(title: "HOW MANY", alignment: .right), .init(title: "DELAY"),
                .init(title: "THEN"), .init(title: "RATE"),
            ],
            rows: faults.map { fault in
                [
                    .init(fault.caller ?? (faults.count > 1 ? "all others" : "all")),
                    .init(PercentText.of(fault.percent)), .init(delay(fault)), .init(ending(fault)),
                    .init(fault.bytesPerSecond.map { SizeText.short($0) + "/s" } ?? ""),
                ]
            })
    }

    private static func delay(_ fault: FaultRule) -> String {
        guard fault.delay > 0 || fault.jitter > 0 else { return "" }
        let delay = DurationText.exact(.milliseconds(fault.delay))
        return fault.jitter > 0 ? "\(delay) ± \(DurationText.exact(.milliseconds(fault.jitter)))" : delay
    }

    private static func ending(_ fault: FaultRule) -> String {
        fault.disconnect ? "disconnect" : fault.abort.map { "answer \($0)" } ?? "go on"
    }
}
