import Plan
import Platform

/// Records of dead meshes are passed over by all of these. They are removed by the next supervisor of the project, and
/// by `all`, after a failed connect and only with nobody starting or living there.
extension MeshRecord {
    /// Finds the mesh of a project, if it is up.
    ///
    /// - Parameter places: looked at as well, for a project whose `.devmesh` was removed under a living mesh.
    public static func find(_ project: LocatedProject, places: Places? = nil, kernel: Kernel = .real) -> MeshRecord? {
        let paths = [project.recordFile] + (places.map { [runtimeRecord(project, $0)] } ?? [])
        for path in paths {
            // A record that came with a copied folder is another project's.
            if let record = read(path, kernel), record.manifest == project.manifest, record.isAlive(kernel) {
                return record
            }
        }
        return nil
    }

    /// Finds the meshes that are up from manifests of one folder, by file name.
    public static func running(in folder: String, kernel: Kernel = .real) -> [MeshRecord] {
        let hidden = Path.join(folder, ".devmesh")
        guard let names = try? kernel.list(hidden) else { return [] }
        return names.filter { !$0.hasPrefix(".") }.compactMap { name in
            guard let record = read("\(hidden)/\(name)/mesh.json", kernel), Path.name(record.manifest) == name
            else { return nil }
            // The folder may have been reached by a link; the record has the real path.
            let isHere = (try? kernel.realPath(folder)) == Path.parent(record.manifest)
            return isHere && record.isAlive(kernel) ? record : nil
        }
    }

    /// Finds all meshes of this user that are up, by manifest path, whichever runtime folder they were started with.
    public static func all(_ places: Places, kernel: Kernel = .real) -> [MeshRecord] {
        var found: [String: MeshRecord] = [:]
        for name in (try? kernel.list(places.runtime)) ?? [] {
            let folder = places.runtime + "/" + name
            guard let record = read(folder + "/mesh.json", kernel) else { continue }
            if record.isAlive(kernel) {
                found[record.manifest] = record
            } else {
                SupervisorLease.clean(LocatedProject(manifest: record.manifest), runtimeFolder: folder, kernel)
            }
        }
        if let registry = try? RegistryFile(places, kernel: kernel).read().registry {
            for project in registry.projects where found[project.manifest] == nil {
                found[project.manifest] = find(LocatedProject(manifest: project.manifest), kernel: kernel)
            }
        }
        return found.values.sorted { $0.manifest < $1.manifest }
    }

    static func runtimeRecord(_ project: LocatedProject, _ places: Places) -> String {
        project.runtimeFolder(places) + "/mesh.json"
    }
}
