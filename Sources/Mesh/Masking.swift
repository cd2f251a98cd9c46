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
        // Longer ones first, so that one that contains another is masked whole.
        self.values = values.filter { $0.utf8.count >= Self.shortest }.sorted { $0.utf8.count > $1.utf8.count }
    }

    /// The text with every secret value and every password of a URL masked.
    func callAsFunction(_ text: String) -> String {
        var result = Secrets.maskingPasswords(in: text)
        for value in values where result.utf8.count >= value.utf8.count {
            result = result.replacing(value, with: Secrets.mask)
        }
        return result
    }
}
