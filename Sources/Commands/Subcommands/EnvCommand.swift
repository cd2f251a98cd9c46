/// `devmesh env SERVICE`
enum EnvCommand: Subcommand {
    static let spec = CommandSpec(
        name: "env",
        abstract: "print the environment of a service",
        group: .environment,
        details: "The whole of it as NAME='value' lines for a shell's `eval`, secrets included. Needs no mesh.",
        arguments: [ArgumentSpec("SERVICE", .one, .service, "whose")],
        options: [.json],
        examples: [.init("set -a; eval \"$(devmesh env reader)\"", "have reader's variables in this shell")])
}
