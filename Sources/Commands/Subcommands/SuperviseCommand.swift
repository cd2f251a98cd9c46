import Control
import Mesh
import Synchronization

/// `devmesh __supervise`: what `up -d` leaves in the background.
enum SuperviseCommand: Subcommand {
    static let spec = CommandSpec(
        name: "__supervise",
        abstract: "be the supervisor of a mesh in the background",
        group: .mesh,
        arguments: UpCommand.spec.arguments,
        options: UpCommand.spec.options.filter { ["local", "no-watch"].contains($0.long) },
        examples: UpCommand.spec.examples,
        isHidden: true)

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let notices = session.notices
        let said = Mutex<[String]>([])
        let hooks = MeshHooks(
            started: { start in
                let local = start.addresses.filter { $0.runsHere }.map { $0.service }
                BackgroundMesh.report(.init(name: start.name, local: local, notices: said.withLock { $0 }))
            },
            notice: { notice in
                said.withLock { $0.append(notice) }
                try? notices.line(notice)
            })
        switch try Supervision.run(arguments, hooks, in: session) {
        case .ended(let code): return code
        // Whoever asked finds that one.
        case .running: return 0
        }
    }
}
