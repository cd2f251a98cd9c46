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
    /// Between two scans, at least.
    private let interval: Duration
    private var isScanning: Bool { folders.watcher is FolderScanner }
    private var subscriptions: [String: Subscription] = [:]
    private var registration: Registration?
    /// When to look or to listen next: the system may not tell, or too often.
    private var next: Timer?
    /// When all that had happened was known.
    private var lastWhole = WallTime.now
    /// Until everything is looked at again.
    private var repair: Timer?

    /// How long to let events gather that follow on others: of a storm each would cost a look otherwise.
    private static let gathering = Duration.milliseconds(5)
    /// How long to wait while more is on its way: after lost events, for those that lose some are many, and for git.
    private static let calm = Duration.milliseconds(100)
    /// How long to wait where there is too little even for looking.
    private static let relief = Duration.seconds(5)

    init(on loop: EventLoop, _ backend: WatchHub.Backend, onTrouble: @escaping (String) -> Void) {
        self.loop = loop
        self.onTrouble = onTrouble
        if case .scanning(let own) = backend { interval = own } else { interval = .milliseconds(500) }
        folders = WatchedFolders(FolderScanner(kernel: loop.kernel, interval: interval))
        if case .native = backend {
            do throws(Errno) { folders = WatchedFolders(try FileWatcher(kernel: loop.kernel)) } catch {
                if error != .notImplemented { onTrouble(WatchLimits.sentence(error, loop.kernel)) }
            }
        }
        heed()
    }

    func close() {
        for name in subscriptions.keys { unwatch(name) }
        disregard()
        repair?.cancel()
    }

    // MARK: Subscriptions

    func watch(_ name: String, _ request: WatchRequest, since: WallTime, changed: @escaping (WatchChange) -> Void) {
        // What waits to be read is lost with the former watches, and what has not been told is still to be.
        take()
        let untold = subscriptions[name]?.pending
        unwatch(name)
        let hooks = WatchTree.Hooks { [weak self] path, isNew in
            self?.note(path, isNew, for: name)
        } callBack: { [weak self] in
            self?.loop.after(WatchTree.patience) { [weak self] in self?.subscriptions[name]?.tree.countBegun() }
        }
        let tree = WatchTree(request, in: folders, kernel: loop.kernel, hooks: hooks)
        let subscription = Subscription(tree, since: since, changed: changed)
        subscription.pending = untold
        wait(subscription)
        subscriptions[name] = subscription
        attempt { () throws(Errno) in try tree.begin(since: since) }
        wakeForScan()
    }

    func unwatch(_ name: String) {
        guard let former = subscriptions.removeValue(forKey: name) else { return }
        former.timer?.cancel()
        former.tree.end()
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
    private func wait(_ subscription: Subscription, atLeast: Duration = .zero) {
        guard let pending = subscription.pending else { return }
        let delay = max(pending.due(subscription.tree.request.debounce) - .now, atLeast)
        subscription.timer = loop.after(delay) { [weak self, weak subscription] in
            guard let self, let subscription else { return }
            // What waits to be read may prolong it.
            take()
            guard let pending = subscription.pending else { return }
            if pending.due(subscription.tree.request.debounce) > .now { return wait(subscription) }
            if subscription.tree.isUnderWay { return wait(subscription, atLeast: Self.calm) }
            tell(subscription)
        }
    }

    private func tell(_ subscription: Subscription) {
        let request = subscription.tree.request
        let pending = subscription.pending
        subscription.pending = nil
        let kernel = loop.kernel
        let (now, time) = (Instant.now, WallTime.now)
        let change = pending?.change(in: request.folder) { path, isNew, noticed in
            if !request.without.isEmpty, request.without.contains((try? kernel.realPath(path)) ?? path) { return nil }
            // What came and went, as a file that is written to be put in another's place, is none.
            guard let status = kernel.linkStatus(path) else { return isNew ? nil : noticed }
            if request.leavesOutPrograms, status.kind == .file, Self.isProgram(path, kernel) { return nil }
            return min(noticed, now + .nanoseconds(status.changed - time.microseconds * 1000))
        }
        if let change { subscription.changed(change) }
    }

    /// Whether a file is in ELF (elf(5)) or Mach-O, as linkers write them.
    private static func isProgram(_ path: String, _ kernel: Kernel) -> Bool {
        guard let file = try? kernel.open(path, .read) else { return false }
        return withUnsafeTemporaryAllocation(byteCount: 4, alignment: 4) { buffer in
            guard case .bytes(4)? = try? kernel.read(file, into: buffer) else { return false }
            return buffer.elementsEqual([0x7F, 0x45, 0x4C, 0x46]) || buffer.elementsEqual([0xCF, 0xFA, 0xED, 0xFE])
        }
    }

    // MARK: Events

    func ready(_ readiness: Readiness) {
        take()
        registration?.cancel()
        registration = nil
        next = loop.after(Self.gathering) { [weak self] in self?.heed() }
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
            repair?.cancel()
            repair = loop.after(Self.calm) { [weak self] in self?.repairNow() }
        } else if repair?.isPending != true {
            lastWhole = now
        }
    }

    /// Looks at everything again, since events were lost; in a new queue, for to end each watch of the old one would
    /// fill it again.
    private func repairNow() {
        if isScanning { return lookAgain(with: FolderScanner(kernel: loop.kernel, interval: interval)) }
        do throws(Errno) { lookAgain(with: try FileWatcher(kernel: loop.kernel)) } catch { scanInstead(error) }
    }

    /// Watches everything in another way; what has changed meanwhile is found.
    private func lookAgain(with watcher: any FolderWatching) {
        disregard()
        folders = WatchedFolders(watcher)
        heed()
        for subscription in subscriptions.values {
            let since = known(subscription)
            attempt { () throws(Errno) in try subscription.tree.lookAgain(in: folders, since: since) }
        }
        take()
    }

    /// Until when it has been told all: events may have waited, and the clock of files goes by steps.
    private func known(_ subscription: Subscription) -> WallTime {
        max(subscription.since, WallTime(microseconds: lastWhole.microseconds - 50_000))
    }

    // MARK: Limits

    private func attempt(_ body: () throws(Errno) -> Void) {
        do throws(Errno) { try body() } catch { scanInstead(error) }
    }

    /// Where the system has no more, everything is watched by scanning from then on; where there is too little even for
    /// that, a while later.
    private func scanInstead(_ error: Errno) {
        let delay = isScanning ? Self.relief : .zero
        if !isScanning {
            onTrouble(WatchLimits.sentence(error, loop.kernel))
            disregard()
            folders = WatchedFolders(FolderScanner(kernel: loop.kernel, interval: interval))
        }
        repair?.cancel()
        repair = loop.after(delay) { [weak self] in self?.repairNow() }
    }

    private func heed() {
        switch folders.watcher.cue {
        case .readable(let raw): attempt { () throws(Errno) in registration = try loop.watch(raw, self) }
        case .after: wakeForScan()
        }
    }

    private func disregard() {
        registration?.cancel()
        registration = nil
        next?.cancel()
    }

    private func wakeForScan() {
        guard case .after(let interval) = folders.watcher.cue, next?.isPending != true, !subscriptions.isEmpty else {
            return
        }
        next = loop.after(interval) { [weak self] in
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
                + "; \(Shortage.watches.remedy). " + instead
        case .tooManyOpenFiles:
            return "Too many programs watch files on this machine" + limit("max_user_instances", kernel)
                + ", or this one has too many files open; \(Shortage.watchers.remedy). " + instead
        default: return "Files can't be watched: \(error). " + instead
        }
    }

    private static func limit(_ name: String, _ kernel: Kernel) -> String {
        guard let bytes = try? kernel.readFile("/proc/sys/fs/inotify/" + name) else { return "" }
        return " (the limit is \(String(decoding: bytes, as: UTF8.self).filter { $0 != "\n" }))"
    }
}
