import Control
import JSON

/// `devmesh use SERVICE TARGET`
enum UseCommand: Subcommand {
    static let spec = CommandSpec(
        name: "use",
        abstract: "serve a service from another target",
        group: .service,
        details: """
            Flips at once, under load: callers keep the address they have. A target that is stopped is started first, \
            while the old one serves; one that is no longer used is stopped when it has been idle for 30 s. A git ref \
            is checked out, built and run in a folder of devmesh's own, which is removed when the ref is no longer used.
            """,
        arguments: [
            ArgumentSpec("SERVICE", .one, .service, "which one"),
            ArgumentSpec("TARGET", .optional, .target, "local, remote, a version of the manifest or a git ref"),
        ],
        options: [
            .flag("reset", "go back to what the manifest says"),
            .flag("keep", "don't stop the target that is no longer used"), .json,
        ],
        examples: [
            .init("devmesh use members remote", "from now on members is the remote one"),
            .init("devmesh use members next", "the version next of the manifest"),
            .init("devmesh use members main", "the branch main, from nothing to serving"),
            .init("devmesh use members --reset", "as the manifest says"),
        ])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let service = arguments.positionals[0]
        let target = arguments.positionals.count > 1 ? arguments.positionals[1] : nil
        let request: UseRequest
        switch (target, arguments.has("reset")) {
        case (nil, true): request = .reset
        case (let target?, false): request = .target(target, keep: arguments.has("keep"))
        case (.some, true): throw .usage(.conflict("TARGET", "--reset"))
        case (nil, false): throw .usage(.missingTarget(service: service))
        }
        let mesh = try session.mesh()
        let result = try mesh.ask { (client) throws(ControlError) in try client.use(service, request) }
        if arguments.has("json") {
            try session.output.line(result.json.serialized())
            return result.ok ? 0 : ExitCode.failed.rawValue
        }
        guard result.ok else {
            try ServiceActions.show(buildOf: result, in: session)
            throw .failed(Sentences.couldNotUse(result.service, target, result.reason))
        }
        if let remark = result.reason { try session.complain(remark) }
        try session.say(
            target.map { Sentences.using(result.service, $0) } ?? Sentences.usingManifest(result.service))
        return 0
    }
}
