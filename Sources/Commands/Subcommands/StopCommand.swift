import Control

/// `devmesh stop SERVICE…`
enum StopCommand: Subcommand {
    static let spec = CommandSpec(
        name: "stop",
        abstract: "stop services",
        group: .service,
        details: """
            Requests that are being answered are finished first. Returns when every process of the service is gone. \
            Its address stays, and answers with 503.
            """,
        arguments: [ServiceActions.services],
        options: ServiceActions.options,
        examples: [.init("devmesh stop reader", "stop reader; all others go on")])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        try ServiceActions.run(.stop, arguments, in: session)
    }
}
