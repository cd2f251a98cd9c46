import JSON
import Platform
import Project

/// `devmesh __complete services` and `__complete targets SERVICE`: what the completion scripts ask.
enum CompleteCommand: Subcommand {
    static let spec = CommandSpec(
        name: "__complete",
        abstract: "list words for completion scripts",
        group: .tool,
        arguments: [
            ArgumentSpec("KIND", .one, .choice(["services", "targets"]), "what to list"),
            ArgumentSpec("SERVICE", .optional, .service, "whose targets"),
        ],
        examples: [.init("devmesh __complete services", "the services of this folder's manifest")],
        isHidden: true)

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let services = try names(in: session)
        if arguments.positionals[0] == "services" {
            try session.output.lines(services.map { $0.name })
        } else {
            let wanted = arguments.positionals.dropFirst().first?.lowercased()
            let service = services.first { $0.name.lowercased() == wanted }
            try session.output.lines(service.map { targets($0.value) } ?? [])
        }
        return 0
    }

    /// As the manifest has them, however wrong the rest of it may be.
    private static func names(in session: Session) throws(CommandFailure) -> [JSONSyntax.Member] {
        let path = try session.project().manifest
        guard let bytes = try? Kernel.real.readFile(path),
            case .object(let members)? = JSONDocument(parsing: bytes).root["services"]?.kind
        else { return [] }
        return members
    }

    private static func targets(_ service: JSONSyntax) -> [String] {
        var targets: [String] = []
        if service["run"] != nil { targets.append("local") }
        if service["remote"] != nil { targets.append("remote") }
        if case .object(let versions)? = service["versions"]?.kind {
            targets += versions.map { $0.name }.filter { !$0.hasPrefix("x-") }
        }
        return targets
    }
}
