import Manifest
import Platform
import Project

extension Session {
    /// Reads the manifest; exit code 4 with all its mistakes where it is invalid. Warnings are said.
    func manifest() throws(CommandFailure) -> Manifest {
        switch try loadManifest() {
        case .valid(let manifest, let warnings):
            try notices.lines(warnings.map(\.description))
            return manifest
        case .invalid(let diagnostics):
            throw .invalidManifest(diagnostics.map(\.description))
        }
    }

    /// Reads the manifest, whatever comes of it.
    func loadManifest() throws(CommandFailure) -> LoadedManifest {
        let project = try project()
        return try attempt { () throws(ProjectError) in
            try project.readManifest(environment: environment, currentDirectory: directory)
        }
    }
}
