import Manifest
import Plan

/// Keeps secrets out of what is told about a mesh (contract §7, rule 6).
struct Masking {
    private let values: [String]

    /// Shorter values would tear holes into every sentence.
    private static let shortest = 4

    init(_ plan: Plan) {
        var values: Set<String> = []
        for variable in plan.manifest.variables + plan.services.flatMap(\.service.variables) where variable.isSecret {
            values.insert(variable.value)
        }
        values.formUnion(plan.services.flatMap(\.service.secrets))
        for (name, value) in plan.inherited where Secrets.isSecretName(name) { values.insert(value) }
        self.values = values.filter { $0.utf8.count >= Self.shortest }
    }

    /// The text with every secret value and every password of a URL masked.
    func callAsFunction(_ text: String) -> String { Secrets.masking(values, in: text) }
}
