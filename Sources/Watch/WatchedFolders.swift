import Platform

/// A folder that is being watched for one request.
final class WatchedFolder {
    /// As the request names it: it may lead through links.
    let path: String
    let watch: Int32
    let role: Role
    /// Nil once it is no longer watched.
    fileprivate(set) weak var tree: WatchTree?
    weak var parent: WatchedFolder?
    var children: [String: WatchedFolder] = [:]
    /// Files in it that count, as far as is known.
    var names: Set<String> = []

    enum Role {
        /// All in it that the rules let through, its folders included.
        case inside(root: Int, IgnoreRules)
        /// Only an entry that decides where a path leads.
        case turn(root: Int, PathTrail.Turn)
        /// Only the entry of this name, which says what is to be ignored further in.
        case rules(root: Int, name: String)
    }

    init(_ path: String, watch: Int32, tree: WatchTree, role: Role) {
        self.path = path
        self.watch = watch
        self.tree = tree
        self.role = role
    }
}

/// Which watch belongs to which folders: several requests, or several paths of one, may watch the same one.
final class WatchedFolders {
    let watcher: any FolderWatching
    private var byWatch: [Int32: [WatchedFolder]] = [:]

    init(_ watcher: any FolderWatching) {
        self.watcher = watcher
    }

    func insert(_ folder: WatchedFolder) { byWatch[folder.watch, default: []].append(folder) }

    /// Ends the watch once nobody needs it any more.
    func remove(_ folder: WatchedFolder) {
        if forget(folder), byWatch[folder.watch] == nil { watcher.remove(folder.watch) }
    }

    /// The watch has ended by itself.
    /// - Returns: whether the folder was watched.
    @discardableResult
    func forget(_ folder: WatchedFolder) -> Bool {
        guard folder.tree != nil, let all = byWatch[folder.watch] else { return false }
        folder.tree = nil
        let rest = all.filter { $0 !== folder }
        byWatch[folder.watch] = rest.isEmpty ? nil : rest
        return true
    }

    subscript(watch: Int32) -> [WatchedFolder] { byWatch[watch] ?? [] }

    /// Whether the system has no more of something, rather than that there is no such folder.
    static func isLimit(_ error: Errno) -> Bool {
        [.noSpace, .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory, .notImplemented].contains(error)
    }
}
