/// `devmesh down`
enum DownCommand: Subcommand {
    static let spec = CommandSpec(
        name: "down",
        abstract: "stop everything",
        group: .mesh,
        details: """
            Returns when every process of the mesh is gone, grandchildren included; 0 also where nothing is up. What \
            `use` and `scale` chose is forgotten. Logs and ports are kept.
            """,
        options: [.json],
        examples: [.init("devmesh down", "stop this project's mesh")])
}
