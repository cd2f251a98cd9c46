import Mesh
import Project

/// Being the supervisor: what `up` and what it leaves in the background have in common.
enum Supervision {
    enum Outcome {
        /// The mesh was up and has ended; the exit code.
        case ended(Int32)
        /// Another process was first, and its mesh is up.
        case running
    }

    /// Brings the mesh up and stays until its end, unless another one is up.
    static func run(_ arguments: Arguments, _ hooks: MeshHooks, in session: Session) throws(CommandFailure) -> Outcome {
        let options = MeshOptions(
            services: UpCommand.services(arguments), local: arguments.list("local"), environment: session.environment,
            version: Version.text, watches: !arguments.has("no-watch"))
        let project = try session.project()
        let places = try session.places()
        let outcome = try session.attempt { () throws(ProjectError) in
            try SupervisorLease.acquire(project, places: places) {
                try? session.notices.line(Sentences.waitsForEnd(project.manifest))
            }
        }
        guard case .acquired(let lease) = outcome else { return .running }
        do throws(MeshError) {
            return .ended(try MeshProcess.run(lease, options, hooks))
        } catch {
            throw failure(error)
        }
    }

    private static func failure(_ error: MeshError) -> CommandFailure {
        switch error {
        case .project(let error): .failed(error.description)
        case .manifest(let lines): .invalidManifest(lines)
        case .failed(let sentence): .failed(sentence)
        }
    }
}
