import Control

/// `devmesh start SERVICE…`
enum StartCommand: Subcommand {
    static let spec = CommandSpec(
        name: "start",
        abstract: "start services, and what they depend on",
        group: .service,
        details: "Returns when they are ready, or 1 with the reason.",
        arguments: [ServiceActions.services],
        options: ServiceActions.options,
        examples: [.init("devmesh start reader", "start reader, and those of its dependsOn that are stopped")])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        try ServiceActions.run(.start, arguments, in: session)
    }
}
