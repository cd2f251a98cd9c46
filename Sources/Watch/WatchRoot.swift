import Platform

/// One of the paths of a request.
struct WatchRoot {
    /// Absolute: a folder, a file, or nothing yet.
    let path: String
    /// Of the files below `path`, which count; nil: all.
    let pattern: GlobPattern?

    /// - Parameter text: as the user wrote it, relative to `folder`.
    init(_ text: String, in folder: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let special = parts.firstIndex { $0.contains { "*?[".contains($0) } } ?? parts.endIndex
        let base = parts[..<special].joined(separator: "/")
        path = Path.join(folder, base.isEmpty ? (text.hasPrefix("/") ? "/" : ".") : base)
        // From its beginning, as in a .gitignore with a slash before it.
        pattern =
            special == parts.endIndex ? nil : GlobPattern("/" + parts[special...].joined(separator: "/"))
    }

    init(file: String) {
        path = file
        pattern = nil
    }

    /// Whether a file counts.
    func matches(_ file: String) -> Bool {
        guard let pattern else { return true }
        guard file.utf8.count > path.utf8.count else { return false }
        let rest = path == "/" ? file.dropFirst() : file.dropFirst(path.count + 1)
        if pattern.matches(String(rest), isFolder: false) { return true }
        // `services/*/src` names folders: what is below them counts.
        var end = rest.endIndex
        while let slash = rest[..<end].lastIndex(of: "/") {
            if pattern.matches(String(rest[..<slash]), isFolder: true) { return true }
            end = slash
        }
        return false
    }
}

/// A folder that is being watched for one request.
final class WatchedFolder {
    let path: String
    let watch: Int32
    weak var tree: WatchTree?
    let role: Role
    weak var parent: WatchedFolder?
    var children: [String: WatchedFolder] = [:]

    enum Role {
        /// All in it that the rules let through, its folders included.
        case inside(root: Int, IgnoreRules)
        /// Only the entry of this name: a file that is watched, or a part of a path to what is not there yet.
        case onTheWay(root: Int, name: String)
    }

    init(_ path: String, watch: Int32, tree: WatchTree, role: Role) {
        self.path = path
        self.watch = watch
        self.tree = tree
        self.role = role
    }

    var root: Int {
        switch role {
        case .inside(let root, _), .onTheWay(let root, _): root
        }
    }
}
