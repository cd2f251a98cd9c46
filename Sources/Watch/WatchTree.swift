import Platform

/// What is watched for one request: it keeps up with folders that come and go, and finds out which changes count.
///
/// A folder is added first and looked into afterwards, so that nothing that is made meanwhile is missed; and what is
/// looked at anew is added anew before its former watch is taken away, so that what waits to be read still counts.
final class WatchTree {
    let request: WatchRequest
    private let kernel: Kernel
    private var folders: WatchedFolders
    private let roots: [WatchRoot]
    private var watched: [Int: Watched] = [:]
    /// Files that have been made and not closed yet, and since when.
    private var begun: [String: (folder: WatchedFolder, since: Instant)] = [:]
    private let hooks: Hooks

    struct Hooks {
        /// Told of each path that counts, and whether nothing was there before.
        var changed: (_ path: String, _ isNew: Bool) -> Void
        /// Asks for `countBegun` after `patience`.
        var callBack: () -> Void
    }

    /// Of a root.
    private struct Watched {
        var trail: PathTrail
        /// Nil where there is no folder.
        var top: WatchedFolder?
        var repository: Repository?
        /// Those that decide where it leads and what is ignored in it.
        var around: [WatchedFolder]
    }

    /// How long a file that nobody writes to may stay open until it counts: what is linked into its place, and then
    /// unlinked from where it was written, is never closed.
    static let patience = Duration.seconds(2)
    private static let mostBegun = 1000
    /// A path that leads elsewhere each time it is looked at is left as it is, for the next event.
    private static let mostTries = 5
    /// By how much a file's time may be behind the clock, in nanoseconds: a tick of the kernel's.
    private static let step: Int64 = 10_000_000

    /// Which files count that are found where nobody has looked before.
    private enum News {
        case nothing
        case all
        /// Those changed since, in nanoseconds since 1970.
        case since(Int64)
        /// Those, and what there is in a folder by now, or no longer, beside the names that were known.
        case differing(since: Int64, from: [String: Set<String>])
    }

    init(_ request: WatchRequest, in folders: WatchedFolders, kernel: Kernel, hooks: Hooks) {
        self.request = request
        self.folders = folders
        self.kernel = kernel
        self.hooks = hooks
        roots = request.paths.map { WatchRoot($0, in: request.folder) } + request.files.map(WatchRoot.init(file:))
    }

    /// - Parameter since: files that were changed later count as changes.
    /// - Throws: what the system has no more of.
    func begin(since: WallTime) throws(Errno) {
        for root in roots.indices { try resolve(root, .since(since.microseconds * 1000 - Self.step)) }
    }

    /// Watches everything anew in other folders, those that it was in being no more, and looks what has changed.
    /// - Parameter since: when all was known.
    func lookAgain(in folders: WatchedFolders, since: WallTime) throws(Errno) {
        self.folders = folders
        let former = watched
        watched = [:]
        for root in roots.indices {
            let time = since.microseconds * 1000 - Self.step
            // Of what could not be looked at nothing is known.
            guard former[root] != nil else {
                try resolve(root, .since(time))
                continue
            }
            let before = names(former[root]?.top)
            try resolve(root, .differing(since: time, from: before))
            let after = names(watched[root]?.top)
            tellGone(before.filter { after[$0.key] == nil })
        }
    }

    func end() {
        for root in roots.indices { release(watched.removeValue(forKey: root)) }
    }

    /// Whether git is writing files: more changes come.
    var isUnderWay: Bool { watched.values.contains { $0.repository?.isBusy(kernel) ?? false } }

    /// The names known of a folder and of each below it.
    private func names(_ top: WatchedFolder?) -> [String: Set<String>] {
        var names: [String: Set<String>] = [:]
        var left = top.map { [$0] } ?? []
        while let next = left.popLast() {
            names[next.path] = next.names
            left += next.children.values
        }
        return names
    }

    // MARK: Roots

