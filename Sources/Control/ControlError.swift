/// Why the client got no answer.
public enum ControlError: Error, Equatable, Sendable, CustomStringConvertible {
    /// No socket there: no mesh is up.
    case noMesh
    /// A socket is there and nobody listens on it: its supervisor was killed.
    case staleSocket
    /// The mesh answered with a refusal.
    case refused(ControlFailure)
    /// It did not answer in time.
    case timedOut(String)
    /// The mesh ended the conversation before it had answered, as one does that is killed.
    case cutOff
    /// The conversation failed or made no sense.
    case broken(String)

    public var description: String {
        switch self {
        case .noMesh: "No mesh is up here. Start one with `devmesh up`."
        case .staleSocket:
            "The mesh that was up here is gone without having been stopped. `devmesh up` cleans up and starts anew."
        case .refused(let failure): failure.message
        case .timedOut(let path):
            "The supervisor at \(path) does not answer. If its process is stopped, continue it with `kill -CONT`;"
                + " else end it with `devmesh down` or `kill`, and run `devmesh up`."
        case .cutOff:
            "The supervisor ended before it had answered. See whether a mesh is still up with `devmesh ls`."
        case .broken(let why):
            "The conversation with the supervisor broke off: \(why). See whether it still runs with `devmesh ls`."
        }
    }
}
