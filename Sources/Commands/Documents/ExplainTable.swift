import JSON
import Manifest
import Plan
import Platform

/// What `devmesh config --explain` prints: each variable of a service, and who set it.
struct ExplainTable {
    var plan: Plan
    var reveal: Bool

    func table(of service: ServicePlan) -> Table {
        let environment = plan.environment(of: service)
        let shown = environment.entries.sorted { $0.key < $1.key }
        return Table(
            columns: [
                .init(title: "VARIABLE"), .init(title: "VALUE"), .init(title: "FROM"),
                .init(title: "INSTEAD OF", dropRank: 1),
            ],
            rows: shown.map { name, entry in
                let isSecret = environment.isSecret(name) && !reveal
                return [
                    .init(name), .init(isSecret ? Secrets.mask : OneLine.of(Injected.display(entry.value))),
                    .init(describe(entry.source), .dim),
                    .init(entry.overridden.reversed().map(describe).joined(separator: ", "), .dim),
                ]
            })
    }

    /// The same for programs: `{"NAME": {"value", "from", "insteadOf"}}`.
    func json(of service: ServicePlan) -> JSON {
        let environment = plan.environment(of: service)
        let members = environment.entries.sorted { $0.key < $1.key }.map { name, entry in
            let value = environment.isSecret(name) && !reveal ? Secrets.mask : Injected.display(entry.value)
            let shadowed = entry.overridden.reversed().map { JSON.string(describe($0)) }
            return JSON.Member(
                name, ["value": .string(value), "from": .string(describe(entry.source)), "insteadOf": .array(shadowed)])
        }
        return .object(members)
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
