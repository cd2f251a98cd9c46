import Platform

/// What is watched for one request: it keeps up with folders that come and go, and finds out which changes count.
///
/// A folder is added first and looked into afterwards, so that nothing that is made meanwhile is missed.
final class WatchTree {
    let request: WatchRequest
    private let kernel: Kernel
    private let folders: WatchedFolders
    private let roots: [WatchRoot]
    private var tops: [Int: WatchedFolder] = [:]
    /// Files that have been made and not closed yet.
    private var begun: Set<String> = []
    private let changed: (_ path: String, _ isNew: Bool) -> Void

    /// For how long events may have waited to be read, in nanoseconds.
    private static let unread: Int64 = 50_000_000

    /// By how much a file's time may be behind the clock: a tick of the kernel's.
    private static let step: Int64 = 10_000_000
    private static let mostBegun = 1000

    /// Which files count that are found in a folder which is looked into for the first time.
    private enum News {
        case all
        /// Those changed since, in nanoseconds since 1970; with folders: these, too, as when something was removed.
        case since(Int64, folders: Bool)
    }

    /// - Parameter changed: told of each path that counts, and whether nothing was there before as far as is known.
    init(
        _ request: WatchRequest, in folders: WatchedFolders, kernel: Kernel,
        changed: @escaping (_ path: String, _ isNew: Bool) -> Void
    ) {
        self.request = request
        self.folders = folders
        self.kernel = kernel
        self.changed = changed
        roots = request.paths.map { WatchRoot($0, in: request.folder) } + request.files.map(WatchRoot.init(file:))
    }

    /// - Parameter since: files that were changed later count as changes.
    /// - Throws: what the system has no more of.
    func begin(since: WallTime) throws(Errno) {
        for root in roots.indices {
            try resolve(root, .since(since.microseconds * 1000 - Self.step, folders: false))
        }
    }

    /// Looks at everything again, since events were lost.
    /// - Parameter since: when none had been lost.
    func lookAgain(since: WallTime) throws(Errno) {
        for root in roots.indices {
            release(root)
            try resolve(root, .since(since.microseconds * 1000, folders: true))
        }
    }

    func end() {
        for root in roots.indices { release(root) }
    }

    var folderCount: Int { folders.count(of: self) }

    // MARK: Roots

    private func resolve(_ root: Int, _ news: News) throws(Errno) {
        let path = roots[root].path
        // What is behind a link is watched where it is.
        let real = (try? kernel.realPath(path)) ?? path
        if kernel.status(real)?.kind == .directory {
            let rules = IgnoreRules(folder: request.folder, ignore: request.ignore)
            if let top = try adopt(real, root, rules: rulesAbove(real, rules), news) {
                tops[root] = top
                return
            }
        }
        var name = Path.name(real)
        var folder = Path.parent(real)
        while kernel.status(folder)?.kind != .directory, folder != "/" {
            name = Path.name(folder)
            folder = Path.parent(folder)
        }
        do throws(Errno) {
            tops[root] = insert(folder, try folders.watcher.add(folder), .onTheWay(root: root, name: name))
        } catch {
            // It went away between two looks, or nobody may look: then there is nothing to tell.
            if WatchedFolders.isLimit(error) { throw error }
        }
        guard folder == Path.parent(real), let status = kernel.status(real), status.kind == .file else { return }
        if case .since(let time, _) = news, status.changed > time { changed(path, false) }
        if case .all = news { changed(path, false) }
    }

    /// What the .gitignores say that stand above a folder within its repository.
    private func rulesAbove(_ folder: String, _ rules: IgnoreRules) -> IgnoreRules {
        var above: [String] = []
        var next = folder
        while next != "/", kernel.linkStatus(next + "/.git") == nil {
            next = Path.parent(next)
            above.append(next)
        }
        guard kernel.linkStatus(Path.join(next, ".git")) != nil else { return rules }
        return above.reversed().reduce(rules) { $0.with(folder: $1, kernel) }
    }

    private func release(_ root: Int) {
        if let top = tops.removeValue(forKey: root) { release(top) }
    }

    private func release(_ folder: WatchedFolder) {
        var left = [folder]
        while let next = left.popLast() {
            left += next.children.values
            folders.remove(next)
        }
        // Another may have taken its place.
        let name = Path.name(folder.path)
        if folder.parent?.children[name] === folder { folder.parent?.children[name] = nil }
    }

    private func resolveAgain(_ root: Int, _ news: News) throws(Errno) {
        release(root)
        try resolve(root, news)
    }

    // MARK: Folders

    private func insert(_ path: String, _ watch: Int32, _ role: WatchedFolder.Role) -> WatchedFolder {
        let folder = WatchedFolder(path, watch: watch, tree: self, role: role)
        folders.insert(folder)
        return folder
    }

    /// Watches a folder and those below it.
    /// - Returns: nil where it is not there any more, or can't be read.
    private func adopt(_ path: String, _ root: Int, rules: IgnoreRules, _ news: News) throws(Errno) -> WatchedFolder? {
        var top: WatchedFolder?
        var left: [(path: String, parent: WatchedFolder?, rules: IgnoreRules)] = [(path, nil, rules)]
        while let (path, parent, outer) = left.popLast() {
            let watch: Int32
            do throws(Errno) { watch = try folders.watcher.add(path) } catch {
                if WatchedFolders.isLimit(error) { throw error }
                continue
            }
            let entries = (try? kernel.entries(path)) ?? []
            let hasRules = entries.contains { $0.name == ".gitignore" && !$0.isFolder }
            let rules = hasRules ? outer.with(folder: path, kernel) : outer
            let folder = insert(path, watch, .inside(root: root, rules))
            if let parent {
                folder.parent = parent
                parent.children[Path.name(path)] = folder
            } else {
                top = folder
            }
            if case .since(let time, folders: true) = news, let status = kernel.linkStatus(path),
                status.changed > time
            {
                changed(path, false)
            }
            for entry in entries {
                let whole = Path.join(path, entry.name)
                if rules.ignores(whole, isFolder: entry.isFolder) { continue }
                if entry.isFolder {
                    left.append((whole, folder, rules))
                } else if roots[root].matches(whole), isNews(whole, news) {
                    changed(whole, true)
                }
            }
        }
        return top
    }

