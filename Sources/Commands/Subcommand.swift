import Manifest

/// One command of devmesh; one file each: declare, validate, run.
protocol Subcommand {
    static var spec: CommandSpec { get }

    /// Does it and returns the exit code.
    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32
}

/// Every command, in the order of the listing.
enum Subcommands {
    static let all: [any (Subcommand & Sendable).Type] = [
        UpCommand.self, DownCommand.self, PsCommand.self, TopCommand.self, LsCommand.self,
        StartCommand.self, StopCommand.self, RestartCommand.self, BuildCommand.self, UseCommand.self,
        RouteCommand.self, ScaleCommand.self, FaultCommand.self, WatchCommand.self, WaitCommand.self,
        AttachCommand.self,
        LogsCommand.self, WhyCommand.self, EventsCommand.self, PortsCommand.self,
        OpenCommand.self,
        EnvCommand.self, ExecCommand.self, RunCommand.self,
        InitCommand.self, CheckCommand.self, ConfigCommand.self, SchemaCommand.self,
        DoctorCommand.self, TrustCommand.self, CompletionsCommand.self, VersionCommand.self, HelpCommand.self,
        CompleteCommand.self, SuperviseCommand.self,
    ]

    static var specs: [CommandSpec] { all.map { $0.spec } }

    /// Commands that the contract names and later work brings.
    static let notYet: Set<String> = [
        "resolve", "register", "deregister", "traffic", "graph",
    ]

    static func named(_ name: String) throws(UsageError) -> any Subcommand.Type {
        if let command = all.first(where: { $0.spec.name == name }) { return command }
        if notYet.contains(name) { throw .notYet(command: name) }
        let names = specs.filter { !$0.isHidden }.map(\.name)
        throw .unknownCommand(name, nearest: Manifest.nearest(to: name, among: names))
    }
}
