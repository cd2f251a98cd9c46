import Platform

/// One of the paths of a request.
struct WatchRoot {
    /// Absolute: a folder, a file, or nothing yet. It may lead through links.
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

    /// The user's own rules for what is in it: relative to the request's folder, or to itself where it is elsewhere.
    func rules(_ ignore: [String], in folder: String) -> IgnoreRules {
        let isInside = path == folder || path.hasPrefix(folder == "/" ? folder : folder + "/")
        return IgnoreRules(folder: isInside ? folder : path, ignore: ignore)
    }
}
