import Platform

/// Why the control socket can't be served.
public enum GatewayError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Another process answers on that socket.
    case alreadyServed(path: String)
    case cannotListen(path: String, Errno)

    public var description: String {
        switch self {
        case .alreadyServed(let path):
            "Another devmesh answers on \(path) already. Use that mesh, or stop it with `devmesh down`."
        case .cannotListen(let path, let error):
            "The control socket \(path) can't be opened (\(error)). Check that its folder is yours and writable."
        }
    }
}
