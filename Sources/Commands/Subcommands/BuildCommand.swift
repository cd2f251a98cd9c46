import Control
import JSON
import Plan

/// `devmesh build SERVICE…`
enum BuildCommand: Subcommand {
    static let spec = CommandSpec(
        name: "build",
        abstract: "build services without restarting them",
        group: .service,
        details: "Needs no mesh. Prints the output of a build that fails, and exits 1.",
        arguments: [ServiceActions.services],
        options: ServiceActions.options,
        examples: [.init("devmesh build reader", "run reader's build command in its folder")])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        if try session.meshIfUp() != nil { return try ServiceActions.run(.build, arguments, in: session) }
        let plan = try session.plan()
        let results = try session.units(arguments.positionals, of: plan).map {
            LocalBuild(plan: plan, service: $0).run()
        }
        if arguments.has("json") {
            try session.output.line(JSON.array(results.map { $0.json }).serialized())
        } else {
            for result in results where result.ok {
                try session.say(Sentences.done(.build, result.service))
            }
        }
        for result in results where !result.ok {
            try session.complain(Sentences.buildFailed(result.service, result.reason ?? ""))
        }
        return results.allSatisfy { $0.ok } ? 0 : ExitCode.failed.rawValue
    }
}
