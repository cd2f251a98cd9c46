import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A control group of a mesh's own (cgroups(7), version 2): whatever a program makes of itself, it stays in there with all
/// that comes of it, and all that is in it can be KILLed at once.
///
///     /…/terminal.scope                 the process that was started, its guardian, a browser
///     /…/terminal.scope/devmesh-…       the supervisor, and every program
///
/// The kernel hands it down; nobody has to be moved, which would take milliseconds.
public struct ControlGroup: Sendable {
    /// Its folder, which the kernel makes and fills.
    public let folder: String
    private let kernel: Kernel

    /// The one that this process was made in; nil for none.
    public static var own: ControlGroup? {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }
    private static let current = Mutex<ControlGroup?>(nil)

    /// - Parameter folder: of one that is there, or was.
    public init(_ folder: String, kernel: Kernel = .real) {
        self.folder = folder
        self.kernel = kernel
    }

    /// Makes one in that of this process; nil where there can be none.
    /// - Parameter prefix: of its name, up to the last dash. No name comes twice: whoever ends a mesh must never mean the next one.
    static func make(_ prefix: String, kernel: Kernel = .real) -> ControlGroup? {
        guard let parent = ControlGroupFinder(kernel: kernel).delegated() else { return nil }
        let name = prefix + String(UInt64.random(in: 0 ... .max), radix: 16)
        let group = ControlGroup(parent + "/" + name, kernel: kernel)
        guard (try? kernel.limit(.mkdir)) != nil, mkdir(group.folder, 0o755) == 0 else { return nil }
        return group
    }

    /// Removes others of its prefix in which nobody is: whoever made them was killed before it had begun.
    func removeOthers() {
        let (parent, name) = (Path.parent(folder), Path.name(folder))
        guard let dash = name.lastIndex(of: "-") else { return }
        let prefix = name[...dash]
        for entry in (try? kernel.entries(parent)) ?? [] where entry.isFolder && entry.name.hasPrefix(prefix) {
            ControlGroup(parent + "/" + entry.name, kernel: kernel).remove()
        }
    }

    /// Whom to write to in order to leave it.
    var exit: String { Path.parent(folder) + "/cgroup.procs" }

    /// Open, for processes to be made in it (clone(2), `CLONE_INTO_CGROUP`).
    func entrance() -> Descriptor? { try? kernel.open(folder, .read) }

    /// Whether it is there.
    public var exists: Bool { kernel.status(folder) != nil }

    /// The processes in it and in groups that programs have made in it, but for those that this process can't see.
    public func members() -> [Int32] {
        let list = (try? kernel.readFile(folder + "/cgroup.procs")) ?? []
        let pids = list.split(separator: UInt8(ascii: "\n")).compactMap { Int32(String(decoding: $0, as: UTF8.self)) }
        return pids.filter { $0 > 0 } + below.flatMap { $0.members() }
    }

    private var below: [ControlGroup] {
        let entries = (try? kernel.entries(folder)) ?? []
        return entries.filter(\.isFolder).map { ControlGroup(folder + "/" + $0.name, kernel: kernel) }
    }

    /// KILLs all that is in it, and what is being made there just now; other users' processes as well.
    public func killAll() {
        do throws(Errno) {
            try kernel.writeAll(try kernel.open(folder + "/cgroup.kill", .write), "1")
        } catch {
            // Linux before 5.14. Whoever forks meanwhile is seen next time.
            for entry in members().compactMap(ProcessTable.entry) where entry.pid != getpid() {
                ProcessTable.signal(entry, .kill, kernel: kernel)
            }
        }
    }

    /// KILLs all that is in it until nobody is left, and removes it.
    /// - Returns: whether it is gone; false once `limit` has come.
    public func end(by limit: Instant) -> Bool {
        while true {
            // Where all has ended in order, nobody is to be KILLed.
            do throws(Errno) {
                try removeTree()
                return true
            } catch {
                guard error == .busy, .now < limit else { return false }
            }
            killAll()
            waitForChange()
        }
    }

    /// KILLs all that is in it but this process, which leaves it for that; returns once they are gone, or after a moment.
    public func endOthers() {
        // Whoever writes 0 moves itself.
        guard (try? kernel.writeAll(try kernel.open(exit, .write), "0")) != nil else { return }
        killAll()
        for _ in 1...10 where isPopulated == true { waitForChange() }
    }

    /// Removes it, unless somebody is in it.
    public func remove() { try? removeTree() }

    private func removeTree() throws(Errno) {
        do throws(Errno) { try removeFolder() } catch {
            guard error == .busy, isPopulated == false else { throw error }
            // What programs have made in it; another user's stays, and the rest with it.
            for group in below { group.remove() }
            do throws(Errno) { try removeFolder() } catch { throw error == .busy ? .notEmpty : error }
        }
    }

    private func removeFolder() throws(Errno) {
        _ = try kernel.limit(.rmdir)
        if rmdir(folder) != 0, Errno.last != .noEntry { throw Errno.last }
    }

    /// Nil where nobody can tell.
    private var isPopulated: Bool? {
        (try? kernel.readFile(folder + "/cgroup.events")).flatMap(ControlGroupFinder.isPopulated)
    }

    /// Waits until the last one has gone, or a moment.
    private func waitForChange() {
        let moment: Int32 = 20
        guard let events = try? kernel.open(folder + "/cgroup.events", .read),
            let bytes = try? kernel.readToEnd(events), ControlGroupFinder.isPopulated(bytes) == true
        else { return PlatformThread.sleep(.milliseconds(1)) }
        // What changes after it was read is told.
        var entry = pollfd(fd: events.raw, events: Int16(POLLPRI), revents: 0)
        _ = poll(&entry, 1, moment)
    }
}
