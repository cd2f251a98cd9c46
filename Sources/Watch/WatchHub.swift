import EventLoop
import Platform

/// The watch thread of a mesh: tells what changes on the disk.
///
///     inotify or scans ─► WatchTree (which changes count) ─► PendingChange (until there is a pause) ─► changed
///
/// Everything here may be called from any thread and returns at once; calls are carried out in their order. While
/// nothing changes it does nothing. `close` must be called before the last reference goes, unless the process ends.
public final class WatchHub: Sendable {
    /// How it learns of changes.
    public enum Backend: Sendable {
        /// From the system; where that has no such thing or no more of it, by scanning.
        case native
        /// By looking again and again, so often at most.
        case scanning(Duration)
    }

    public typealias Changed = @Sendable (EventLoop, WatchChange) -> Void

    private let remote: LoopRemote
    private let worker: LoopBound<WatchWorker>

    /// Starts the thread.
    /// - Parameter onTrouble: called on the watch thread with a sentence when the system's limits are reached.
    public init(
        kernel: Kernel = .real, backend: Backend = .native,
        onTrouble: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(Errno) {
        let made = Handoff<LoopBound<WatchWorker>>()
        let thread = try LoopThread("watch", kernel: kernel) { loop in
            made.give(LoopBound(WatchWorker(on: loop, backend, onTrouble: onTrouble), loop))
        }
        remote = thread.remote
        worker = made.take()
    }

    /// Watches what is asked for under a name, in place of what was watched under it before.
    ///
    /// - Parameters:
    ///   - since: what was changed later counts, though it was not watched yet.
    ///   - changed: called on `receiver`'s loop each time something has changed, and then nothing for the debounce.
    public func watch(
        _ name: String, _ request: WatchRequest, since: WallTime = .now, on receiver: LoopRemote,
        changed: @escaping Changed
    ) {
        post { worker in
            worker.watch(name, request, since: since) { change in receiver.post { changed($0, change) } }
        }
    }

    public func unwatch(_ name: String) { post { $0.unwatch(name) } }

    /// Calls `done` once what was asked for before is being watched.
    public func settled(on receiver: LoopRemote, _ done: @escaping @Sendable (EventLoop) -> Void) {
        post { _ in receiver.post(done) }
    }

    /// Ends the thread.
    public func close() {
        let worker = self.worker
        remote.post { loop in
            worker.value.close()
            loop.stop()
        }
    }

    func post(_ work: @escaping @Sendable (WatchWorker) -> Void) {
        let worker = self.worker
        remote.post { _ in work(worker.value) }
    }
}
