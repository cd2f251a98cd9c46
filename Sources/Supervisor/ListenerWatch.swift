import EventLoop
import Platform

/// What the kernel's table says about a port.
enum Sighting: Equatable {
    /// One of the program's own processes listens; `host` is where to reach it.
    case listening(host: String)
    /// Someone else does.
    case stranger
    case nobody
    /// The system does not show its table.
    case unknown
}

/// Waits for programs to listen on their ports, without a connect: a program's only accept is not eaten, and a
/// stranger's listener not believed.
///
/// One look serves all who wait. The first come a millisecond apart, or three where many wait and the machine is busy
/// with starting more; later ones after an eighth of the time that the youngest has been waiting: a quick start is seen
/// quickly, a slow one costs little.
final class ListenerWatch {
    private struct Waiting {
        let process: ManagedProcess
        let port: Int
        let since: Instant
        let interval: Duration
        var last = Sighting.nobody
        let onChange: (Sighting) -> Void
    }

    private let loop: EventLoop
    private let trees: ProcessTrees
    private var waiting: [Int32: Waiting] = [:]
    private var timer: Timer?

    init(on loop: EventLoop, trees: ProcessTrees) {
        self.loop = loop
        self.trees = trees
    }

    /// Calls `onChange` whenever the answer is another, on a later turn; the last time with `.listening`.
    func wait(
        for process: ManagedProcess, on port: Int, interval: Duration, onChange: @escaping (Sighting) -> Void
    ) {
        waiting[process.pid] = Waiting(
            process: process, port: port, since: .now, interval: interval, onChange: onChange)
        schedule()
    }

    func cancel(_ process: ManagedProcess) {
        waiting[process.pid] = nil
        if waiting.isEmpty { timer?.cancel() }
    }

    var isIdle: Bool { timer?.isPending != true }

    /// Looks once, now.
    func look(for process: ManagedProcess, on port: Int) -> Sighting {
        sighting(of: process, on: port, in: SocketTable.listeners(at: port...port))
    }

    private func lookForAll() {
        let ports = waiting.values.lazy.map(\.port)
        guard let lowest = ports.min(), let highest = ports.max() else { return }
        let table = SocketTable.listeners(at: lowest...highest)
        for pid in waiting.keys.sorted() {
            guard var entry = waiting[pid] else { continue }
            let found = sighting(of: entry.process, on: entry.port, in: table)
            guard found != entry.last else { continue }
            entry.last = found
            waiting[pid] = entry
            if case .listening = found { waiting[pid] = nil }
            entry.onChange(found)
        }
        schedule()
    }

    private func sighting(of process: ManagedProcess, on port: Int, in table: [SocketEntry]?) -> Sighting {
        guard let table else { return .unknown }
        let listeners = table.filter { $0.port == port }
        if listeners.isEmpty { return .nobody }
        guard trees.owns(process, anyOf: Set(listeners.map(\.inode))) else { return .stranger }
        return .listening(host: listeners.contains { !$0.isV6 } ? "127.0.0.1" : "::1")
    }

    private func schedule() {
        let now = Instant.now
        let least = Duration.milliseconds(waiting.count > 4 && trees.isStarting ? 3 : 1)
        let delays = waiting.values.map { min(max((now - $0.since) / 8, least), $0.interval) }
        guard let delay = delays.min() else { return }
        // A look that comes sooner stays: where one program is started after another, none would come before the last.
        if let timer, timer.isPending, timer.due <= now + delay { return }
        timer?.cancel()
        timer = loop.after(delay) { [weak self] in self?.lookForAll() }
    }
}
