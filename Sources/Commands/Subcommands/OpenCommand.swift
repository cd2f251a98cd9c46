import Control
import JSON
import Platform

/// `devmesh open [SERVICE]`
enum OpenCommand: Subcommand {
    static let spec = CommandSpec(
        name: "open",
        abstract: "open the project or a service in the browser",
        group: .look,
        details: """
            Prints the address, of the gateway or of a service, and opens it with $BROWSER or the desktop's browser. \
            Where nobody looks at a terminal, or there is no browser, it only prints.
            """,
        arguments: [ArgumentSpec("SERVICE", .optional, .service, "which one; without it the gateway")],
        options: [.json],
        examples: [
            .init("devmesh open", "all services on one page"),
            .init("devmesh open members", "members itself"),
        ])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let mesh = try session.mesh()
        let ports = try mesh.ask { (client) throws(ControlError) in try client.ports() }
        let url = try address(of: arguments.positionals.first, among: ports) { () throws(CommandFailure) in
            try mesh.ask { (client) throws(ControlError) in try client.services() }
        }
        if arguments.has("json") {
            try session.output.line(JSON.object([.init("url", .string(url))]).serialized())
            return 0
        }
        try session.output.line(url)
        guard session.output.isTerminal,
            let browser = commandLine(for: url, environment: session.environment, directory: session.directory)
        else { return 0 }
        // In its place, so that a browser of the terminal has the terminal.
        return try Program(commandLine: browser, environment: session.environment, directory: nil).execute(in: session)
    }

    /// - Parameters:
    ///   - name: of a service; nil: the gateway.
    ///   - services: asked for only where no address has that name.
    static func address(
        of name: String?, among ports: [PortEntry], services: () throws(CommandFailure) -> [ServiceStatus]
    ) throws(CommandFailure) -> String {
        guard let name else {
            guard let url = ports.first(where: { $0.kind == .gateway })?.url else {
                throw .failed(Sentences.noGateway)
            }
            return url
        }
        let isNamed = { (service: String?) in service?.lowercased() == name.lowercased() }
        if let url = ports.first(where: { $0.kind == .front && isNamed($0.service) })?.url { return url }
        let names = try services().map(\.service)
        if let worker = names.first(where: isNamed) { throw .failed(Sentences.noAddress(worker)) }
        throw .failed(Sentences.unknownService(name, among: names))
    }

    /// The browser's program with its arguments; nil where there is none.
    ///
    /// `BROWSER` is a list with colons between its commands, of which the first that is there is taken; `%s` stands for
    /// the address, which else comes last (as xdg-open(1) reads it).
    static func commandLine(for url: String, environment: [String: String], directory: String) -> [String]? {
        let chosen = environment["BROWSER", default: ""].split(separator: ":").map(String.init)
        let commands = chosen.isEmpty ? [ThisProcess.desktopOpener(environment)].compactMap { $0 } : chosen
        for command in commands {
            var words = command.split(separator: " ").map(String.init)
            guard let program = words.first,
                (try? Executable.find(program, path: environment["PATH"], directory: directory)) != nil
            else { continue }
            if !words.contains(where: { $0.contains("%s") }) { words.append("%s") }
            return words.map { $0.replacing("%s", with: url) }
        }
        return nil
    }
}
