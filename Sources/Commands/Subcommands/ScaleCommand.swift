/// `devmesh scale SERVICE=N…`
enum ScaleCommand: Subcommand {
    static let spec = CommandSpec(
        name: "scale",
        abstract: "change how many instances a service has",
        group: .service,
        details: "Requests go to the instances in turn.",
        arguments: [ArgumentSpec("SERVICE=N", .several, .serviceCount, "the service and its number of instances")],
        examples: [.init("devmesh scale reader=3", "three readers behind one address")])
}
