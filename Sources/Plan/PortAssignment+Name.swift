import Manifest

extension PortAssignment {
    /// Chooses what people see: the manifest's name, else with the folder's name or a number behind it where another
    /// project has that already. Once given it stays, for as long as the manifest's name does.
    mutating func settleName() {
        let isKept = project.name == manifest.name && !project.displayName.isEmpty
        let candidates = (isKept ? [project.displayName] : []) + [manifest.name, nameWithFolder]
        project.name = manifest.name
        if let free = candidates.first(where: { !isShown($0) }) {
            project.displayName = free
            return
        }
        var number = 2
        while isShown("\(manifest.name)-\(number)") { number += 1 }
        project.displayName = "\(manifest.name)-\(number)"
    }

    /// `newsroom-hotfix` for the folder `hotfix`, and for the folder `newsroom-hotfix` as well.
    private var nameWithFolder: String {
        let folder = manifest.directory.split(separator: "/").last.map(String.init) ?? manifest.name
        return folder.lowercased().hasPrefix(manifest.name.lowercased()) ? folder : "\(manifest.name)-\(folder)"
    }

    private func isShown(_ name: String) -> Bool {
        let name = name.lowercased()
        return others.contains { $0.displayName.lowercased() == name && machine.manifestExists($0.manifest) }
    }
}
