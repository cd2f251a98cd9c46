import Control
import JSON

/// `devmesh watch SERVICE on|off`
enum WatchCommand: Subcommand {
    static let spec = CommandSpec(
        name: "watch",
        abstract: "rebuild and restart a service when its files change, or no longer",
        group: .service,
        details: """
            A service with `watch` in the manifest is watched from `up` on. While a build runs the old process serves; \
            if the build fails it goes on serving. .gitignore holds, and what builds and editors leave behind does not \
            count. Without `watch` in the manifest, all files in the service's folder do.
            """,
        arguments: [
            ArgumentSpec("SERVICE", .one, .service, "which one"),
            ArgumentSpec("on|off", .one, .choice(["on", "off"]), "whether changes count from now on"),
        ],
        options: [.json],
        examples: [
            .init("devmesh watch reader off", "edit in peace"),
            .init("devmesh watch reader on", "each saved file counts again"),
        ])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let (service, isOn) = (arguments.positionals[0], arguments.positionals[1] == "on")
        let mesh = try session.mesh()
        let result = try mesh.ask { (client) throws(ControlError) in
            try client.watch(service, WatchSwitch(isOn: isOn))
        }
        if arguments.has("json") {
            try session.output.line(result.json.serialized())
            return result.ok ? 0 : ExitCode.failed.rawValue
        }
        guard result.ok else { throw .failed(Sentences.couldNotWatch(result.service, result.reason)) }
        if let remark = result.reason { try session.complain(remark) }
        try session.say(Sentences.watched(result.service, isOn: isOn))
        return 0
    }
}
