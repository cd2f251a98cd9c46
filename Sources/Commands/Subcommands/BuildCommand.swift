/// `devmesh build SERVICE…`
enum BuildCommand: Subcommand {
    static let spec = CommandSpec(
        name: "build",
        abstract: "build services without restarting them",
        group: .service,
        details: "Needs no mesh. Prints the output of a build that fails, and exits 1.",
        arguments: [ServiceActions.services],
        options: ServiceActions.options,
        examples: [.init("devmesh build reader", "run reader's build command in its folder")])
}
