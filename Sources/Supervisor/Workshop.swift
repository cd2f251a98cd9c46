import EventLoop
import Manifest
import Platform

/// What all services of a supervisor share.
final class Workshop {
    let loop: EventLoop
    let trees: ProcessTrees
    let listeners: ListenerWatch
    let worktrees: Worktrees
    let confinement: Confinement
    let containers: Containers
    /// Names the project in the marker that each process carries.
    let project: String
    let environment: (Service, Int, Int?) -> [String: String]
    let allocatePort: (Set<Int>) -> Int?
    /// Whether every orphan that this process adopts comes from the programs that are started here.
    let ownsOrphans: Bool
    weak var delegate: (any SupervisorDelegate)?
    /// Those of the builds: as many at a time as there are processors.
    let buildSlots = BuildSlots(ThisProcess.processors)
    /// After which nobody waits for what SIGKILL has not ended, while everything is being stopped.
    var patience = Duration.seconds(5)
    /// Private ports of runs that are not gone.
    var portsInUse: Set<Int> = []

    init(
        on loop: EventLoop, children: Children, project: String,
        environment: @escaping (Service, Int, Int?) -> [String: String],
        allocatePort: @escaping (Set<Int>) -> Int?, ownsOrphans: Bool, witness: StartWitness?
    ) {
        self.loop = loop
        self.project = project
        self.environment = environment
        self.allocatePort = allocatePort
        self.ownsOrphans = ownsOrphans
        trees = ProcessTrees(on: loop, children: children, witness: witness)
        listeners = ListenerWatch(on: loop, trees: trees)
        confinement = Confinement(on: loop, trees: trees)
        worktrees = Worktrees(on: loop, trees: trees, project: project)
        containers = Containers(on: loop, trees: trees, project: project)
    }

    /// What a process of this project carries, and its offspring with it.
    func marker(_ run: String) -> String { project + "/" + run }
}
