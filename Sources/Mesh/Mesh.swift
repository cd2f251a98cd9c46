import Control
import EventLoop
import Gateway
import Logs
import Manifest
import Plan
import Platform
import Project
import Proxy
import Supervisor

/// A mesh that is up: joins the rooms, which know nothing of each other, and owns their lifetimes.
///
///     Supervisor ── output ──► LogHub
///         │ ServiceFront          ▲ last lines
///         ▼                       │
///       Proxy ◄── Mesh ──► ControlServer, EventLog
final class Mesh {
    let loop: EventLoop
    let lease: SupervisorLease
    let options: MeshOptions
    let hooks: MeshHooks
    let startedAt = WallTime.now

    private let plans: PlanHolder
    var plan: Plan {
        get { plans.plan }
        set {
            plans.plan = newValue
            masking = Masking(newValue, earlier: masking)
        }
    }
    private(set) var masking: Masking
    /// Which services this `up` and later ones asked for, and from where.
    var selection: Selection
    /// What `use`, `scale`, `route` and `fault` chose; kept on disk.
    var choices: RuntimeChoices
    /// What the latest `up` inherited.
    var environment: [String: String]
    /// Whether services that the manifest gains are part of this `up`.
    var selectsAll: Bool
    var watches: Watches

    let logs: LogHub
    let proxy: Proxy
    let children: Children
    let events = EventLog()
    let supervisor: Supervisor
    let ports: PrivatePorts
    var usage: UsageMeter?
    var outputs = Outputs()
    let terminals: Terminals
    /// When the current or the latest build of a service began; its output is what came since.
    var buildsBegan: [String: WallTime] = [:]
    var waiters: [Waiter] = []
    /// Whether `hooks.states` is about to be told.
    private var tellsStates = false
    /// Which unit serves each service.
    var targets = Targets()
    /// The unit that each service was asked to move to last: no other takes over.
    var moves: [String: String] = [:]
    /// How often each service's route was asked to change: only the latest counts.
    var reroutings: [String: Int] = [:]
    /// What the proxy was told of each service's route.
    var routes: [String: Route] = [:]
    /// Units that nobody uses any more, until they are stopped.
    var lingering: [String: Timer] = [:]
    /// Services whose own entry is served by its remote, as far as the proxy was told.
    var remoteFronts: Set<String> = []
    /// What the front of each unit would do, were it the one in use.
    var fronts: [String: ServiceFront] = [:]
    /// Those that changed while services are being started; nil except meanwhile.
    var heldFronts: Set<String>?
    /// Where containers reach this machine, once one is to be started.
    var bridge: String?
    var server: ControlServer?
    var phase = Phase.running
    /// Ended by the second ^C.
    var wasKilled = false

    /// The way down is one-way.
    enum Phase {
        case running
        /// Callers of `down`, who are answered when all is gone.
        case stopping(waiting: [(Int) -> Void])
        case ended
    }

    init(
        on loop: EventLoop, lease: SupervisorLease, options: MeshOptions, hooks: MeshHooks, planned: Planned,
        unstored: UnstoredOutput
    ) throws(MeshError) {
        self.loop = loop
        self.lease = lease
        // What runs, on disk; nil where it can't be written.
        let journal: Journal?
        do throws(ProjectError) {
            journal = try Journal(lease.project, in: ControlGroup.own, kernel: loop.kernel)
        } catch {
            hooks.notice(error.description)
            journal = nil
        }
        self.options = options
        self.hooks = hooks
        masking = Masking(planned.plan)
        selection = planned.selection
        choices = planned.choices
        environment = options.environment
        selectsAll = options.services == nil && options.local == nil
        watches = Watches(isOn: options.watches)
        let remote = loop.remote
        do throws(Errno) {
            logs = try LogHub(folder: lease.project.logsFolder, unstored: unstored, kernel: loop.kernel) {
                service, error in
                remote.post { _ in hooks.notice(Sentences.logsFail(service, error)) }
            }
            children = try Children(on: loop)
        } catch {
            throw .failed(Sentences.cannotStart(error))
        }
        let ports = PrivatePorts(avoiding: planned.claimedPorts, kernel: loop.kernel)
        self.ports = ports
        terminals = Terminals(on: loop)
        let plans = PlanHolder(planned.plan)
        self.plans = plans
        proxy = Proxy(on: loop, authority: lease.places.authority)
        supervisor = Supervisor(
            on: loop, children: children, project: lease.project.hash,
            environment: { plans.environment(of: $0.name, instance: $1, port: $2) },
            allocatePort: { ports.take(besides: $0) }, ownsOrphans: true,
            witness: StartWitness { [logs] source, stdout, stderr in
                logs.expect(service: source.service, instance: source.instance, stdout: stdout, stderr: stderr)
            } process: { pid, marker, tag, began in
                journal?.started(pid, String(marker.drop { $0 != "/" }.dropFirst()), tag: tag, began: began)
            })
        proxy.delegate = self
        supervisor.delegate = self
        supervisor.onContainers = {
            LeftContainers.note(client: $0, environment: $1, of: lease.project, kernel: loop.kernel)
        }
        supervisor.onContainerWait = { [unowned self] client, patience in
            let sentence = Sentences.containersAwaited(client, patience)
            hooks.notice(sentence)
            tell(nil, MeshEvent.waiting, sentence)
        }
        supervisor.onBridge = { [unowned self] in
            bridge = $0
            openToContainers()
        }
        usage = UsageMeter(on: loop) { [unowned self] in supervisor.trees() }
    }

    var project: LocatedProject { lease.project }
    var places: Places { lease.places }

    /// How every service and every version stands, in the manifest's order.
    var statuses: [(plan: ServicePlan, status: ServiceSnapshot)] {
        plan.units.compactMap { planned in supervisor.status(planned.name).map { (planned, $0) } }
    }

    /// The services' names, in the manifest's order.
    var serviceNames: [String] { plan.services.map(\.name) }

    /// Tells how the services stand, once for all that changes in this turn of the loop.
    func tellStates() {
        guard hooks.states != nil, !tellsStates else { return }
        tellsStates = true
        loop.later { [self] in
            tellsStates = false
            let states = plan.services.compactMap { planned in
                supervisor.status(targets.unit(of: planned.name)).map { (planned.name, $0.state.rawValue) }
            }
            hooks.states?(states)
        }
    }

    /// Says something to those who follow `devmesh events`.
    func tell(_ service: String?, _ event: String, _ detail: String? = nil, instance: String? = nil) {
        let masked = detail.map { masking($0) }
        events.append(
            MeshEvent(
                time: WallTime.now.rfc3339(), service: service, event: event, detail: masked, instance: instance))
    }
}

/// The plan that is up, for closures that outlive it.
final class PlanHolder {
    var plan: Plan {
        didSet { maker = EnvironmentMaker(plan) }
    }
    private var maker: EnvironmentMaker

    init(_ plan: Plan) {
        self.plan = plan
        maker = EnvironmentMaker(plan)
    }

    func environment(of service: String, instance: Int, port: Int?) -> [String: String] {
        guard let planned = plan.unit(service) else { return [:] }
        return maker.values(of: planned, instance: instance, privatePort: port)
    }
}
