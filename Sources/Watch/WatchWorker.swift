import EventLoop
import Platform

/// What the watch thread does; belongs to its loop.
final class WatchWorker: ReadinessHandler {
    private final class Subscription {
        let tree: WatchTree
        /// What changed before is no news.
        let since: WallTime
        let changed: (WatchChange) -> Void
        var pending: PendingChange?
        var timer: Timer?

        init(_ tree: WatchTree, since: WallTime, changed: @escaping (WatchChange) -> Void) {
            self.tree = tree
            self.since = since
            self.changed = changed
        }
    }

    private let loop: EventLoop
    private let onTrouble: (String) -> Void
    private var folders: WatchedFolders
    private var subscriptions: [String: Subscription] = [:]
    private var registration: Registration?
    /// The next scan, where the system does not tell.
    private var scan: Timer?
    /// When all that had happened was known.
    private var lastWhole = WallTime.now
    /// Until events stop being lost.
    private var overflow: Timer?

    /// How long to wait after lost events: those that lose some are many, and more of them are on their way.
    private static let calm = Duration.milliseconds(100)

    init(on loop: EventLoop, _ backend: WatchHub.Backend, onTrouble: @escaping (String) -> Void) {
        self.loop = loop
        self.onTrouble = onTrouble
        switch backend {
        case .scanning(let interval):
            folders = WatchedFolders(FolderScanner(kernel: loop.kernel, interval: interval))
        case .native:
            do throws(Errno) { folders = WatchedFolders(try FileWatcher(kernel: loop.kernel)) } catch {
                folders = WatchedFolders(FolderScanner(kernel: loop.kernel))
                if error != .notImplemented { onTrouble(WatchLimits.sentence(error, loop.kernel)) }
            }
        }
        heed()
    }

    func close() {
        for name in subscriptions.keys { unwatch(name) }
        disregard()
        overflow?.cancel()
    }

    // MARK: Subscriptions

    func watch(_ name: String, _ request: WatchRequest, since: WallTime, changed: @escaping (WatchChange) -> Void) {
        let untold = subscriptions[name]?.pending
        unwatch(name)
        start(name, request, since: since, changed)
        if let untold, let subscription = subscriptions[name] {
            subscription.pending = subscription.pending ?? untold
            wait(subscription)
        }
        wakeForScan()
    }

    func unwatch(_ name: String) {
        guard let former = subscriptions.removeValue(forKey: name) else { return }
        former.timer?.cancel()
        former.tree.end()
    }

    private func start(
        _ name: String, _ request: WatchRequest, since: WallTime, _ changed: @escaping (WatchChange) -> Void
    ) {
        let tree = WatchTree(request, in: folders, kernel: loop.kernel) { [weak self] path, isNew in
            self?.note(path, isNew, for: name)
        }
        subscriptions[name] = Subscription(tree, since: since, changed: changed)
        attempt { () throws(Errno) in try tree.begin(since: since) }
    }

    private func note(_ path: String, _ isNew: Bool, for name: String) {
        guard let subscription = subscriptions[name] else { return }
        if subscription.pending == nil {
            subscription.pending = PendingChange(path, isNew: isNew, at: .now)
            wait(subscription)
        } else {
            subscription.pending?.add(path, isNew: isNew, at: .now)
        }
    }

    /// Looks again when the pause may be long enough: one timer for any number of changes.
    private func wait(_ subscription: Subscription) {
        guard let pending = subscription.pending else { return }
        let delay = max(pending.due(subscription.tree.request.debounce) - .now, .zero)
        subscription.timer = loop.after(delay) { [weak self, weak subscription] in
            guard let self, let subscription, let pending = subscription.pending else { return }
            // What waits to be read may prolong it.
            take()
            if pending.due(subscription.tree.request.debounce) > .now { return wait(subscription) }
            tell(subscription)
        }
    }

    private func tell(_ subscription: Subscription) {
        let request = subscription.tree.request
        let pending = subscription.pending
        subscription.pending = nil
        let kernel = loop.kernel
        let change = pending?.change(in: request.folder) { path, wasNew in
            if request.without.contains(path) { return false }
            // What came and went, as a file that is written to be put in another's place.
            if wasNew, kernel.linkStatus(path) == nil { return false }
            return !(request.leavesOutPrograms && Self.isProgram(path, kernel))
        }
        if let change { subscription.changed(change) }
    }

