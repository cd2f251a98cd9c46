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
        let path = try project().manifest
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try Kernel.real.readFile(path)
        } catch {
            throw .failed(ProjectError.unreadable(path: path, error).description)
        }
        return Manifest.load(bytes, path: path, name: shown(path), environment: environment) { file in
            do throws(Errno) {
                return .success(try Kernel.real.readFile(file))
            } catch {
                return .failure(FileFailure(reason: error.description))
            }
        }
    }

    /// A path as an editor would open it from here.
    private func shown(_ path: String) -> String {
        let here = directory.hasSuffix("/") ? directory : directory + "/"
        return path.hasPrefix(here) ? String(path.dropFirst(here.count)) : path
    }
}
