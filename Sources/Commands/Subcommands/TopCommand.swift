import Control
import JSON
import Platform
import Project

/// `devmesh top`
enum TopCommand: Subcommand {
    static let spec = CommandSpec(
        name: "top",
        abstract: "show what the services use, the busiest first",
        group: .mesh,
        details: """
            The columns of `ps`, anew each second until q or ^C. In a pipe: a table each second, or with --json a line \
            each, {"time", "services"} with the services as in `ps --json`. Nothing is measured while nobody looks.
            """,
        arguments: [ArgumentSpec("SERVICE", .any, .service, "only these")],
        options: [.value("count", "n", "N", .text, "end after showing it so many times"), .json],
        examples: [
            .init("devmesh top", "everything, in place"),
            .init("devmesh top --json -n 60 > load.jsonl", "a minute of it, for programs"),
        ])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let count = try session.usage { () throws(UsageError) in try arguments.count("count") }
        let asJSON = arguments.has("json")
        let keyboard = session.output.isTerminal && !asJSON ? Keyboard() : nil
        // Here, since ^C leaves the thread that looks as it is.
        defer { keyboard?.restore() }
        let looks = Looks(
            mesh: try session.mesh(), names: arguments.positionals, asJSON: asJSON, session: session,
            keyboard: keyboard)
        let end = try Following.run { (end) throws(Errno) in
            try Following.onThread {
                do throws(CommandFailure) {
                    end(.finished(try looks.run(times: count)))
                } catch { end(.failed(error)) }
            }
        }
        return try end.exitCode()
    }
}

/// Looks once a second, and shows what there is.
private struct Looks: Sendable {
    let mesh: RunningMesh
    let names: [String]
    let asJSON: Bool
    let session: Session
    let keyboard: Keyboard?

    private static let period = Duration.seconds(1)

    func run(times: Int?) throws(CommandFailure) -> Int32 {
        var shown = 0
        while shown != times {
            if shown > 0, !goesOn() { break }
            do throws(CommandFailure) {
                try show(try look(), isFirst: shown == 0)
            } catch {
                switch error {
                case .noMesh where shown > 0, .meshIsEnding where shown > 0:
                    try session.notices.line(Sentences.wentDown(mesh.record.name))
                    return 0
                default: throw error
                }
            }
            shown += 1
        }
        return 0
    }

    private func look() throws(CommandFailure) -> TopPicture {
        let all = try mesh.ask { (client) throws(ControlError) in try client.services() }
        let chosen = try session.choose(names, among: all) { $0.service }
        return TopPicture(name: mesh.record.name, services: chosen, now: .now)
    }

    private func show(_ picture: TopPicture, isFirst: Bool) throws(CommandFailure) {
        let output = session.output
        if asJSON {
            try output.line(picture.json.serialized())
        } else if output.isTerminal {
            // The window may have another size by now.
            let size = StandardStream.output.terminalSize
            try output.write(
                picture.screen(
                    width: size?.columns ?? output.width, height: size?.rows, colours: output.colours,
                    ending: keyboard == nil ? "^C" : "q"))
        } else {
            try output.lines((isFirst ? [] : [""]) + picture.lines(width: nil, colours: output.colours))
        }
    }

    /// Passes the time until the next look; false where the user has seen enough.
    private func goesOn() -> Bool {
        let end = Instant.now + Self.period
        keyboard?.take()
        while let key = keyboard?.key(within: end - .now) {
            if key == UInt8(ascii: "q") { return false }
        }
        // There may be no keyboard, or none any more.
        PlatformThread.sleep(max(end - .now, .zero))
        return true
    }
}
