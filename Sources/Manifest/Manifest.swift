import JSON

/// A manifest that has been read, validated and expanded: what the user wants, with no port assigned yet.
public struct Manifest: Sendable, Equatable {
    /// The real path of the file: the project's identity.
    public var path: String
    /// The folder that holds it; `directory`, `envFile` and versions are relative to it.
    public var directory: String
    public var name: String
    /// `ports.first`, where this project's block begins, if the user chose it.
    public var firstPort: Int?
    /// `envFile` at the top: absolute.
    public var environmentFile: String?
    /// Top-level `envFile` and `env`, lowest precedence first.
    public var variables: [Variable]
    /// In the manifest's order, which is the order of the fronts' ports.
    public var services: [Service]

    public init(
        path: String, directory: String, name: String, firstPort: Int? = nil, variables: [Variable] = [],
        services: [Service] = []
    ) {
        self.path = path
        self.directory = directory
        self.name = name
        self.firstPort = firstPort
        self.variables = variables
        self.services = services
    }

    /// Finds a service; names are compared without case.
    public subscript(name: String) -> Service? {
        let folded = name.lowercased()
        return services.first { $0.name.lowercased() == folded }
    }
}

/// One `NAME=value` that the manifest sets, with where it comes from.
public struct Variable: Sendable, Equatable {
    public var name: String
    /// Expanded but for injected variables (`${PORT}`), which get their values when a process is started: see
    /// `Injected.resolve`.
    public var value: String
    public var source: Source
    /// What of it to mask.
    public var secrecy: Secrecy

    public enum Secrecy: Sendable, Equatable {
        case none
        /// The passwords of the URLs in it.
        case passwords
        /// All: it comes from an envFile, or its name matches TOKEN, SECRET, PASSW, KEY, CREDENTIAL, or its value is
        /// made of such.
        case whole
    }

    /// Whether the bytes may name one, in a shell as well: letters, digits and `_`, no digit first (POSIX XBD 3.216).
    public static func isName(_ bytes: some Collection<UInt8>) -> Bool {
        guard let first = bytes.first else { return false }
        return !first.isDigit && bytes.allSatisfy(\.isWordByte)
    }

    /// Whether there is something to mask.
    public var isSecret: Bool { secrecy != .none }

    public enum Source: Sendable, Equatable {
        /// `envFile` at the top or of a service: path and line.
        case file(path: String, line: Int)
        /// `env` at the top or of a service: the position in the manifest.
        case manifest(Position)
    }

    public init(name: String, value: String, source: Source, isSecret: Bool = false) {
        self.name = name
        self.value = value
        self.source = source
        secrecy = isSecret ? .whole : .none
    }
}

/// A place in the manifest, both counted from 1; columns count characters (Unicode scalars).
public struct Position: Sendable, Equatable {
    public var line: Int
    public var column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}

/// `services.NAME`.
public struct Service: Sendable, Equatable {
    public var name: String
    /// Where the service's entry stands.
    public var position: Position
    /// Absolute.
    public var directory: String
    public var build: Command?
    public var run: Command?
    /// What it runs in instead of `run`.
    public var container: Container?
    /// Its own `envFile`: absolute.
    public var environmentFile: String?
    /// Service `envFile`, then service `env`: lowest precedence first.
    public var variables: [Variable]
    /// Nil: all services, no edges.
    public var uses: [Use]?
    public var dependsOn: [Dependency]
    public var ready: ReadyProbe
    /// Nil: not probed once ready.
    public var live: LiveProbe?
    public var restart: RestartPolicy
    public var stop: StopPolicy
    public var instances: Int
    public var handover: Handover = .hold
    /// Nil: changes of files don't matter to it.
    public var watch: WatchRules?
    /// Whether each of its processes has a terminal of its own.
    public var hasTerminal = false
    public var listens: Listens
    /// `port`: pins the front.
    public var port: Int?
    public var `protocol`: ProtocolHint
    public var oneShot: Bool
    public var remote: Remote?
    /// Web pages of these origins may call it by the gateway and where its remote adds credentials: those of the top and
    /// its own.
    public var origins: [String] = []
    /// What leads to it at the gateway: host names in lower case, beside `GatewayHost.names`, and paths.
    public var hosts: [String] = []
    public var paths: [GatewayPath] = []
    /// Where it starts out: unless the manifest says otherwise, the first of its `targets`.
    public var target: Target
    /// In the manifest's order.
    public var versions: [ServiceVersion]
    /// What is checked out before it is built and run: of a version with `git`.
    public var checkout: Checkout?
    public var routing = Routing()
    public var timeouts = Timeouts()
    public var retries = Retries()
    public var limits = Limits()
    public var logs: LogLimits
    /// Secret values that `${}` put into its commands, directory or remote: `Secrets.masking` hides them where these
    /// are shown.
    public var secrets: [String]
    /// Of everything that counts as a change of this service (contract §2, "What counts as changed"): its own
    /// entry, the top-level variables, its envFile's contents and the values of its `${}`. Equal means unchanged.
    public var fingerprint: String

