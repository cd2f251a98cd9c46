import EventLoop
import Manifest
import Platform

/// Runs the services of a mesh: starts them in the order that `dependsOn` asks for, keeps them up, and ends them.
///
///     commands ─▶ Supervisor ─▶ ServiceRunner ─▶ ServiceMachine (pure) ─▶ effects ─▶ processes, probes, fronts
///                     ▲                                                                     │
///                     └── states of dependencies ◀── events ◀───────────────────────────────┘
///
/// Belongs to one loop. Completions are called once, on that loop, perhaps before the call returns.
public final class Supervisor {
    public typealias Completion = (Outcome) -> Void

    /// A service or one of its versions, and where it starts out.
    public struct Entry {
        public var service: Service
        public var target: Place
        public var instances: Int

        public init(_ service: Service, target: Place? = nil, instances: Int? = nil) {
            self.service = service
            self.target = target ?? service.place
            self.instances = instances ?? service.instances
        }
    }

    /// The variable in the environment of every process that a mesh starts, and of what that starts in turn.
    public static let markerName = ProcessTrees.markerName
    /// What a program carries that is started beside the services and may outlive them, as a browser.
    public static let asideMarker = "-"
    public static func isAside(_ process: ProcessEntry) -> Bool { ProcessTrees.marker(of: process) == asideMarker }

    /// Of one service; as in the manifest.
    public static let mostInstances = 1000

    let workshop: Workshop
    var runners: [String: ServiceRunner] = [:]
    /// In the manifest's order.
    public internal(set) var names: [String] = []
    /// Whom each service's `dependsOn` concerns: the ones that name it.
    var dependents: [String: [String]] = [:]
    /// The unit that serves a service, where it is not the service's own.
    var substitutes: [String: String] = [:]
    var stopping: Stopping?
    var undyingWatch: Timer?
    /// Removed from the manifest, and forgotten once nothing of them is left.
    var leaving: Set<String> = []

    /// - Parameters:
    ///   - project: part of the marker `DEVMESH_INSTANCE=<project>/<instance>` that all processes carry.
    ///   - environment: whole, for a process of an instance with its private port; the marker is added to it.
    ///   - allocatePort: a private port that is free and not among those given; better not one used lately, which a
    ///     program may be unable to bind for a minute (TIME_WAIT).
    ///   - ownsOrphans: whether every orphan that this process adopts comes from this supervisor's programs: true for
    ///     a process that does nothing else. Then those end with it too of which neither tag nor marker tells anything.
    public init(
        on loop: EventLoop, children: Children, project: String,
        environment: @escaping (_ service: Service, _ instance: Int, _ port: Int?) -> [String: String],
        allocatePort: @escaping (_ avoiding: Set<Int>) -> Int?, ownsOrphans: Bool = false,
        witness: StartWitness? = nil
    ) {
        workshop = Workshop(
            on: loop, children: children, project: project, environment: environment, allocatePort: allocatePort,
            ownsOrphans: ownsOrphans, witness: witness)
    }

    /// What every process of a project has in its environment; the name of its instance follows.
    public static func marker(ofProject project: String) -> String { "\(ProcessTrees.markerName)=\(project)/" }

    /// Set before services are added.
    public weak var delegate: (any SupervisorDelegate)? {
        get { workshop.delegate }
        set { workshop.delegate = newValue }
    }

    /// Adds services, stopped; their fronts answer until they are started.
    public func add(_ entries: [Entry]) {
        for entry in entries {
            let runner = ServiceRunner(
                entry.service, target: entry.target, instances: entry.instances, in: workshop
            ) { [weak self] in self?.stateChanged($0) }
            runners[entry.service.name] = runner
            names.append(entry.service.name)
            runner.announce()
        }
        connectDependencies()
    }

    /// Must be called before the last reference goes, after `stopAll` or `killAll`.
    public func close() {
        undyingWatch?.cancel()
        workshop.trees.close()
    }

    func runner(_ name: String) throws(SupervisorError) -> ServiceRunner {
        if let runner = runners[name] { return runner }
        let folded = name.lowercased()
        guard let match = names.first(where: { $0.lowercased() == folded }), let runner = runners[match] else {
            throw .unknownService(name)
        }
        return runner
    }

    // MARK: Commands