    private func resolve(_ root: Int, _ news: News) throws(Errno) {
        let path = roots[root].path
        let former = watched.removeValue(forKey: root)
        defer { release(former) }
        for attempt in 1...Self.mostTries {
            let trail = PathTrail(path, kernel)
            var found = Watched(trail: trail, around: [])
            do throws(Errno) {
                for turn in trail.turns { try add(turn.folder, .turn(root: root, turn), to: &found) }
                if trail.end?.kind == .directory { try adoptTop(root, news, in: &found) }
            } catch {
                release(found)
                throw error
            }
            let isComplete = PathTrail(path, kernel).leads(as: trail)
            guard isComplete || attempt == Self.mostTries else {
                release(found)
                continue
            }
            watched[root] = found
            break
        }
        guard let end = watched[root]?.trail.end, end.kind != .directory else { return }
        switch news {
        case .nothing: break
        case .all: hooks.changed(path, false)
        case .since(let time), .differing(let time, _): if end.changed > time { hooks.changed(path, false) }
        }
    }

    private func adoptTop(_ root: Int, _ news: News, in found: inout Watched) throws(Errno) {
        var rules = roots[root].rules(request.ignore, in: request.folder)
        if let repository = Repository(of: found.trail.place, kernel) {
            for file in repository.ignoreFiles {
                try add(Path.parent(file), .rules(root: root, name: Path.name(file)), to: &found)
            }
            rules = repository.rules(rules, kernel)
            found.repository = repository
        }
        found.top = try adopt(roots[root].path, root, rules: rules, news)
    }

    /// Watches a folder for one entry; one that went away meanwhile, or that nobody may look into, tells nothing.
    private func add(_ folder: String, _ role: WatchedFolder.Role, to found: inout Watched) throws(Errno) {
        do throws(Errno) {
            found.around.append(insert(folder, try folders.watcher.add(folder), role))
        } catch {
            if WatchedFolders.isLimit(error) { throw error }
        }
    }

