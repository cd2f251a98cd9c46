/// `devmesh ports`
enum PortsCommand: Subcommand {
    static let spec = CommandSpec(
        name: "ports",
        abstract: "list the addresses of all services",
        group: .look,
        details: "They stay the same across restarts, and are known before the first `up`.",
        options: [.json],
        examples: [.init("devmesh ports", "where everything listens")])
}