    /// Starts a service and those it depends on that are stopped; done when it is ready or has completed.
    public func start(_ name: String, _ done: @escaping Completion = { _ in }) throws(SupervisorError) {
        let runner = try runner(name)
        startDependencies(of: runner)
        runner.command({ .start($0) }, done)
    }

    /// Starts several, as `up` does: each with those it depends on, all that can in parallel.
    /// - Parameter done: called once for each.
    public func start(_ names: [String], _ done: @escaping (String, Outcome) -> Void = { _, _ in })
        throws(SupervisorError)
    {
        var wanted: [ServiceRunner] = []
        for name in names { wanted.append(try runner(name)) }
        // Those that nobody waits for first, so that none finds its dependency stopped.
        for runner in wanted { startDependencies(of: runner) }
        for runner in inDependencyOrder(wanted) { runner.command({ .start($0) }) { done(runner.name, $0) } }
    }

    /// Done when nothing that ran when it was called is left.
    public func stop(_ name: String, _ done: @escaping Completion = { _ in }) throws(SupervisorError) {
        try runner(name).command({ .stop($0) }, done)
    }

    /// Builds, then replaces one instance after another; starts what is stopped.
    public func restart(_ name: String, _ done: @escaping Completion = { _ in }) throws(SupervisorError) {
        let runner = try runner(name)
        if !runner.machine.isWanted { startDependencies(of: runner) }
        runner.command({ .restart($0) }, done)
    }

    /// Builds and replaces what runs, since its files have changed; what is stopped stays so, and what nobody uses is
    /// built once it is used again.
    /// - Parameter cancelsBuild: a build that is running is begun anew rather than waited for.
    public func filesChanged(_ name: String, cancelsBuild: Bool) {
        runners[name]?.send(.filesChanged(cancelsBuild: cancelsBuild))
    }

    public func build(_ name: String, _ done: @escaping Completion = { _ in }) throws(SupervisorError) {
        try runner(name).command({ .build($0) }, done)
    }

    public func scale(_ name: String, to count: Int, _ done: @escaping Completion = { _ in })
        throws(SupervisorError)
    {
        let runner = try runner(name)
        if count > Self.mostInstances { throw .hugeScale(service: runner.name) }
        if count > 1, case .fixed(let port) = runner.service.listens {
            throw .notScalable(service: runner.name, port: port)
        }
        runner.command({ .scale(count, $0) }, done)
    }

    /// - Parameter keep: the target that is left is not stopped after 30 s.
    public func use(_ name: String, _ target: Place, keep: Bool = false, _ done: @escaping Completion = { _ in })
        throws(SupervisorError)
    {
        let runner = try runner(name)
        if target == .local { startDependencies(of: runner) }
        runner.command({ .use(target, keep: keep, $0) }, done)
    }

    // MARK: What the fronts see

    public func remoteFailed(_ name: String, reason: String) { runners[name]?.send(.remoteFailed(reason: reason)) }

    public func remoteSucceeded(_ name: String) {
        // Told for each exchange: only the first after a failure is news.
        guard let runner = runners[name], runner.machine.remoteFailure != nil else { return }
        runner.send(.remoteSucceeded)
    }

    // MARK: Looking

    /// Whether it is to be up, whatever has become of that.
    public func isWanted(_ name: String) -> Bool { runners[name]?.machine.isWanted ?? false }

    /// Whether what runs here serves, or is to as soon as it is ready.
    public func usesLocal(_ name: String) -> Bool { runners[name]?.machine.usesLocal ?? false }

    public func status(_ name: String) -> ServiceSnapshot? { runners[name]?.status }

    /// What is to come: when something is tried again, and what serves meanwhile. A sentence each, for `why`.
    public func prospects(_ name: String) -> [String] { runners[name]?.prospects ?? [] }

    /// The living processes of every tree that runs, builds included, by the pid of the one that was spawned.
    public func trees() -> [Int32: [ProcessEntry]] { workshop.trees.census() }

    /// How many of its timers run: none while nothing is on its way and nothing is probed.
    public var timerCount: Int {
        runners.values.reduce(0) { $0 + $1.timerCount }
            + [workshop.listeners.isIdle, workshop.confinement.isIdle].count { !$0 }
    }
}
