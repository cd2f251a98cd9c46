/// `devmesh up [SERVICE…]`
enum UpCommand: Subcommand {
    static let spec = CommandSpec(
        name: "up",
        abstract: "start the mesh and show its logs",
        group: .mesh,
        details: """
            Starts the services in the order of their dependsOn, with all logs in this terminal, until ^C stops them \
            (twice: at once). With services named: those and what they depend on.

            Where the mesh is up already, starts what is new, restarts only what changed in the manifest, and then \
            follows the logs; ^C then leaves the mesh running.
            """,
        arguments: [ArgumentSpec("SERVICE", .any, .service, "what to start; everything when none is named")],
        options: [
            .flag("detach", "d", "leave the mesh running in the background"),
            .flag("wait", "the same, and return once local services are ready or completed, 1 when one fails"),
            .value(
                "local", "A,B", .serviceList,
                "run just these here; what has a remote is served by it, the rest runs if these depend on it"),
        ],
        examples: [
            .init("devmesh up", "everything, logs in this terminal"),
            .init("devmesh up --local reader", "only reader here, its neighbours remote"),
            .init("devmesh up --wait && make test", "in the background, once all is ready"),
        ])
}
