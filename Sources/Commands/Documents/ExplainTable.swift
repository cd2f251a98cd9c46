import JSON
import Manifest
import Plan
import Platform

/// What `devmesh config --explain` prints: each variable of a service, and who set it.
struct ExplainTable {
    var plan: Plan
    var reveal: Bool

    func table(of service: ServicePlan) -> Table {
        Table(
            columns: [
                .init(title: "VARIABLE"), .init(title: "FROM"), .init(title: "INSTEAD OF", dropRank: 1),
                .init(title: "VALUE"),
            ],
            rows: rows(of: service).map { row in
                [
                    .init(row.name), .init(describe(row.source), .dim),
                    .init(row.overridden.joined(separator: ", "), .dim), .init(OneLine.of(row.value)),
                ]
            })
    }

    /// The same for programs: `{"NAME": {"value", "from", "insteadOf"}}`.
    func json(of service: ServicePlan) -> JSON {
        .object(
            rows(of: service).map { row in
                let insteadOf = JSON.array(row.overridden.map { .string($0) })
                let source = JSON.string(describe(row.source))
                return .init(row.name, ["value": .string(row.value), "from": source, "insteadOf": insteadOf])
            })
    }

    private struct Row {
        var name: String
        var value: String
        var source: Environment.Source
        /// Who else set it, to no effect: highest precedence first.
        var overridden: [String]
    }

    /// What devmesh sets, then what the manifest does, then what is inherited; by name.
    private func rows(of service: ServicePlan) -> [Row] {
        let environment = plan.environment(of: service)
        var rows = environment.entries.map { name, entry in
            Row(
                name: name, value: reveal ? entry.value : environment.masked(name) ?? "",
                source: entry.source, overridden: entry.overridden.reversed().map(describe))
        }
        if service.service.listens == .assigned {
            rows.removeAll { $0.name == "PORT" }
            rows.append(Row(name: "PORT", value: Sentences.portLater, source: .injected, overridden: []))
        }
        return rows.sorted { (Self.rank($0.source), $0.name) < (Self.rank($1.source), $1.name) }
    }

    private static func rank(_ source: Environment.Source) -> Int {
        switch source {
        case .injected: 0
        case .manifest: 1
        case .inherited: 2
        }
    }

    /// `services.json:12:7`, `reader.env:3`, `devmesh`, `inherited`
    func describe(_ source: Environment.Source) -> String {
        switch source {
        case .inherited: "inherited"
        case .injected: "devmesh"
        case .manifest(.file(let path, let line)): "\(relative(path)):\(line)"
        case .manifest(.manifest(let position)):
            "\(Path.name(plan.manifest.path)):\(position.line):\(position.column)"
        }
    }

    private func relative(_ path: String) -> String {
        let folder = plan.manifest.directory + "/"
        return path.hasPrefix(folder) ? String(path.dropFirst(folder.count)) : path
    }
}
