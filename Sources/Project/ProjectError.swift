import Plan
import Platform

/// Why a project could not be found, planned or kept. Each says what is wrong, why, and what to do next.
public enum ProjectError: Error, Sendable, Equatable {
    /// No `services.json` in the folder or above it.
    case noManifest(folder: String)
    /// What `-f` or `DEVMESH_FILE` names is not there; `origin` says which of the two.
    case missing(path: String, origin: String)
    case notAFile(path: String)
    /// Several meshes run from manifests of one folder.
    case severalRunning(folder: String, files: [String])
    case unreadable(path: String, Errno)
    /// A file or folder of devmesh's own can't be written; `mend` says what the user can do.
    case unwritable(path: String, Errno, mend: String)
    /// A mesh is up that can't be asked: its control socket was removed, or the records that lead to it.
    case lost(pid: Int32, socket: String)
    /// Somebody else owns the folder that the control socket would lie in.
    case foreignFolder(path: String)
    /// Neither `XDG_STATE_HOME` nor `HOME` is set.
    case noHome
    /// The file was written by a devmesh that knows more.
    case newer(path: String, version: Int)
    case tls(TLSError)
    case plan(PlanError)
}

extension ProjectError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noManifest(let folder):
            "There is no services.json in \(folder) or a folder above it. "
                + "`devmesh init` writes one; else go to a folder that has one, or name another manifest with -f FILE."
        case .missing(let path, let origin):
            "There is no manifest at \(path), which \(origin) names. Correct the name, or leave it out."
        case .notAFile(let path):
            "\(path) is a folder, not a manifest. Name the file in it, as \(path)/services.json."
        case .severalRunning(let folder, let files):
            "Several meshes of \(folder) are up: \(files.joined(separator: ", ")). Say which one with -f FILE."
        case .unreadable(let path, let error):
            "Can't read \(path): \(error.explained). Check the permissions of the file and of the folders above it."
        case .unwritable(let path, let error, let mend):
            "Can't write \(path): \(error.explained). \(mend)"
        case .lost(let pid, let socket):
            "The mesh is up as process \(pid), but can't be asked: somebody removed its control socket, \(socket), or "
                + "the record of it. `kill \(pid)` ends it, with all that it runs."
        case .foreignFolder(let path):
            "\(path) belongs to another user or is a link, so the control socket would not be safe there. "
                + "Remove it, or set XDG_RUNTIME_DIR to a folder of your own."
        case .noHome:
            "Neither XDG_STATE_HOME nor HOME is set, so there is no place for the port registry. Set one of them."
        case .newer(let path, let version):
            "\(path) was written by a newer devmesh (format \(version), this one knows \(PortRegistry.version)). "
                + "Update devmesh, or remove the file."
        case .tls(let error):
            error.message
        case .plan(let error):
            error.description
        }
    }
}
