/// `devmesh __complete services` and `__complete targets SERVICE`: what the completion scripts ask.
enum CompleteCommand: Subcommand {
    static let spec = CommandSpec(
        name: "__complete",
        abstract: "list words for completion scripts",
        group: .tool,
        arguments: [
            ArgumentSpec("KIND", .one, .choice(["services", "targets"]), "what to list"),
            ArgumentSpec("SERVICE", .optional, .service, "whose targets"),
        ],
        examples: [.init("devmesh __complete services", "the services of this folder's manifest")],
        isHidden: true)
}
