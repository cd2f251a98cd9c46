import Platform

/// Finds which manifest a command means (contract §2 and §3).
///
///     -f FILE ─▶ DEVMESH_FILE ─▶ upwards from here, the first folder that has
///                                a mesh that is up, else a services.json
public struct Locator {
    public static let defaultName = "services.json"

    private let currentDirectory: String
    private let environment: [String: String]
    private let kernel: Kernel

    /// - Parameter environment: where `DEVMESH_FILE` is looked for.
    public init(currentDirectory: String, environment: [String: String], kernel: Kernel = .real) {
        self.currentDirectory = currentDirectory
        self.environment = environment
        self.kernel = kernel
    }

    /// - Parameter file: what `-f` says, seen from the current folder.
    public func locate(file: String? = nil) throws(ProjectError) -> LocatedProject {
        if let file { return try project(at: file, origin: "-f") }
        if let file = environment["DEVMESH_FILE"], !file.isEmpty {
            return try project(at: file, origin: "DEVMESH_FILE")
        }
        return try search()
    }

    private func project(at file: String, origin: String) throws(ProjectError) -> LocatedProject {
        let path = Path.join(currentDirectory, file)
        do throws(Errno) {
            let real = try kernel.realPath(path)
            if kernel.status(real)?.kind == .directory { throw .isDirectory }
            return LocatedProject(manifest: real)
        } catch {
            switch error {
            case .isDirectory:
                throw .notAFile(path: path)
            case .noEntry, .notDirectory:
                // A mesh outlives its manifest, and can still be asked and stopped.
                if let folder = try? kernel.realPath(Path.parent(path)) {
                    let project = LocatedProject(manifest: Path.join(folder, Path.name(path)))
                    if MeshRecord.find(project, kernel: kernel) != nil { return project }
                }
                throw .missing(path: path, origin: origin)
            default:
                throw .unreadable(path: path, error)
            }
        }
    }

    private func search() throws(ProjectError) -> LocatedProject {
        var folder = currentDirectory
        while true {
            let running = MeshRecord.running(in: folder, kernel: kernel)
            if let one = running.first {
                guard running.count == 1 else {
                    throw .severalRunning(folder: folder, files: running.map { Path.name($0.manifest) })
                }
                return LocatedProject(manifest: one.manifest)
            }
            let manifest = Path.join(folder, Self.defaultName)
            if kernel.status(manifest)?.kind == .file { return try project(at: manifest, origin: "the search") }
            let parent = Path.parent(folder)
            if parent == folder || parent == "." { throw .noManifest(folder: currentDirectory) }
            folder = parent
        }
    }
}
