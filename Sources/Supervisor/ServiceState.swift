import Manifest
import Platform

/// What a service or one of its instances is doing (contract §6).
public enum ServiceState: String, Sendable, CaseIterable {
    /// Waits for a `dependsOn`.
    case pending
    /// First build, nothing serving yet.
    case building
    /// Runs, not yet ready.
    case starting
    case ready
    /// The ready timeout passed or the live probe fails; it runs on and is probed on.
    case unready
    /// On its way down, for good or in a restart.
    case stopping
    case stopped
    /// A one-shot, or another that exited with 0.
    case completed
    /// Crashed, or its build failed with nothing serving.
    case failed
    /// A remote that failed its last use.
    case unreachable
}

/// Which of two ways a service's own entry is served; a version has only one.
public enum Place: Sendable, Equatable {
    /// By its processes.
    case local
    case remote
}

extension Service {
    /// How its own entry is served at first; what it takes to switch to that later where it starts out as a version.
    public var place: Place {
        switch target {
        case .local: .local
        case .remote: .remote
        case .version, .git: !runsHere && remote != nil ? .remote : .local
        }
    }

    /// Whether there is something to do before it can be started.
    var needsBuild: Bool { build != nil || checkout != nil }
}

/// What a service's front does with a connection (contract §6).
public enum ServiceFront: Sendable, Equatable {
    /// It waits, at most `bound` from its arrival; then it is answered with `reason`.
    case hold(bound: Duration, reason: String)
    /// It goes to one of these in turn; if none accepts it, it is answered with `whenRefused`.
    case pass([ServiceBackend], whenRefused: String, areReady: Bool = true)
    /// It is answered at once.
    case answer(reason: String)
    /// It goes to the service's `remote`.
    case remote
}

/// An instance that serves, and where.
public struct ServiceBackend: Sendable, Hashable {
    public var run: RunKey
    /// An IP literal without brackets: whichever of 127.0.0.1 and ::1 its program answers on.
    public var host: String
    public var port: Int

    public init(run: RunKey, host: String, port: Int) {
        self.run = run
        self.host = host
        self.port = port
    }
}

/// One process of one instance: whatever is said about a run says so with its generation, so that nothing that
/// happens late to one process is taken for something that happened to its successor.
public struct RunKey: Sendable, Hashable {
    /// Counted from 1.
    public var instance: Int
    /// Unique in its service, growing.
    public var generation: Int

    public init(instance: Int, generation: Int) {
        self.instance = instance
        self.generation = generation
    }
}

/// A command that waits for its outcome; each is completed exactly once.
public struct Ticket: Sendable, Hashable {
    public var id: Int

    public init(id: Int) {
        self.id = id
    }
}

/// How a command ended.
public enum Outcome: Sendable, Equatable {
    case done
    /// What, why and what to do next.
    case failed(String)
    /// The build failed; its output stands in the log as stream `build`.
    case buildFailed(String)
}

/// What `ps` shows of a service.
public struct ServiceSnapshot: Sendable, Equatable {
    public var state: ServiceState
    /// Nil when ready.
    public var reason: String?
    /// Whether it is served by its `remote`, not from here.
    public var targetsRemote: Bool
    public var instances: [InstanceSnapshot]
    /// Something to know of it though it is ready.
    public var remark: String?
}

/// What `ps` shows of an instance.
public struct InstanceSnapshot: Sendable, Equatable {
    /// Counted from 1.
    public var number: Int
    public var state: ServiceState
    public var reason: String?
    /// The process spawned; nil while there is none.
    public var pid: Int32?
    /// Nil where it has none.
    public var port: Int?
    public var generation: Int?
    /// When the process was started.
    public var started: WallTime?
    /// Automatic ones only.
    public var restarts: Int
}