    private func isNews(_ file: String, _ news: News) -> Bool {
        switch news {
        case .all: true
        case .since(let time, _): kernel.linkStatus(file).map { $0.changed > time } ?? false
        }
    }

    // MARK: Events

    /// - Throws: what the system has no more of.
    func handle(_ event: FileEvent, in folder: WatchedFolder) throws(Errno) {
        let root = folder.root
        if event.kind == .ended {
            folders.forget(folder)
            // A folder's end is told by the one above it, but for the top.
            if tops[root] === folder {
                changed(roots[root].path, false)
                try resolveAgain(root, .all)
            } else {
                release(folder)
            }
            return
        }
        if event.name.isEmpty {
            // It was renamed: its watch went with it.
            guard tops[root] === folder, kernel.status(folder.path)?.kind != .directory else { return }
            changed(roots[root].path, false)
            return try resolveAgain(root, .all)
        }
        let path = Path.join(folder.path, event.name)
        switch folder.role {
        case .onTheWay(_, let name):
            guard event.name == name else { return }
            let isWhole = kernel.status(path)?.kind == .file && event.kind != .disappeared
            if isWhole || event.kind == .disappeared { changed(roots[root].path, false) }
            if !isWhole { try resolveAgain(root, .all) }
        case .inside(_, let rules):
            if event.name == ".gitignore" { return try lookAnew(at: folder) }
            if rules.ignores(path, isFolder: event.isFolder) { return }
            if event.isFolder {
                try handleFolder(event, path, in: folder, rules)
            } else if roots[root].matches(path) {
                handleFile(event, path)
            }
        }
    }

    /// A file that is being written counts once it is whole.
    private func handleFile(_ event: FileEvent, _ path: String) {
        if event.isBegun, let status = kernel.linkStatus(path), status.kind == .file, status.links == 1 {
            // Those that are never closed must not pile up.
            if begun.count == Self.mostBegun { begun = [] }
            begun.insert(path)
            return
        }
        let wasBegun = begun.remove(path) != nil
        if wasBegun, event.kind == .disappeared { return }
        changed(path, wasBegun || event.kind == .appeared)
    }

    private func handleFolder(_ event: FileEvent, _ path: String, in folder: WatchedFolder, _ rules: IgnoreRules)
        throws(Errno)
    {
        guard event.kind != .changed else { return }
        if let former = folder.children[event.name] { release(former) }
        if event.kind == .disappeared {
            if roots[folder.root].pattern == nil { changed(path, false) }
        } else if let made = try adopt(path, folder.root, rules: rules, .all) {
            made.parent = folder
            folder.children[event.name] = made
        }
    }

    /// Its .gitignore has changed: something else may be left out, or no longer.
    private func lookAnew(at folder: WatchedFolder) throws(Errno) {
        let (root, parent) = (folder.root, folder.parent)
        // What was told of the former watches, and not read yet, is lost with them.
        let news = News.since(WallTime.now.microseconds * 1000 - Self.unread, folders: false)
        if tops[root] === folder { return try resolveAgain(root, news) }
        release(folder)
        guard let parent, case .inside(_, let rules) = parent.role,
            let again = try adopt(folder.path, root, rules: rules, news)
        else { return }
        again.parent = parent
        parent.children[Path.name(folder.path)] = again
    }
}

extension IgnoreRules {
    /// With what the .gitignore of a folder says, if it has one.
    func with(folder: String, _ kernel: Kernel) -> IgnoreRules {
        let path = Path.join(folder, ".gitignore")
        guard let status = kernel.status(path), status.kind == .file, status.size < 1 << 20,
            let bytes = try? kernel.readFile(path)
        else { return self }
        return with(gitignore: String(decoding: bytes, as: UTF8.self), in: folder)
    }
}

/// Which watch belongs to which folders: several requests may watch the same one.
final class WatchedFolders {
    let watcher: any FolderWatching
    private var byWatch: [Int32: [WatchedFolder]] = [:]

    init(_ watcher: any FolderWatching) {
        self.watcher = watcher
    }

    func insert(_ folder: WatchedFolder) { byWatch[folder.watch, default: []].append(folder) }

    /// Ends the watch once nobody needs it any more.
    func remove(_ folder: WatchedFolder) {
        guard forget(folder) else { return }
        if byWatch[folder.watch] == nil { watcher.remove(folder.watch) }
    }

    /// The watch has ended by itself.
    @discardableResult
    func forget(_ folder: WatchedFolder) -> Bool {
        guard let all = byWatch[folder.watch], all.contains(where: { $0 === folder }) else { return false }
        let rest = all.filter { $0 !== folder }
        byWatch[folder.watch] = rest.isEmpty ? nil : rest
        return true
    }

    subscript(watch: Int32) -> [WatchedFolder] { byWatch[watch] ?? [] }

    func count(of tree: WatchTree) -> Int {
        byWatch.values.reduce(0) { $0 + $1.count { $0.tree === tree } }
    }

    /// Whether the system has no more of something, rather than that there is no such folder.
    static func isLimit(_ error: Errno) -> Bool {
        [.noSpace, .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory, .notImplemented].contains(error)
    }
}