    /// Whether a file is in ELF (elf(5)) or Mach-O, as linkers write them.
    private static func isProgram(_ path: String, _ kernel: Kernel) -> Bool {
        guard kernel.linkStatus(path)?.kind == .file, let file = try? kernel.open(path, .read) else { return false }
        return withUnsafeTemporaryAllocation(byteCount: 4, alignment: 4) { buffer in
            guard case .bytes(4)? = try? kernel.read(file, into: buffer) else { return false }
            return buffer.elementsEqual([0x7F, 0x45, 0x4C, 0x46]) || buffer.elementsEqual([0xCF, 0xFA, 0xED, 0xFE])
        }
    }

    // MARK: Events

    func ready(_ readiness: Readiness) {
        take()
        registration?.rearm(.readable)
    }

    private func take() {
        let now = WallTime.now
        var isWhole = true
        folders.watcher.drain { event in
            guard let watch = event.watch else {
                isWhole = false
                return
            }
            for folder in folders[watch] { attempt { () throws(Errno) in try folder.tree?.handle(event, in: folder) } }
        }
        if !isWhole {
            overflow?.cancel()
            overflow = loop.after(Self.calm) { [weak self] in self?.lookAgain() }
        } else if overflow?.isPending != true {
            lastWhole = now
        }
    }

    private func lookAgain() {
        for subscription in subscriptions.values {
            attempt { () throws(Errno) in try subscription.tree.lookAgain(since: known(subscription)) }
        }
        take()
    }

    /// Until when it has been told all: events may have waited, and the clock of files goes by steps.
    private func known(_ subscription: Subscription) -> WallTime {
        max(subscription.since, WallTime(microseconds: lastWhole.microseconds - 50_000))
    }

    // MARK: Limits

    /// Where the system has no more, everything is watched by scanning from then on.
    private func attempt(_ body: () throws(Errno) -> Void) {
        do throws(Errno) { try body() } catch {
            guard !(folders.watcher is FolderScanner) else { return }
            onTrouble(WatchLimits.sentence(error, loop.kernel))
            loop.later { [weak self] in self?.scanInstead() }
        }
    }

    private func scanInstead() {
        guard !(folders.watcher is FolderScanner) else { return }
        let former = subscriptions
        for subscription in former.values { subscription.tree.end() }
        disregard()
        folders = WatchedFolders(FolderScanner(kernel: loop.kernel))
        for (name, subscription) in former {
            subscription.timer?.cancel()
            start(name, subscription.tree.request, since: known(subscription), subscription.changed)
            if let pending = subscription.pending, let mine = subscriptions[name] {
                mine.pending = mine.pending ?? pending
                wait(mine)
            }
        }
        heed()
    }

    private func heed() {
        switch folders.watcher.cue {
        case .readable(let raw): registration = try? loop.watch(raw, self)
        case .after: wakeForScan()
        }
    }

    private func disregard() {
        registration?.cancel()
        registration = nil
        scan?.cancel()
    }

    private func wakeForScan() {
        guard case .after(let interval) = folders.watcher.cue, scan?.isPending != true, !subscriptions.isEmpty else {
            return
        }
        scan = loop.after(interval) { [weak self] in
            self?.take()
            self?.wakeForScan()
        }
    }
}

/// The system's limits in sentences.
enum WatchLimits {
    static func sentence(_ error: Errno, _ kernel: Kernel) -> String {
        let instead = "Until the next `devmesh up` files are looked at twice a second instead."
        switch error {
        case .noSpace:
            return "Too many folders are watched on this machine" + limit("max_user_watches", kernel)
                + ". `sudo sysctl fs.inotify.max_user_watches=1048576` raises it. " + instead
        case .tooManyOpenFiles:
            return "Too many programs watch files on this machine" + limit("max_user_instances", kernel)
                + ", or this one has too many open. `sudo sysctl fs.inotify.max_user_instances=1024` and "
                + "`ulimit -n 4096` raise these limits. " + instead
        default: return "Files can't be watched: \(error). " + instead
        }
    }

    private static func limit(_ name: String, _ kernel: Kernel) -> String {
        guard let bytes = try? kernel.readFile("/proc/sys/fs/inotify/" + name) else { return "" }
        return " (the limit is \(String(decoding: bytes, as: UTF8.self).filter { $0 != "\n" }))"
    }
}
