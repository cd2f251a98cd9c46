import Platform

/// Where devmesh keeps what belongs to the user rather than to one project.
///
///     $XDG_STATE_HOME/devmesh/ports.json            which project owns which ports
///     $XDG_STATE_HOME/devmesh/ca.pem, ca.key        the certificate authority of `devmesh trust`
///     $XDG_RUNTIME_DIR/devmesh/<hash>/control.sock  a mesh that is up
///     $XDG_RUNTIME_DIR/devmesh/<hash>/mesh.json
public struct Places: Sendable, Equatable {
    /// `$XDG_STATE_HOME/devmesh`, `~/.local/state/devmesh` without it.
    public var state: String
    /// `$XDG_RUNTIME_DIR/devmesh`; `/tmp/devmesh-<uid>` without it, and where its path is too long for a socket.
    public var runtime: String

    /// What bind(2) takes as a socket's path: 108 bytes on Linux, 104 elsewhere, one of them for the end.
    static let longestSocketPath = 103

    public init(state: String, runtime: String) {
        self.state = state
        self.runtime = runtime
    }

    /// Takes them from an environment. As the XDG base directory specification has it, relative paths count as unset.
    public init(environment: [String: String], user: UInt32 = ThisProcess.userID) throws(ProjectError) {
        let absolute = { (name: String) in environment[name].flatMap { $0.hasPrefix("/") ? $0 : nil } }
        if let home = absolute("XDG_STATE_HOME") {
            state = Path.join(home, "devmesh")
        } else if let home = absolute("HOME") {
            state = Path.join(home, ".local/state/devmesh")
        } else {
            throw .noHome
        }
        let own = absolute("XDG_RUNTIME_DIR").map { Path.join($0, "devmesh") }
        let room = Self.longestSocketPath - "/0123456789abcdef/control.sock".utf8.count
        if let own, own.utf8.count <= room {
            runtime = own
        } else {
            runtime = "/tmp/devmesh-\(user)"
        }
    }

    /// The port registry.
    public var registry: String { state + "/ports.json" }

    /// The user's own certificate authority, where `devmesh trust` has made one.
    public var authority: TLSAuthority.Files {
        TLSAuthority.Files(certificate: state + "/ca.pem", key: state + "/ca.key")
    }
}
