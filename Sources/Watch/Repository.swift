import Platform

/// The git repository that a folder lies in, as far as it concerns what changes there.
struct Repository {
    /// What says what is ignored in the folder, from outside it: the repository's own list, then the .gitignore of each
    /// folder above, the outermost first. Each may come and go.
    let ignoreFiles: [String]
    private let top: String
    /// There while git writes files, in a checkout as in a merge (gitrepository-layout(5)).
    private let lock: String

    /// One that is older was left behind by a git that was killed.
    private static let mostPatience = Duration.seconds(60)

    /// - Parameter folder: absolute and without links.
    init?(of folder: String, _ kernel: Kernel) {
        var above: [String] = []
        var next = folder
        while kernel.linkStatus(Path.join(next, ".git")) == nil {
            guard next != "/" else { return nil }
            next = Path.parent(next)
            above.append(Path.join(next, ".gitignore"))
        }
        top = next
        let (own, common) = Self.places(Path.join(next, ".git"), kernel)
        ignoreFiles = [common + "/info/exclude"] + above.reversed()
        lock = own + "/index.lock"
    }

    /// Where a worktree keeps what is its own, and where what it shares with others.
    private static func places(_ git: String, _ kernel: Kernel) -> (own: String, common: String) {
        func line(_ path: String) -> String? {
            guard let bytes = try? kernel.readFile(path) else { return nil }
            return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        }
        guard let link = line(git), link.hasPrefix("gitdir: ") else { return (git, git) }
        let own = Path.join(Path.parent(git), String(link.dropFirst(8)))
        return (own, line(own + "/commondir").map { Path.join(own, $0) } ?? own)
    }

    /// With what its files say by now.
    func rules(_ rules: IgnoreRules, _ kernel: Kernel) -> IgnoreRules {
        ignoreFiles.enumerated().reduce(rules) { rules, file in
            rules.with(ignoreFile: file.element, in: file.offset == 0 ? top : Path.parent(file.element), kernel)
        }
    }

    /// Whether git is writing files.
    func isBusy(_ kernel: Kernel) -> Bool {
        guard let lock = kernel.linkStatus(lock) else { return false }
        return WallTime.now.microseconds * 1000 - lock.changed < Self.mostPatience.nanoseconds
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
