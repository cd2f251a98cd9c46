/// Finds changes by looking at everything again and again: for systems that don't tell, and where their limits are
/// reached.
public final class FolderScanner: FolderWatching {
    private struct Folder {
        var path: String
        var entries: [String: Look]
    }

    /// What differs where a file has changed; of a folder only which one it is, since what is in it is told of itself.
    fileprivate struct Look: Equatable {
        var inode: UInt64
        var isFolder: Bool
        var changed: Int64 = 0
        var size = 0
    }

    private let kernel: Kernel
    private let interval: Duration
    private var folders: [Int32: Folder] = [:]
    private var watches: [String: Int32] = [:]
    private var last: Int32 = 0
    private var cost = Duration.zero

    /// - Parameter interval: between two looks, at least: where they take long it is twenty times as long as one takes.
    public init(kernel: Kernel = .real, interval: Duration) {
        self.kernel = kernel
        self.interval = interval
    }

    public var cue: FolderCue { .after(max(interval, cost * 20)) }

    public func add(_ path: String) throws(Errno) -> Int32 {
        if let watch = watches[path] { return watch }
        let entries = try look(path)
        last += 1
        watches[path] = last
        folders[last] = Folder(path: path, entries: entries)
        return last
    }

    public func remove(_ watch: Int32) {
        if let folder = folders.removeValue(forKey: watch) { watches[folder.path] = nil }
    }

    public func drain(_ body: (FileEvent) -> Void) {
        let start = Instant.now
        for (watch, folder) in folders.sorted(by: { $0.key < $1.key }) {
            let now: [String: Look]
            do throws(Errno) { now = try look(folder.path) } catch {
                // With no descriptor left there is nothing to be seen for now.
                if error == .tooManyOpenFiles || error == .tooManyOpenFilesInSystem || error == .noMemory { continue }
                remove(watch)
                body(FileEvent(watch: watch, kind: .ended))
                continue
            }
            folders[watch]?.entries = now
            for (name, before) in folder.entries where now[name]?.isSame(as: before) != true {
                body(FileEvent(watch: watch, name: name, kind: .disappeared, isFolder: before.isFolder))
            }
            for (name, look) in now where folder.entries[name] != look {
                let isOld = folder.entries[name]?.isSame(as: look) == true
                body(
                    FileEvent(
                        watch: watch, name: name, kind: isOld ? .changed : .appeared, isFolder: look.isFolder))
            }
        }
        cost = .now - start
    }

    private func look(_ path: String) throws(Errno) -> [String: Look] {
        var looks: [String: Look] = [:]
        for entry in try kernel.entries(path) {
            guard let status = kernel.linkStatus(Path.join(path, entry.name)) else { continue }
            looks[entry.name] =
                status.kind == .directory
                ? Look(inode: status.inode, isFolder: true)
                : Look(inode: status.inode, isFolder: false, changed: status.changed, size: status.size)
        }
        return looks
    }
}

extension FolderScanner.Look {
    /// Whether it is the same file or folder, whatever has become of it.
    fileprivate func isSame(as other: Self) -> Bool { inode == other.inode && isFolder == other.isFolder }
}
