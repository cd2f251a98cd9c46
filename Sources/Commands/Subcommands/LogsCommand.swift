import Control
import Logs
import Manifest
import Platform
import Project

/// `devmesh logs [SERVICE…]`
enum LogsCommand: Subcommand {
    static let spec = CommandSpec(
        name: "logs",
        abstract: "print what services wrote",
        group: .look,
        details: """
            Prints what is stored and exits; with -f it goes on, through restarts and the next `up`. Needs no mesh. \
            With a service come its versions; members@next is one of them. Times are RFC 3339 (2026-11-21T09:30:00Z) or how long ago (5m, 2h).
            """,
        arguments: [ArgumentSpec("SERVICE", .any, .service, "whose; all in the order of reading when none is named")],
        options: [
            .flag("follow", "f", "go on with what comes; ^C ends it"),
            .value("lines", "n", "N", .text, "only the last N lines of each service"),
            .value("since", "TIME", .text, "only what was written since then"),
            .value("until", "TIME", .text, "only what was written until then"),
            .value("grep", "REGEX", .text, "only lines that match"),
            .flag("timestamps", "t", "put the time before each line"),
            .flag("no-prefix", "leave the service's name out"),
            .flag("no-color", "no colours"),
            .flag("raw", "the stored bytes, as they were written"),
            .json,
        ],
        examples: [
            .init("devmesh logs -f reader", "follow one service"),
            .init("devmesh logs -n 20 reader members", "the last 20 lines of each"),
            .init("devmesh logs --since 5m --grep 'error|panic'", "what went wrong just now"),
        ])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        if arguments.has("raw"), arguments.has("json") { throw .usage(.conflict("--raw", "--json")) }
        let query = try query(arguments, in: session)
        let format = format(arguments, for: session.output)
        if arguments.has("follow") { return try follow(query, format, in: session) }
        // A program may have ended, and be known to have, a moment before its last lines are stored.
        if let mesh = try? session.meshIfUp(), ProcessTable.entry(mesh.record.pid)?.isStopped == false {
            _ = try? mesh.ask { (client) throws(ControlError) in try client.logs() }
        }
        let end: LogPrinter.End
        do throws(Errno) {
            end = try StandardStream.output.withDescriptor { LogPrinter.print(query, format, to: $0) }
        } catch { end = .failed(error) }
        return try LogOutput.ending(end)
    }

    private static func query(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> LogQuery {
        let count = try session.usage { () throws(UsageError) in try arguments.count("lines") }
        let project = try session.project()
        let known = LogOutput.services(of: project)
        let services = try session.choose(arguments.positionals, among: known) { $0 }
        do throws(LogError) {
            var query = LogQuery(folder: project.logsFolder)
            query.services = arguments.positionals.isEmpty ? [] : services
            // A service's versions write logs of their own.
            query.prefixes = query.services.filter { UnitName.version(of: $0) == nil }.map {
                UnitName.of($0, version: "")
            }
            query.count = count
            if let text = arguments.value("since") { query.since = try WallTime.parse(text) }
            if let text = arguments.value("until") { query.until = try WallTime.parse(text) }
            if let text = arguments.value("grep") { query.pattern = try LogPattern(text) }
            return query
        } catch {
            throw .usage(.badLogQuery(error.description))
        }
    }

    private static func format(_ arguments: Arguments, for output: Output) -> LogFormat {
        LogFormat(
            arguments.has("json") ? .json : arguments.has("raw") ? .raw : .text,
            showsTimes: arguments.has("timestamps"), showsPrefix: !arguments.has("no-prefix"),
            usesColor: output.colours && !arguments.has("no-color"), isTerminal: output.isTerminal)
    }

    private static func follow(_ query: LogQuery, _ format: LogFormat, in session: Session) throws(CommandFailure)
        -> Int32
    {
        let end = try Following.run { (end) throws(Errno) in
            try LogOutput.follow(query, format) { end(LogOutput.followed($0)) }
        }
        if end == .interrupted, let mesh = try session.meshIfUp() {
            try session.notices.lineAfterInterrupt(Sentences.detached(mesh.record.name))
        }
        return try end.exitCode()
    }
}
