/// `devmesh events`
enum EventsCommand: Subcommand {
    static let spec = CommandSpec(
        name: "events",
        abstract: "print what happened in the mesh",
        group: .look,
        options: [.flag("follow", "f", "go on with what comes; ^C ends it"), .json],
        examples: [.init("devmesh events -f --json", "every change of state, as JSON Lines")])
}
