/// `devmesh config`
enum ConfigCommand: Subcommand {
    static let spec = CommandSpec(
        name: "config",
        abstract: "print what the manifest comes to",
        group: .manifest,
        details: """
            The manifest as devmesh understands it, as JSON: defaults filled in, variables expanded, ports assigned. \
            Secrets are masked.
            """,
        arguments: [ArgumentSpec("SERVICE", .any, .service, "only these")],
        options: [
            .flag("explain", "where each variable of a service comes from"),
            .flag("reveal", "show secrets"),
            .json,
        ],
        examples: [.init("devmesh config --explain reader", "who set what in reader's environment")])
}
