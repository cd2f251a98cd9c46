/// `devmesh ps`
enum PsCommand: Subcommand {
    static let spec = CommandSpec(
        name: "ps",
        abstract: "show a line per service",
        group: .mesh,
        details: """
            State, target, address, pid, uptime, automatic restarts, cpu and memory of the whole process tree, and why \
            a service is not ready. A narrow terminal shows fewer columns. A star marks what differs from the manifest.
            """,
        arguments: [ArgumentSpec("SERVICE", .any, .service, "only these")],
        options: [.json],
        examples: [
            .init("devmesh ps", "the whole mesh"),
            .init("devmesh ps --json | jq -r '.[] | select(.state != \"ready\").service'", "what is not ready"),
        ])
}
