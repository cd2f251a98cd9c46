import Platform

/// The files that say what git ignores in a folder, from outside it: .gitignore of the folders above within its
/// repository, and the repository's own list.
struct IgnoresAbove {
    /// The outermost first; each may come and go.
    private(set) var files: [String] = []
    /// The one that the repository's own list is relative to.
    private var top = "/"

    /// - Parameter folder: absolute and without links.
    init(_ folder: String, _ kernel: Kernel) {
        var above: [String] = []
        var next = folder
        while kernel.linkStatus(Path.join(next, ".git")) == nil {
            guard next != "/" else { return }
            next = Path.parent(next)
            above.append(Path.join(next, ".gitignore"))
        }
        top = next
        files = [Path.join(Self.repository(Path.join(next, ".git"), kernel), "info/exclude")] + above.reversed()
    }

    /// Where a repository keeps what all of its worktrees share (gitrepository-layout(5)).
    private static func repository(_ git: String, _ kernel: Kernel) -> String {
        func line(_ path: String) -> String? {
            guard let bytes = try? kernel.readFile(path) else { return nil }
            return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        }
        guard let link = line(git), link.hasPrefix("gitdir: ") else { return git }
        let own = Path.join(Path.parent(git), String(link.dropFirst(8)))
        return line(own + "/commondir").map { Path.join(own, $0) } ?? own
    }

    /// With what they say by now.
    func rules(_ rules: IgnoreRules, _ kernel: Kernel) -> IgnoreRules {
        files.reduce(rules) { rules, file in
            let isList = Path.name(file) == "exclude"
            return rules.with(ignoreFile: file, in: isList ? top : Path.parent(file), kernel)
        }
    }
}

extension IgnoreRules {
    /// With what a file says, if it is there, of paths relative to a folder.
    func with(ignoreFile path: String, in folder: String, _ kernel: Kernel) -> IgnoreRules {
        guard let status = kernel.status(path), status.kind == .file, status.size < 1 << 20,
            let bytes = try? kernel.readFile(path)
        else { return self }
        return with(gitignore: String(decoding: bytes, as: UTF8.self), in: folder)
    }
}
