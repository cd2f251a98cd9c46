import Manifest
import Platform

/// A manifest's place and the paths of all that belongs to it. Nothing is looked at on the disk.
///
///     services.json                              the manifest
///     .devmesh/.gitignore                        the folder ignores itself
///     .devmesh/services.json/logs/<service>/…    what services said
///     .devmesh/services.json/worktrees/<unit>/…  git refs that are checked out
///     .devmesh/services.json/state.json          what `use` and `scale` chose
///     .devmesh/services.json/ports.json          a copy of this project's part of the port registry
///     .devmesh/services.json/mesh.json           the mesh that is up
///     .devmesh/services.json/journal             what runs, see `Journal`
///     .devmesh/services.json/crash.txt           the report of a supervisor's crash
///     .devmesh/services.json/{start,life}.lock   see `SupervisorLease`
public struct LocatedProject: Sendable, Hashable {
    /// The real path of the manifest: what the project is known by.
    public let manifest: String

    public init(manifest: String) {
        self.manifest = manifest
    }

    public var directory: String { Path.parent(manifest) }
    public var fileName: String { Path.name(manifest) }
    /// `.devmesh` beside the manifest.
    public var hiddenFolder: String { Path.join(directory, ".devmesh") }
    public var stateFolder: String { Path.join(hiddenFolder, fileName) }
    public var logsFolder: String { stateFolder + "/logs" }
    public var worktreesFolder: String { stateFolder + "/worktrees" }
    /// What a supervisor in the background writes to.
    public var supervisorLog: String { stateFolder + "/supervisor.log" }
    public var choicesFile: String { stateFolder + "/state.json" }
    public var crashReport: String { stateFolder + "/crash.txt" }
    var journalFile: String { stateFolder + "/journal" }
    var portsCopy: String { stateFolder + "/ports.json" }
    var recordFile: String { stateFolder + "/mesh.json" }
    var startLock: String { stateFolder + "/start.lock" }
    var lifeLock: String { stateFolder + "/life.lock" }

    /// 16 hexadecimal digits that stand for the path.
    public var hash: String { FNV1a.digits(of: manifest.utf8) }

    /// What the names of its control groups begin with.
    public var controlGroupPrefix: String { "devmesh-\(hash)-" }

    public func runtimeFolder(_ places: Places) -> String { places.runtime + "/" + hash }
    public func socket(_ places: Places) -> String { runtimeFolder(places) + "/control.sock" }
}