    /// A service with the manifest's defaults: `local`, TCP readiness, an assigned port.
    public init(
        name: String, position: Position = Position(line: 1, column: 1), directory: String, build: Command? = nil,
        run: Command? = nil, variables: [Variable] = [], uses: [Use]? = nil, dependsOn: [Dependency] = [],
        ready: ReadyProbe = ReadyProbe(), live: LiveProbe? = nil, restart: RestartPolicy = .onFailure,
        stop: StopPolicy = StopPolicy(), instances: Int = 1, listens: Listens = .assigned, port: Int? = nil,
        protocol: ProtocolHint = .auto, oneShot: Bool = false, remote: Remote? = nil, target: Target = .local,
        versions: [ServiceVersion] = [], checkout: Checkout? = nil, logs: LogLimits = LogLimits(),
        secrets: [String] = [], fingerprint: String = ""
    ) {
        self.name = name
        self.position = position
        self.directory = directory
        self.build = build
        self.run = run
        self.variables = variables
        self.uses = uses
        self.dependsOn = dependsOn
        self.ready = ready
        self.live = live
        self.restart = restart
        self.stop = stop
        self.instances = instances
        self.listens = listens
        self.port = port
        self.protocol = `protocol`
        self.oneShot = oneShot
        self.remote = remote
        self.target = target
        self.versions = versions
        self.checkout = checkout
        self.logs = logs
        self.secrets = secrets
        self.fingerprint = fingerprint
    }
}

public enum Command: Sendable, Equatable {
    /// A string: `sh -c`. devmesh expands nothing in it.
    case shell(String)
    /// An array: no shell. Expanded but for injected variables, which get their values when a process is started:
    /// see `resolved`.
    case argv([String])
}

public struct Use: Sendable, Equatable {
    public var service: String
    /// `members@next`: what this caller's calls go to, whatever the service is served from; nil: that.
    public var target: Target?

    public init(service: String, target: Target? = nil) {
        self.service = service
        self.target = target
    }
}

public struct Dependency: Sendable, Equatable {
    public var service: String
    public var condition: Condition

    public enum Condition: String, Sendable, CaseIterable {
        case started, ready, completed
    }

    public init(service: String, condition: Condition) {
        self.service = service
        self.condition = condition
    }
}

public struct ReadyProbe: Sendable, Equatable {
    public var kind: Kind
    public var interval: Duration
    public var timeout: Duration

    public enum Kind: Sendable, Equatable {
        /// The default: a listening socket of the instance's own process tree. Where the service listens nowhere
        /// (`listens: false`), ready once started.
        case tcp
        /// A path; ready on 2xx and 3xx.
        case http(String)
        /// Ready on exit 0.
        case command(Command)
        /// A regular expression that a line of its output matches.
        case log(String)
    }

    public init(
        kind: Kind = .tcp, interval: Duration = .milliseconds(200), timeout: Duration = .seconds(30)
    ) {
        self.kind = kind
        self.interval = interval
        self.timeout = timeout
    }
}

public struct LiveProbe: Sendable, Equatable {
    /// `.log` is not possible here.
    public var kind: ReadyProbe.Kind
    public var interval: Duration
    public var failures: Int

    public init(kind: ReadyProbe.Kind, interval: Duration = .seconds(5), failures: Int = 3) {
        self.kind = kind
        self.interval = interval
        self.failures = failures
    }
}

public enum RestartPolicy: String, Sendable, CaseIterable {
    case never
    case onFailure = "on-failure"
    case always
}

/// What comes first in a restart.
public enum Handover: String, Sendable, CaseIterable {
    /// The end of the old process; requests wait meanwhile.
    case hold
    /// The new process, which takes over once it is ready.
    case overlap
}

/// Changes of which files have it built and restarted.
public struct WatchRules: Sendable, Equatable {
    /// Relative to its folder: folders, files, or patterns.
    public var paths: [String]
    /// As in a .gitignore of its folder.
    public var ignore: [String]
    /// How long nothing more must change.
    public var debounce: Duration

    public init(paths: [String] = ["."], ignore: [String] = [], debounce: Duration = .milliseconds(200)) {
        self.paths = paths
        self.ignore = ignore
        self.debounce = debounce
    }
}

public struct StopPolicy: Sendable, Equatable {
    /// A number; the manifest says `TERM` or `SIGTERM`.
    public var signal: Int32
    public var to: Recipient
    public var drain: Duration
    public var timeout: Duration

    public enum Recipient: String, Sendable, CaseIterable {
        case group, leader
    }

    public init(
        signal: Int32 = 15, to: Recipient = .group, drain: Duration = .seconds(5), timeout: Duration = .seconds(10)
    ) {
        self.signal = signal
        self.to = to
        self.drain = drain
        self.timeout = timeout
    }
}

extension StopPolicy {
    /// The signals that a manifest can name, with or without `SIG`.
    static let signalNames = ["TERM", "INT", "QUIT", "HUP", "KILL", "USR1", "USR2", "WINCH"]

    /// Their numbers on Linux (signal(7)).
    public static let linuxSignals: [String: Int32] = [
        "TERM": 15, "INT": 2, "QUIT": 3, "HUP": 1, "KILL": 9, "USR1": 10, "USR2": 12, "WINCH": 28,
    ]
}

public enum Listens: Sendable, Equatable {
    /// On the private port it is given in `PORT`.
    case assigned
    /// `listens: 8080`: a port it insists on.
    case fixed(Int)
    /// `listens: false`: a worker; no front, ready once started.
    case nothing
}

public enum ProtocolHint: String, Sendable, CaseIterable {
    case auto, http, tcp
}

/// `logs`: how much of a service's output is kept.
public struct LogLimits: Sendable, Equatable {
    /// Bytes a service; the oldest go first. Default 256 MB.
    public var size: Int

    public init(size: Int = 256 << 20) {
        self.size = size
    }
}
