/// `devmesh check`
enum CheckCommand: Subcommand {
    static let spec = CommandSpec(
        name: "check",
        abstract: "validate the manifest",
        group: .manifest,
        details: "Reports every mistake with its line and column, and exits 4 if there is one. Starts nothing.",
        options: [.json],
        examples: [
            .init("devmesh check", "the manifest of this folder"),
            .init("devmesh check -f services.staging.json", "another one"),
        ])
}
