/// `devmesh logs [SERVICE…]`
enum LogsCommand: Subcommand {
    static let spec = CommandSpec(
        name: "logs",
        abstract: "print what services wrote",
        group: .look,
        details: """
            Prints what is stored and exits; with -f it goes on, through restarts and the next `up`. Needs no mesh. \
            Times are RFC 3339 (2026-11-21T09:30:00Z) or how long ago (5m, 2h).
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
}
