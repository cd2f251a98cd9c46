import EventLoop
import Platform

/// Starts programs and knows when they and all their offspring are gone.
///
/// What belongs to a program: its process group and session, its descendants, and orphans that came to this process
/// (a child subreaper) and have its tag, which is handed down whatever they do, or its marker in their environment.
/// Whenever something ends, SIGCHLD says so: then, and only then, it is looked who is left.
final class ProcessTrees {
    static let markerName = "DEVMESH_INSTANCE"

    let loop: EventLoop
    let children: Children
    private var observer: Int?
    var watched: [Int32: ManagedProcess] = [:]
    var strays: (isOurs: (ProcessEntry) -> Bool, since: Instant, done: () -> Void)?
    /// What SIGKILL did not end, and nobody waits for any more.
    var undying: [ProcessEntry] = []
    var recheck: Timer?

    /// Programs that are being started, by their tags.
    private var starting: [UInt64: (marker: String, since: Instant)] = [:]
    private let witness: StartWitness?

    /// Whether any program is being started.
    var isStarting: Bool { !starting.isEmpty }

    init(on loop: EventLoop, children: Children, witness: StartWitness? = nil) {
        self.loop = loop
        self.children = children
        self.witness = witness
        observer = children.addObserver { [weak self] in self?.look() }
    }

    func close() {
        if let observer { children.removeObserver(observer) }
        observer = nil
        recheck?.cancel()
    }

    /// Starts a program while the loop goes on; `done` is called on a later turn, before any callback of the process.
    /// - Parameters:
    ///   - source: what its output is called; nil: it goes nowhere.
    ///   - pipes: whether its output, though without a name, is for the caller to read.
    ///   - terminal: the window of the terminal that it gets; nil: it gets pipes.
    func spawn(
        _ request: SpawnRequest, marker: String, source: OutputSource? = nil, pipes: Bool = false,
        terminal: TerminalSize? = nil,
        done: @escaping (Result<(process: ManagedProcess, pipes: PipeEnds?), SpawnFailure>) -> Void
    ) {
        var request = request
        // Environments are large: whoever keeps this one as well has it marked already, so that it is not copied.
        if request.environment[Self.markerName] != marker { request.environment[Self.markerName] = marker }
        request.diesWithParent = true
        let tag = UInt64.random(in: 1..<1 << 62)
        request.tag = tag
        starting[tag] = (marker, .now)
        let box = Box()
        let io: StandardIO = source == nil && !pipes ? .nothing : terminal.map { .terminal($0) } ?? .pipes
        children.spawn(
            request, io: io,
            onPipes: { [witness] stdout, stderr in if let source { witness?.output(source, stdout, stderr) } },
            onStart: { [witness] pid, began in witness?.process(pid, marker, tag, began) }
        ) { status in
            box.process?.phase = .exited(status)
        } done: { [self] result in
            starting[tag] = nil
            done(
                result.map { started in
                    let process = ManagedProcess(pid: started.pid, marker: marker, tag: tag)
                    box.process = process
                    watched[started.pid] = process
                    return (process, started.pipes)
                })
            if strays != nil { look() }
        }
    }

    func signal(_ process: ManagedProcess, _ signal: Signal, _ recipients: ServiceMachine.Recipients) {
        switch recipients {
        case .leader: _ = ChildTable.signal(process.pid, signal, group: false, kernel: loop.kernel)
        case .group: signalGroup(process, signal)
        case .tree:
            let table = ProcessTable.snapshot()
            // Where there is no table the group is all that is known.
            if table.entries.isEmpty { signalGroup(process, signal) }
            for member in members(of: process, in: table) { ProcessTable.signal(member, signal, kernel: loop.kernel) }
        }
    }

    /// KILLs everything of it, and whatever appears of it later.
    func kill(_ process: ManagedProcess) {
        guard !process.isGone else { return }
        process.doom = process.doom ?? .now
        signalGroup(process, .kill)
        for member in members(of: process, in: .snapshot()) {
            ProcessTable.signal(member, .kill, kernel: loop.kernel)
        }
    }

    /// KILLs programs that the system has not executed yet, which may take as long as the disk that they lie on: each
    /// becomes a process that has ended.
    func killStarting(where isMeant: (_ marker: String, _ since: Instant) -> Bool = { _, _ in true }) {
        ChildTable.killStarting(Set(starting.filter { isMeant($0.value.marker, $0.value.since) }.keys))
    }

    /// Whether one of its processes has one of these sockets open.
    func owns(_ process: ManagedProcess, anyOf inodes: Set<UInt64>) -> Bool {
        SocketTable.hasSocket(process.pid, where: inodes.contains)
            || members(of: process, in: .snapshot()).contains { SocketTable.hasSocket($0.pid, where: inodes.contains) }
    }

    /// The living members of every tree, by its leader's pid.
    func census() -> [Int32: [ProcessEntry]] {
        // Whoever adopts orphans is above them all.
        let below = ProcessTable(ProcessTable.snapshot().descendants(of: ThisProcess.id))
        // Read once each, not once for each tree.
        var markers: [Int32: String?] = [:]
        return watched.mapValues { process in
            members(of: process, in: below) { entry in
                if let known = markers[entry.pid] { return known }
                let marker = Self.marker(of: entry)
                markers[entry.pid] = .some(marker)
                return marker
            }
        }
    }

    /// Kills what is left when nothing should run any more: programs, the offspring of those that have ended, and
    /// orphans that are ours. `done` is called when none is left.
    func killStrays(where isOurs: @escaping (ProcessEntry) -> Bool, done: @escaping () -> Void) {
        strays = (isOurs, .now, done)
        for process in watched.values { kill(process) }
        look()
    }

    func signalGroup(_ process: ManagedProcess, _ signal: Signal) {
        guard process.hasGroup else { return }
        ChildTable.signal(process.pid, signal, group: true, kernel: loop.kernel)
    }

    private final class Box {
        weak var process: ManagedProcess?
    }
}
