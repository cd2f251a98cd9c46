/// Who keeps a port from being bound.
public enum PortOwner: Sendable, Equatable {
    case process(pid: Int32, program: String)
    /// Another mesh of this user.
    case mesh(manifest: String)
    /// A process of another user, which can't be looked into.
    case user(String)
    /// The system keeps it: a port below 1024 without the privilege.
    case system
    /// Held, but nobody could be made out.
    case unknown
}

extension PortOwner: CustomStringConvertible {
    /// As a sentence ends: `python3 (pid 4242)`.
    public var description: String {
        switch self {
        case .process(let pid, let program): "\(program) (pid \(pid))"
        case .mesh(let manifest): "the mesh of \(manifest)"
        case .user(let name): "a process of user \(name)"
        case .system: "the system, which keeps it for privileged programs"
        case .unknown: "another process"
        }
    }
}
