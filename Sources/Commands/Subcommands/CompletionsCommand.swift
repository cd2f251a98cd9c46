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
        let specs = Subcommands.all.map(\.spec)
        switch arguments.positionals[0] {
        case "bash": try session.output.write(BashCompletions(specs: specs).script)
        case "zsh": try session.output.write(ZshCompletions(specs: specs).script)
        case "fish": try session.output.write(FishCompletions(specs: specs).script)
        case let other:
            throw .usage(.invalidValue(other, of: "SHELL", expected: Phrase.list(shells, joined: "or")))
        }
        return 0
    }
}
