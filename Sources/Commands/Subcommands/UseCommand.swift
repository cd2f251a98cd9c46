/// `devmesh use SERVICE TARGET`
enum UseCommand: Subcommand {
    static let spec = CommandSpec(
        name: "use",
        abstract: "serve a service from another target",
        group: .service,
        details: """
            Flips at once, under load: callers keep the address they have. A target that is stopped is started first, \
            while the old one serves; one that is no longer used is stopped when it has been idle for 30 s.
            """,
        arguments: [
            ArgumentSpec("SERVICE", .one, .service, "which one"),
            ArgumentSpec("TARGET", .optional, .target, "local or remote"),
        ],
        options: [
            .flag("reset", "go back to what the manifest says"),
            .flag("keep", "don't stop the target that is no longer used"),
        ],
        examples: [
            .init("devmesh use members remote", "from now on members is the remote one"),
            .init("devmesh use members --reset", "as the manifest says"),
        ])
}
