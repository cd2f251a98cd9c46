import Manifest

/// A set of environment variables, each with where its value comes from.
public struct Environment: Sendable, Equatable {
    /// By name.
    public private(set) var entries: [String: Entry] = [:]
    /// Names whose values name injected variables, which may not be known yet.
    var unresolved: [String] = []

    public struct Entry: Sendable, Equatable {
        public var value: String
        public var source: Source
        /// Whether the manifest says that it is a secret; what to show is `masked(_:)`'s business.
        var isMarked: Bool
        /// Where else it is set, to no effect: lowest precedence first.
        public var overridden: [Source]
    }

    public enum Source: Sendable, Equatable {
        /// From the environment that `up` inherited.
        case inherited
        /// An `envFile` or `env` of the manifest.
        case manifest(Variable.Source)
        /// By devmesh (contract §4).
        case injected
    }

    public init() {}

    /// Sets a variable; what it was before is remembered as overridden.
    mutating func set(_ name: String, _ value: String, source: Source, isMarked: Bool = false) {
        var overridden: [Source] = []
        if let earlier = entries[name] { overridden = earlier.overridden + [earlier.source] }
        entries[name] = Entry(value: value, source: source, isMarked: isMarked, overridden: overridden)
    }

    /// Fills in the values of the manifest's that name injected variables, now that those are known; a name that is
    /// not stays as the manifest wrote it, `${PORT}`.
    mutating func resolveReferences() {
        for name in unresolved {
            guard let entry = entries[name] else { continue }
            let value = Injected.resolve(entry.value) { reference in
                guard let injected = entries[reference], injected.source == .injected else { return "${\(reference)}" }
                return injected.value
            }
            entries[name]?.value = value
        }
        unresolved = []
    }

    public subscript(name: String) -> String? { entries[name]?.value }

    /// Gives a variable's value as people may see it: a secret is masked, of a URL only its password (contract §7,
    /// rule 6). Nil where it is not set.
    public func masked(_ name: String) -> String? {
        // Asked late, and not for each of an environment's variables at every spawn.
        guard let entry = entries[name] else { return nil }
        switch entry.source {
        case .injected:
            return entry.value
        case .inherited:
            return Secrets.isSecretName(name) ? Secrets.mask : Secrets.maskingPasswords(in: entry.value)
        case .manifest(let source):
            return Variable(name: name, value: entry.value, source: source, isSecret: entry.isMarked).masked
        }
    }

    public var values: [String: String] { entries.mapValues(\.value) }

    /// `NAME=value`, as a process takes them, by name.
    public var assignments: [String] {
        entries.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.value)" }
    }
}
