/// `devmesh completions SHELL`
enum CompletionsCommand: Subcommand {
    private static let shells = ["bash", "zsh", "fish"]

    static let spec = CommandSpec(
        name: "completions",
        abstract: "print the completion script of a shell",
        group: .tool,
        arguments: [ArgumentSpec("SHELL", .one, .choice(shells), Phrase.list(shells, joined: "or"))],
        examples: [
            .init("source <(devmesh completions bash)", "complete in this bash"),
            .init("devmesh completions fish > ~/.config/fish/completions/devmesh.fish", "complete in every fish"),
        ])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let specs = Subcommands.specs
        let script =
            switch arguments.positionals[0] {
            case "bash": BashCompletions(specs: specs).script
            case "zsh": ZshCompletions(specs: specs).script
            default: FishCompletions(specs: specs).script
            }
        try session.output.write(script)
        return 0
    }
}
