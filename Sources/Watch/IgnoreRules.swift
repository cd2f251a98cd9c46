/// What of a folder is not looked at: the patterns that hold in it, from those of the user to those that hold anywhere.
///
///     "ignore" of the manifest → .gitignore of the folder → .gitignore of the one above → … → built in
///
/// The first that says something about a path decides; within one the last pattern does. What is in an ignored folder
/// is never asked about.
final class IgnoreRules: Sendable {
    /// Patterns, and the folder that they are relative to.
    struct List: Sendable {
        /// With a slash at the end.
        var folder: String
        var patterns: [GlobPattern]

        init(folder: String, lines: [String]) {
            self.folder = folder.hasSuffix("/") ? folder : folder + "/"
            patterns = lines.compactMap { GlobPattern($0) }
        }

        /// Nil where it says nothing of the path.
        func ignores(_ path: UnsafeBufferPointer<UInt8>, name: Int, isFolder: Bool) -> Bool? {
            let start = folder.utf8.count
            guard path.count > start, path.starts(with: folder.utf8) else { return nil }
            return patterns.last { $0.matches(path[start...], name: path[name...], isFolder: isFolder) }
                .map { !$0.isNegated }
        }
    }

    private let own: List
    private let lists: [List]

    /// - Parameters:
    ///   - own: the user's own.
    ///   - lists: the others, innermost first.
    private init(own: List, lists: [List]) {
        self.own = own
        self.lists = lists
    }

    convenience init(folder: String, ignore: [String]) {
        self.init(own: List(folder: folder, lines: ignore), lists: [])
    }

    /// What holds in a folder further in, which has such a file.
    func with(gitignore text: String, in folder: String) -> IgnoreRules {
        let lines = text.drop { $0 == "\u{FEFF}" }.split(whereSeparator: \.isNewline)
        let list = List(folder: folder, lines: lines.map(String.init))
        return list.patterns.isEmpty ? self : IgnoreRules(own: own, lists: [list] + lists)
    }

    /// - Parameter path: absolute.
    func ignores(_ path: String, isFolder: Bool) -> Bool {
        var path = path
        return path.withUTF8 { bytes in
            let name = bytes.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
            if let verdict = own.ignores(bytes, name: name, isFolder: isFolder) { return verdict }
            for list in lists {
                if let verdict = list.ignores(bytes, name: name, isFolder: isFolder) { return verdict }
            }
            return Self.standard.ignores(bytes, name: name, isFolder: isFolder) ?? false
        }
    }

    /// What nobody wants to be rebuilt for: what tools keep for themselves, what builds make, what editors leave for a
    /// moment, and what programs write while they run.
    private static let standard = List(
        folder: "/",
        lines: [
            ".git", ".hg/", ".svn/", ".jj/", ".devmesh/", ".gitignore", ".idea/", ".vscode/", ".vs/", ".DS_Store",
            "node_modules/", ".build/", "build/", "_build/", "dist/", "target/", "out/", "obj/", "DerivedData/",
            ".gradle/", ".next/", ".nuxt/", ".parcel-cache/", ".turbo/", ".cache/", "coverage/", ".nyc_output/",
            "__pycache__/", ".venv/", "venv/", ".tox/", ".mypy_cache/", ".pytest_cache/", ".ruff_cache/",
            "*.egg-info/", "zig-cache/", ".zig-cache/", "zig-out/", ".stack-work/", "elm-stuff/", ".terraform/",
            "*.o", "*.a", "*.so", "*.dylib", "*.obj", "*.lo", "*.la", "*.gch", "*.pch", "*.class", "*.pyc",
            "*.pyo", "*.tsbuildinfo", "*.swiftmodule", "*.swiftdoc",
            "*~", ".#*", "#*#", "*.swp", "*.swo", "*.swx", "*.swpx", "4913", "*.tmp", "*.temp", "*.bak", "*.orig",
            "*.rej", "*.part", "*.crdownload", "*.kate-swp", ".goutputstream-*", "*___jb_tmp___", "*___jb_old___",
            "*.log", "*.pid", "*.sock", "*.sqlite-journal", "*.sqlite-wal", "*.sqlite-shm", "*.db-journal",
            "*.db-wal", "*.db-shm", "nohup.out",
        ])
}
