import Control

/// `devmesh restart SERVICE…`
enum RestartCommand: Subcommand {
    static let spec = CommandSpec(
        name: "restart",
        abstract: "build and restart services; also starts what is stopped",
        group: .service,
        details: """
            Requests wait at the service's address meanwhile, and none is refused. A failed build leaves the old \
            process serving, prints the build's output and exits 1. Several instances go one after another.
            """,
        arguments: [ServiceActions.services],
        options: ServiceActions.options,
        examples: [.init("devmesh restart reader", "after an edit: build reader, then swap it")])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        try ServiceActions.run(.restart, arguments, in: session)
    }
}
