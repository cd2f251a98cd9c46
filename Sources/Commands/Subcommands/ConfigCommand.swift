import JSON
import Manifest
import Plan

/// `devmesh config`
enum ConfigCommand: Subcommand {
    static let spec = CommandSpec(
        name: "config",
        abstract: "print what the manifest comes to",
        group: .manifest,
        details: """
            The manifest as devmesh understands it, as JSON: defaults filled in, variables expanded, ports assigned. \
            Secrets are masked. With --explain the variables of a service, each with who set it and instead of whom, the \
            nearest first: devmesh, `env` and `envFile` of the service, `env` and `envFile` above, what `up` inherited.
            """,
        arguments: [ArgumentSpec("SERVICE", .any, .service, "only these")],
        options: [
            .flag("explain", "where each variable of a service comes from"),
            .flag("reveal", "show secrets"),
            .json,
        ],
        examples: [.init("devmesh config --explain reader", "who set what in reader's environment")])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let plan = try session.plan()
        let all = arguments.positionals.isEmpty ? plan.services : plan.units
        let services = try session.choose(arguments.positionals, among: all) { $0.name }
        let reveal = arguments.has("reveal")
        if arguments.has("explain") {
            try explain(ExplainTable(plan: plan, reveal: reveal), services, asJSON: arguments.has("json"), in: session)
        } else {
            let document = ConfigDocument(plan: plan, reveal: reveal).json(of: services)
            try session.output.line(document.pretty())
        }
        return 0
    }

    private static func explain(
        _ explanation: ExplainTable, _ services: [ServicePlan], asJSON: Bool, in session: Session
    ) throws(CommandFailure) {
        if asJSON {
            let members = services.map { JSON.Member($0.name, explanation.json(of: $0)) }
            return try session.output.line(JSON.object(members).pretty())
        }
        for (index, service) in services.enumerated() {
            if index > 0 { try session.output.line("") }
            try session.output.line(Style.bold.apply(to: service.name, colours: session.output.colours))
            try session.output.show(explanation.table(of: service))
        }
    }
}
