import Manifest
import Plan

/// Keeps secrets out of what is told about a mesh (contract §7, rule 6).
public struct Masking {
    private let values: [String]

    /// Shorter values would tear holes into every sentence: those that the manifest calls secret, and those of the
    /// user's environment and of single lines, which only look like it.
    private static let shortest = 4
    private static let shortestGuess = 8

    /// - Parameter earlier: what was secret before still is: it stands in the logs.
    public init(_ plan: Plan, earlier: Masking? = nil) {
        var values = Set(earlier?.values ?? [])
        for variable in plan.manifest.variables + plan.units.flatMap(\.service.variables) where variable.isSecret {
            values.insert(variable.value)
        }
        values.formUnion(plan.units.flatMap(\.service.secrets))
        values = values.filter { $0.utf8.count >= Self.shortest }
        for (name, value) in plan.inherited where Secrets.isSecretName(name) && value.utf8.count >= Self.shortestGuess {
            values.insert(value)
        }
        // Logs come line by line.
        for value in values where value.contains("\n") {
            for line in value.split(separator: "\n") where line.utf8.count >= Self.shortestGuess {
                values.insert(String(line))
            }
        }
        // A name is no secret, and masking it would tell the password.
        let names = Set(plan.services.map { $0.name.lowercased() })
        self.values = values.filter { !names.contains($0.lowercased()) }
    }

    /// The text with every secret value and every password of a URL masked.
    public func callAsFunction(_ text: String) -> String { Secrets.masking(values, in: text) }
}
