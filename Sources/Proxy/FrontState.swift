/// A port on which the mesh listens.
public struct FrontSpec: Sendable, Hashable {
    /// Nil for the gateway, which finds the service of each request.
    public var service: String?
    /// The one service that calls here, for an edge; nil for the front that all may call.
    public var caller: String?
    /// 0 lets the system choose; `Proxy.port` tells.
    public var port: Int

    public init(service: String?, caller: String? = nil, port: Int) {
        self.service = service
        self.caller = caller
        self.port = port
    }
}

/// What clients of a service speak.
public enum FrontProtocol: Sendable, Equatable {
    /// Told from the client's first bytes.
    case auto
    case http
    case tcp
}

/// What a service's front and edges do with those who call (contract §6).
public enum FrontState: Sendable, Equatable {
    /// Each waits for another state, at most `bound` from its arrival; then it is answered with `reason`.
    case hold(bound: Duration, reason: String)
    /// Each goes to one of the instances in turn. Where none accepts, it is answered with `whenRefused`: those that were
    /// ready may just be going down, and it waits a second for another state before.
    case pass([Backend], whenRefused: String, areReady: Bool = true)
    /// Each is answered at once.
    case answer(reason: String)
    /// Each goes to the remote.
    case remote(RemoteTarget)
}

/// A running process that serves a service.
public struct Backend: Sendable, Hashable {
    /// Names the process; another that takes its place has another name. As `reader.1#7`.
    public var instance: String
    /// What errors call it. As `reader.1`.
    public var name: String
    /// An IP literal.
    public var host: String
    public var port: Int

    public init(instance: String, name: String? = nil, host: String = "127.0.0.1", port: Int) {
        self.instance = instance
        self.name = name ?? instance
        self.host = host
        self.port = port
    }
}
