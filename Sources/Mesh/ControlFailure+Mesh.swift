import Control
import Project

/// What a mesh refuses.
extension ControlFailure {
    /// With what may have been meant.
    static func unknownService(_ name: String, known: [String]) -> ControlFailure {
        ControlFailure(status: 404, code: "unknown-service", message: Sentences.noService(name, known))
    }

    static func stopping(_ mesh: String) -> ControlFailure {
        ControlFailure(status: 503, code: "stopping", message: Sentences.isStopping(mesh))
    }

    /// - Parameter why: it can't be taken for a git ref either.
    static func unknownTarget(_ target: String, _ service: String, known: [String], why: String) -> ControlFailure {
        ControlFailure(status: 400, code: "unknown-target", message: Sentences.noTarget(target, service, known, why))
    }

    static func noTerminal(_ message: String) -> ControlFailure {
        ControlFailure(status: 409, code: "no-terminal", message: message)
    }

    init(_ error: MeshError) {
        switch error {
        case .manifest(let sentences):
            self.init(status: 422, code: "invalid-manifest", message: sentences.joined(separator: "\n"))
        case .project(let error): self.init(status: 409, code: "cannot-plan", message: error.description)
        case .failed(let message): self.init(status: 409, code: "failed", message: message)
        }
    }
}