    private func release(_ watched: Watched?) {
        guard let watched else { return }
        for folder in watched.around { folders.remove(folder) }
        if let top = watched.top { release(top) }
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
            let entries: [(name: String, isFolder: Bool)]
            do throws(Errno) {
                watch = try folders.watcher.add(path)
                entries = try kernel.entries(path)
            } catch {
                if WatchedFolders.isLimit(error) {
                    if let top { release(top) }
                    throw error
                }
                continue
            }
            let hasRules = entries.contains { $0.name == ".gitignore" && !$0.isFolder }
            let rules = hasRules ? outer.with(ignoreFile: Path.join(path, ".gitignore"), in: path, kernel) : outer
            let folder = insert(path, watch, .inside(root: root, rules))
            if let parent {
                folder.parent = parent
                parent.children[Path.name(path)] = folder
            } else {
                top = folder
            }
            for entry in entries {
                let whole = Path.join(path, entry.name)
                if rules.ignores(whole, isFolder: entry.isFolder) { continue }
                if entry.isFolder {
                    left.append((whole, folder, rules))
                } else if roots[root].matches(whole) {
                    folder.names.insert(entry.name)
                }
            }
            tell(news, of: folder)
        }
        return top
    }

    /// Tells which files of a folder that has just been looked into count as changes.
    private func tell(_ news: News, of folder: WatchedFolder) {
        func isLater(_ path: String, _ time: Int64) -> Bool {
            kernel.linkStatus(path).map { $0.changed > time } ?? false
        }
        let paths = { (names: Set<String>) in names.sorted().map { Path.join(folder.path, $0) } }
        switch news {
        case .nothing: break
        case .all: for path in paths(folder.names) { hooks.changed(path, true) }
        case .since(let time):
            for path in paths(folder.names) where isLater(path, time) { hooks.changed(path, true) }
        case .differing(let time, let former):
            let before = former[folder.path] ?? []
            for path in paths(folder.names.subtracting(before)) { hooks.changed(path, true) }
            for path in paths(folder.names.intersection(before)) where isLater(path, time) {
                hooks.changed(path, false)
            }
            for path in paths(before.subtracting(folder.names)) { hooks.changed(path, false) }
        }
    }

    private func tellGone(_ names: [String: Set<String>]) {
        for (folder, names) in names {
            for name in names { hooks.changed(Path.join(folder, name), false) }
        }
    }

    // MARK: Events

    /// - Throws: what the system has no more of.
    func handle(_ event: FileEvent, in folder: WatchedFolder) throws(Errno) {
        if event.kind == .ended { return try handleEnd(of: folder) }
        switch folder.role {
        case .turn(let root, let turn):
            if event.name == turn.name { try handleTurn(event, turn, root) }
        case .rules(let root, let name):
            if event.name == name { try resolve(root, .nothing) }
        case .inside(let root, _) where event.name.isEmpty:
            // It was renamed: its watch went with it.
            guard let top = watched[root], top.top === folder else { return }
            if !PathTrail(folder.path, kernel).leads(as: top.trail) { try comeAgain(root) }
        case .inside(let root, let rules):
            let path = Path.join(folder.path, event.name)
            if event.name == ".gitignore" { return try lookAnew(at: folder, root) }
            if rules.ignores(path, isFolder: event.isFolder) { return }
            if event.isFolder {
                try handleFolder(event, path, in: folder, root, rules)
            } else if roots[root].matches(path) {
                handleFile(event, path, in: folder)
            }
        }
    }

    private func handleEnd(of folder: WatchedFolder) throws(Errno) {
        folders.forget(folder)
        switch folder.role {
        case .inside(let root, _):
            if watched[root]?.top === folder { return try comeAgain(root) }
            tellGone(names(folder))
            release(folder)
        case .turn(let root, _): try comeAgain(root)
        case .rules(let root, _): try resolve(root, .nothing)
        }
    }

    private func handleTurn(_ event: FileEvent, _ turn: PathTrail.Turn, _ root: Int) throws(Errno) {
        if event.kind != .changed {
            try comeAgain(root)
        } else if watched[root]?.trail.isEnd(turn) == true {
            hooks.changed(roots[root].path, false)
        }
    }

    /// A path may lead elsewhere by now: all that it leads to counts, and that it led somewhere.
    private func comeAgain(_ root: Int) throws(Errno) {
        if watched[root]?.trail.end != nil { hooks.changed(roots[root].path, false) }
        try resolve(root, .all)
    }

    /// A file that is being written counts once it is whole.
    private func handleFile(_ event: FileEvent, _ path: String, in folder: WatchedFolder) {
        if event.isBegun, let status = kernel.linkStatus(path), status.kind == .file, status.links == 1 {
            if begun.isEmpty { hooks.callBack() }
            if begun.count < Self.mostBegun { begun[path] = (folder, .now) }
            return
        }
        begun[path] = nil
        if event.kind != .disappeared {
            hooks.changed(path, folder.names.insert(event.name).inserted)
        } else if folder.names.remove(event.name) != nil {
            hooks.changed(path, false)
        }
    }

    /// Counts files that have been begun a while ago; one that is still being written tells so when it is closed.
    func countBegun() {
        let now = WallTime.now.microseconds * 1000
        for (path, (folder, since)) in begun where .now - since >= Self.patience {
            begun[path] = nil
            guard let status = kernel.linkStatus(path), now - status.modified >= Self.patience.nanoseconds else {
                continue
            }
            hooks.changed(path, folder.names.insert(Path.name(path)).inserted)
        }
        if !begun.isEmpty { hooks.callBack() }
    }

    private func handleFolder(
        _ event: FileEvent, _ path: String, in folder: WatchedFolder, _ root: Int, _ rules: IgnoreRules
    ) throws(Errno) {
        guard event.kind != .changed else { return }
        let former = folder.children[event.name]
        if event.kind == .disappeared {
            tellGone(names(former))
        } else if let made = try adopt(path, root, rules: rules, .all) {
            made.parent = folder
            folder.children[event.name] = made
        }
        if let former { release(former) }
    }

    /// Its .gitignore has changed: something else may be left out, or no longer.
    private func lookAnew(at folder: WatchedFolder, _ root: Int) throws(Errno) {
        guard let parent = folder.parent, case .inside(_, let rules) = parent.role else {
            return try resolve(root, .nothing)
        }
        let again = try adopt(folder.path, root, rules: rules, .nothing)
        release(folder)
        guard let again else { return }
        again.parent = parent
        parent.children[Path.name(folder.path)] = again
    }
}
