import Manifest
import Project

/// What `devmesh up` was asked for.
public struct MeshOptions: Sendable {
    /// `up A B`: those and what they depend on; nil: all.
    public var services: [String]?
    /// `up --local A,B`; nil: as the manifest says.
    public var local: [String]?
    /// What `up` inherited.
    public var environment: [String: String]
    /// devmesh's own, for the control API.
    public var version: String
    /// Whether changes of files are heeded: of services that have `watch`, and of the manifest.
    public var watches: Bool

    public init(
        services: [String]? = nil, local: [String]? = nil, environment: [String: String], version: String,
        watches: Bool = true
    ) {
        self.services = services
        self.local = local
        self.environment = environment
        self.version = version
        self.watches = watches
    }
}

/// What a mesh tells whoever started it. All are called on the mesh's thread.
public struct MeshHooks: Sendable {
    /// The fronts listen and the control socket answers; services are being started.
    public var started: @Sendable (MeshStart) -> Void
    /// Whether what programs write is shown from then on.
    public var showsLogs = false
    /// Everything is stopped and every line is stored; returns when it has been shown.
    public var ended: @Sendable () -> Void
    /// The state of each service, in the manifest's order, whenever one may have changed; nil: nobody asks.
    public var states: (@Sendable ([(service: String, state: String)]) -> Void)?
    /// A sentence for the user, as of a damaged state file.
    public var notice: @Sendable (String) -> Void

    public init(
        started: @escaping @Sendable (MeshStart) -> Void = { _ in }, ended: @escaping @Sendable () -> Void = {},
        states: (@Sendable ([(service: String, state: String)]) -> Void)? = nil,
        notice: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.started = started
        self.ended = ended
        self.states = states
        self.notice = notice
    }
}

/// A mesh that has just come up.
public struct MeshStart: Sendable {
    public struct Address: Sendable {
        public var service: String
        /// Nil for a service that listens nowhere.
        public var url: String?
        /// `local`, `remote` or a version; nil where it is left out of this `up`.
        public var target: String?
        /// Whether it is served by a program that the mesh starts.
        public var runsHere: Bool { target != nil && target != Target.remote.name }
    }

    public var name: String
    public var addresses: [Address]
    /// The folder of the log store, and the number of the first line that belongs to this run.
    public var logs: String
    public var firstSeq: Int
}

/// Why a mesh could not come up.
public enum MeshError: Error, Sendable {
    case project(ProjectError)
    /// Sentences with their places in the manifest, all of them.
    case manifest([String])
    /// What, why and what to do next.
    case failed(String)
}
