/// `devmesh why SERVICE`
enum WhyCommand: Subcommand {
    static let spec = CommandSpec(
        name: "why",
        abstract: "say why a service is in the state it is in",
        group: .look,
        details: "What it waits for, what its probe said, who owns its port, and its last lines.",
        arguments: [ArgumentSpec("SERVICE", .one, .service, "which one")],
        options: [.json],
        examples: [.init("devmesh why members", "why members is not ready")])
}
