/// What devmesh's exit codes mean (contract §5).
enum ExitCode: Int32, CaseIterable, Sendable {
    case done = 0
    case failed = 1
    case usage = 2
    case noMesh = 3
    case invalidManifest = 4
    case timedOut = 124

    var meaning: String {
        switch self {
        case .done: "Done."
        case .failed: "The operation failed."
        case .usage: "Wrong usage."
        case .noMesh: "No mesh is up in this project."
        case .invalidManifest: "The manifest is invalid."
        case .timedOut: "`wait` ran out of time."
        }
    }
}
