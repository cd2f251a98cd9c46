/// How a command ends when it does not end well.
enum CommandFailure: Error, Equatable {
    case usage(UsageError)
    /// The operation failed: a sentence that says what, why and what to do next.
    case failed(String)
    case noMesh(String)
    /// There is no manifest here, and so no project.
    case noProject(String)
    /// The mesh that was asked is on its way down.
    case meshIsEnding(String)
    /// The manifest's mistakes, a line each.
    case invalidManifest([String])
    case timedOut(String)
    /// Whoever read standard output has gone, as `head` does: nobody is left to tell.
    case readerGone

    var exitCode: ExitCode {
        switch self {
        case .usage: .usage
        case .failed, .noProject, .meshIsEnding: .failed
        case .noMesh: .noMesh
        case .invalidManifest: .invalidManifest
        case .timedOut: .timedOut
        case .readerGone: .done
        }
    }

    /// The lines for standard error.
    var lines: [String] {
        switch self {
        case .usage(let error): ["devmesh: " + error.sentence]
        case .failed(let sentence), .noMesh(let sentence), .noProject(let sentence), .meshIsEnding(let sentence),
            .timedOut(let sentence):
            ["devmesh: " + sentence]
        case .invalidManifest(let lines): lines
        case .readerGone: []
        }
    }
}
