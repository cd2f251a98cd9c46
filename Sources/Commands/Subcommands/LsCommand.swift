/// `devmesh ls`
enum LsCommand: Subcommand {
    static let spec = CommandSpec(
        name: "ls",
        abstract: "list the running meshes of all projects",
        group: .mesh,
        options: [.json],
        examples: [.init("devmesh ls", "what is up on this machine")])
}
