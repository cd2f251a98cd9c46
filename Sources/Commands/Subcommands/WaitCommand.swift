/// `devmesh wait SERVICE…`
enum WaitCommand: Subcommand {
    private static let conditions = ["ready", "started", "completed", "stopped"]

    static let spec = CommandSpec(
        name: "wait",
        abstract: "wait until services are ready",
        group: .service,
        details: "Exits 124 when the time is up.",
        arguments: [ArgumentSpec("SERVICE", .several, .service, "which ones")],
        options: [
            .value("for", "STATE", .choice(conditions), Phrase.list(conditions, joined: "or") + "; ready by default"),
            .value("timeout", "TIME", .text, "how long at most, as 30s or 2m; for ever by default"),
        ],
        examples: [.init("devmesh wait reader members --for ready --timeout 30s", "before a test begins")])
}
