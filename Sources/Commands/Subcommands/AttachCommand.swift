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
    /// Bytes of a line without end that is shown.
    private static let longestPrompt = 200

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let name = arguments.positionals[0]
        let mesh = try session.mesh()
        // A refusal comes before anything is done to this terminal.
        let instance = try mesh.ask { (client) throws(ControlError) in try client.type([], into: name, nil) }.service
        guard StandardStream.input.isTerminal, session.output.isTerminal else {
            throw .failed(Sentences.attachNeedsTerminal(parts(of: instance).unit))
        }
        try session.notices.line(Sentences.attached(instance))
        try showLast(of: instance, in: mesh, session)
        let attachment: Attachment
        do throws(Errno) {
            attachment = try Attachment(ControlClient(socket: mesh.record.socket), to: instance)
        } catch { throw .failed(Sentences.cannotFollow(error)) }
        switch try attachment.run() {
        case .interrupted: try session.notices.line(Sentences.detachedFrom(instance))
        case .finished: try session.notices.line(Sentences.wentDown(mesh.record.name))
        case .failed(let failure): throw failure
        }
        return 0
    }

    private static func parts(of instance: String) -> (unit: String, number: Int?) {
        guard let dot = instance.lastIndex(of: ".") else { return (instance, nil) }
        return (String(instance[..<dot]), Int(instance[dot...].dropFirst()))
    }

    private static func showLast(of instance: String, in mesh: RunningMesh, _ session: Session)
        throws(CommandFailure)
    {
        let (unit, number) = parts(of: instance)
        let recent = LogArchive.recent(
            unit, count: lines, streams: [.stdout], instance: number, colours: session.output.colours,
            in: LocatedProject(manifest: mesh.record.manifest).logsFolder)
        // What a program draws all over its screen is one line without end: it will be drawn anew.
        try session.output.lines(recent.filter { !$0.isPartial || $0.text.utf8.count <= longestPrompt }.map(\.text))
    }
}
