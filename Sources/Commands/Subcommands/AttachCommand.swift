import Control
import Logs
import Platform
import Project

/// `devmesh attach SERVICE[.INSTANCE]`
enum AttachCommand: Subcommand {
    static let spec = CommandSpec(
        name: "attach",
        abstract: "connect this terminal to that of a service",
        group: .service,
        details: """
            For services with "tty": true. Keys go to the service, ^C and ^Z too; ctrl-P ctrl-Q detaches and leaves it \
            running. It goes on through restarts. Several may be attached at a time; the window that attached or was \
            resized last decides the terminal's size.
            """,
        arguments: [ArgumentSpec("SERVICE", .one, .service, "which one; reader.2 is its second instance")],
        examples: [.init("devmesh attach console", "type into the service console")])

    /// So much of what was shown before is shown first.
    private static let lines = 10

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let name = arguments.positionals[0]
        let mesh = try session.mesh()
        guard StandardStream.input.isTerminal, session.output.isTerminal else {
            throw .failed(Sentences.attachNeedsTerminal(name))
        }
        let client = ControlClient(socket: mesh.record.socket)
        // A refusal comes before anything is done to this terminal.
        let instance = try mesh.ask { (client) throws(ControlError) in
            try client.type([], into: name, StandardStream.output.terminalSize)
        }.service
        try session.notices.line(Sentences.attached(instance))
        try showLast(of: instance, in: mesh, session)
        switch try Attachment(client, to: instance).run() {
        case .interrupted: try session.notices.line(Sentences.detachedFrom(instance))
        case .finished: try session.notices.line(Sentences.wentDown(mesh.record.name))
        case .failed(let failure): throw failure
        }
        return 0
    }

    private static func showLast(of instance: String, in mesh: RunningMesh, _ session: Session)
        throws(CommandFailure)
    {
        let unit = String(instance[..<(instance.lastIndex(of: ".") ?? instance.endIndex)])
        let query = LogQuery(
            folder: LocatedProject(manifest: mesh.record.manifest).logsFolder, services: [unit], count: lines)
        let format = LogFormat(showsPrefix: false, usesColor: session.output.colours, isTerminal: true)
        let end: LogPrinter.End
        do throws(Errno) {
            end = try StandardStream.output.withDescriptor { LogPrinter.print(query, format, to: $0) }
        } catch { end = .failed(error) }
        _ = try LogOutput.ending(end)
    }
}
