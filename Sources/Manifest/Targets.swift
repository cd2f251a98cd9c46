/// A place that a service can be served from.
public enum Target: Sendable, Hashable {
    /// Its `run` command.
    case local
    case remote
    /// One of its `versions`.
    case version(String)
    /// A git ref that no version is named after.
    case git(String)

    /// As people write it: `next`.
    public var name: String {
        switch self {
        case .local: "local"
        case .remote: "remote"
        case .version(let name), .git(let name): name
        }
    }

    /// As it is kept in files: `next`, `git:main`.
    public var text: String { if case .git(let ref) = self { Self.gitPrefix + ref } else { name } }

    public init(text: String) {
        self =
            switch text {
            case "local": .local
            case "remote": .remote
            default: text.hasPrefix(Self.gitPrefix) ? .git(String(text.dropFirst(4))) : .version(text)
            }
    }

    private static let gitPrefix = "git:"

    /// What no version can be called.
    static let reservedNames = ["local", "remote"]
}

/// One of a service's `versions`.
public struct ServiceVersion: Sendable, Equatable {
    public var name: String
    /// The service's entry with what the version says instead. It is named as its unit is: `members@next`.
    public var service: Service
    /// Whether the manifest does not declare it: a git ref that somebody chose.
    public var isRef: Bool

    public init(name: String, service: Service, isRef: Bool = false) {
        self.name = name
        self.service = service
        self.isRef = isRef
    }

    public var target: Target { isRef ? .git(name) : .version(name) }
}

/// A git ref that is checked out for a version, in a worktree that belongs to devmesh.
public struct Checkout: Sendable, Equatable {
    public var ref: String
    /// The top folder of the checkout that the service's directory is in; nil where it is in none.
    public var repository: String?
    /// Where the ref is checked out; empty until that is decided.
    public var worktree: String

    public init(ref: String, repository: String? = nil, worktree: String = "") {
        self.ref = ref
        self.repository = repository
        self.worktree = worktree
    }

    /// Whether git may be asked about that: it looks like no option and is not endless.
    public static func isRef(_ text: String) -> Bool { TextRule.gitRef.matches(text) }
}

/// What is built, run, logged and restarted by itself has a name: the service's own where it is what the service's
/// entry runs, `members@next` for a version. No service's name holds an `@`.
public enum UnitName {
    private static let separator: Unicode.Scalar = "@"

    public static func of(_ service: String, version: String) -> String { "\(service)\(separator)\(version)" }

    /// The service that a unit belongs to: `members` of `members@next`.
    public static func service(of unit: String) -> String {
        unit.utf8.firstIndex(of: UInt8(ascii: separator)).map { String(unit[..<$0]) } ?? unit
    }

    /// `next` of `members@next`; nil for a service's own unit.
    public static func version(of unit: String) -> String? {
        unit.utf8.firstIndex(of: UInt8(ascii: separator)).map { String(unit[unit.utf8.index(after: $0)...]) }
    }
}

extension Service {
    /// Finds one of its versions: by that very name, else without regard to case.
    public func version(_ name: String) -> ServiceVersion? {
        versions.first { $0.name == name } ?? versions.first { $0.name.lowercased() == name.lowercased() }
    }

    /// Where it can be served from.
    public var targets: [Target] {
        (runsHere ? [.local] : []) + (remote == nil ? [] : [.remote]) + versions.map(\.target)
    }

    /// Finds one of `targets` by its name.
    public func target(_ name: String) -> Target? {
        // Refs that differ in case are two.
        targets.first { $0.name == name }
            ?? targets.first {
                if case .git = $0 { false } else { $0.name.lowercased() == name.lowercased() }
            }
    }

    /// A version of it made of a git ref, with everything else as it is.
    public func version(git ref: String) -> ServiceVersion {
        var service = self
        service.name = UnitName.of(name, version: ref)
        service.checkout = Checkout(ref: ref)
        service.remote = nil
        service.versions = []
        service.target = .local
        return ServiceVersion(name: ref, service: service, isRef: true)
    }
}
