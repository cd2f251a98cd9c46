/// Why a command could not even begin.
public enum SupervisorError: Error, Sendable, Equatable, CustomStringConvertible {
    case unknownService(String)
    case notScalable(service: String, port: Int)
    case hugeScale(service: String)

    public var description: String {
        switch self {
        case .unknownService(let name): "there is no service \(name) in this mesh; `devmesh ps` lists them"
        case .notScalable(let service, let port):
            "\(service) can't have several instances: its program insists on port \(port); without a number in "
                + "`listens` each instance gets a PORT of its own"
        case .hugeScale(let service):
            "\(service) can't have more than \(Supervisor.mostInstances) instances; give a smaller number"
        }
    }
}

/// Why a program could not be started: a sentence for people.
struct LaunchFailure: Error, Equatable {
    var sentence: String
}
