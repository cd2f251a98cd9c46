import Platform
import Synchronization

/// A child process of the benchmark, in a session of its own.
final class Program {
    enum Output {
        case null
        /// Appended to.
        case file(String)
        /// A descriptor that the caller keeps.
        case descriptor(Int32)
    }

    let pid: Int32
    private let command: [String]
    private var status: ExitStatus?

    init(
        _ command: [String], environment: [String: String], directory: String? = nil, stdout: Output = .null,
        stderr: Output = .null
    ) throws(Malfunction) {
        self.command = command
        let request = SpawnRequest(
            path: command[0], arguments: command, environment: environment, directory: directory)
        let out = try Self.open(stdout)
        let error = try Self.open(stderr)
        do throws(SpawnFailure) {
            pid = try ChildTable.spawn(request, stdout: out.number, stderr: error.number)
        } catch { throw Malfunction("can't start \(command.joined(separator: " ")): \(error.error)") }
        Leftovers.add(pid)
    }

    private struct Opened: ~Copyable {
        /// Closed here once the child has it.
        var owned: Descriptor?
        var number: Int32
    }

    private static func open(_ output: Output) throws(Malfunction) -> Opened {
        switch output {
        case .null: return Opened(owned: nil, number: -1)
        case .descriptor(let raw): return Opened(owned: nil, number: raw)
        case .file(let path):
            do throws(Errno) {
                let file = try Kernel.real.open(path, .append)
                let raw = file.raw
                return Opened(owned: consume file, number: raw)
            } catch { throw Malfunction("can't write \(path): \(error)") }
        }
    }

    var hasEnded: Bool {
        if status == nil { note(ChildTable.reap(pid)) }
        return status != nil
    }

    @discardableResult
    func wait() -> ExitStatus {
        if status == nil { note(ChildTable.wait(pid)) }
        return status!
    }

    private func note(_ status: ExitStatus?) {
        guard let status else { return }
        self.status = status
        Leftovers.remove(pid)
    }

    /// Ends it with its group: politely, then after five seconds for good.
    func end() {
        guard !hasEnded else { return }
        ChildTable.signal(pid, .terminate, group: true)
        for _ in 0..<500 where !hasEnded { pause(.milliseconds(10)) }
        guard !hasEnded else { return }
        ChildTable.signal(pid, .kill, group: true)
        wait()
    }
}

/// What would outlive this process if it gave up: killed then, and when the time is up.
enum Leftovers {
    private static let pids = Mutex<Set<Int32>>([])

    static func add(_ pid: Int32) { pids.withLock { _ = $0.insert(pid) } }
    static func remove(_ pid: Int32) { pids.withLock { _ = $0.remove(pid) } }

    static func kill() {
        for pid in pids.withLock({ $0 }) {
            // A mesh is asked first: only it knows the sessions of its services.
            ChildTable.signal(pid, .terminate, group: true)
        }
        pause(.seconds(1))
        for pid in pids.withLock({ $0 }) { ChildTable.signal(pid, .kill, group: true) }
    }

    /// Something that hangs must not hang whoever waits for the figures.
    static func kill(after limit: Duration) throws(Malfunction) {
        do throws(Errno) {
            _ = try PlatformThread("watchdog") {
                pause(limit)
                try? StandardStream.error.write("devmesh-bench: not done after \(limit): something hangs\n")
                kill()
                ThisProcess.exit(1)
            }
        } catch { throw Malfunction("can't start a thread: \(error)") }
    }
}
