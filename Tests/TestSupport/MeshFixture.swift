import JSON
import Platform
import Synchronization

/// A project in a temporary folder, and the built `devmesh` to drive it as a user would.
///
///     try withMesh(#"{"web": {"run": "fixture serve http"}}"#) { mesh in
///         try mesh.up()
///         try mesh.ready("web")
///         …
///     }
///
/// In the manifest's commands `fixture` and `devmesh` are the built ones. Every process that comes from here carries
/// a mark in its environment, by which `withMesh` makes sure that none is left in the end.
public final class MeshFixture: Sendable {
    public let folder = TemporaryFolder()
    public let environment: [String: String]
    private let state: StateHome
    private let mark: String
    private let programs = Mutex<[MeshProgram]>([])

    private static let markName = "MESH_FIXTURE"

    /// - Parameter services: the object under `services`, as JSON.
    public init(_ services: String) {
        state = StateHome.shared()
        mark = Path.name(folder.path)
        let tools = Path.parent(fixtureProgram)
        environment = [
            "PATH": tools + ":/usr/local/bin:/usr/bin:/bin", "HOME": folder.path + "/home",
            "XDG_STATE_HOME": state.folder.path, "XDG_RUNTIME_DIR": folder.path + "/run", "TZ": "UTC",
            Self.markName: mark,
        ]
        folder.write("home/.keep", "")
        folder.write("run/.keep", "")
        write(services)
    }

    /// Writes another manifest in place of the present one.
    public func write(_ services: String, besides more: String = "") {
        folder.write("services.json", "{\(more)\"services\": \(services)}\n")
    }

    // MARK: Commands

    /// Starts `devmesh` with these words; it is ended with the mesh.
    public func start(_ words: [String], environment more: [String: String] = [:], openFiles: UInt64? = nil) throws
        -> MeshProgram
    {
        try start(
            program: Path.parent(fixtureProgram) + "/devmesh", ["devmesh"] + words, environment: more,
            openFiles: openFiles)
    }

    public func start(_ words: String...) throws -> MeshProgram { try start(words) }

    /// Starts any program in the project's folder.
    public func start(
        program: String, _ arguments: [String], environment more: [String: String] = [:], openFiles: UInt64? = nil
    ) throws -> MeshProgram {
        let request = SpawnRequest(
            path: program, arguments: arguments, environment: environment.merging(more) { $1 },
            directory: folder.path, openFiles: openFiles)
        let program = try MeshProgram(request)
        add(program)
        return program
    }

    /// Has a program ended with the mesh.
    func add(_ program: MeshProgram) { programs.withLock { $0.append(program) } }

    /// Starts `fixture` beside the mesh.
    public func foreigner(_ words: String...) throws -> MeshProgram {
        try start(program: fixtureProgram, ["fixture"] + words)
    }

    /// Runs `devmesh` to its end.
    @discardableResult
    public func devmesh(_ words: String..., environment more: [String: String] = [:]) throws -> MeshProgram.Result {
        try start(words, environment: more).result()
    }

    /// Runs it, and fails unless it ends with `code`.
    @discardableResult
    public func devmesh(_ words: String..., code: Int32) throws -> MeshProgram.Result {
        let result = try start(words).result()
        guard result.code == code else {
            throw MeshFailure("`devmesh \(words.joined(separator: " "))` ended with \(result), not with \(code)")
        }
        return result
    }

    /// Runs a line of shell to its end.
    public func shell(_ line: String) throws -> MeshProgram.Result {
        try start(program: "/bin/sh", ["sh", "-c", line]).result()
    }

    // MARK: The mesh

    /// `devmesh up` in the foreground, once the mesh is up.
    @discardableResult
    public func up(_ words: String..., environment more: [String: String] = [:], openFiles: UInt64? = nil) throws
        -> MeshProgram
    {
        let program = try start(["up"] + words, environment: more, openFiles: openFiles)
        try program.errors.wait(for: "is up; ^C stops it.")
        return program
    }

    /// Waits until services are ready.
    public func ready(_ services: String...) throws { try wait(services, for: "ready") }

    /// `devmesh wait`.
    public func wait(_ services: [String], for condition: String) throws {
        let limit = "\(patience(.seconds(60)).components.seconds)s"
        let result = try start(["wait"] + services + ["--for", condition, "--timeout", limit]).result()
        guard result.code == 0 else {
            let standing = (try? devmesh("ps"))?.output ?? ""
            throw MeshFailure("\(services) not \(condition): \(result)\n\(standing)")
        }
    }

    /// `ps --json` of one service.
    public func ps(_ service: String) throws -> JSON {
        let rows = try JSON(parsing: devmesh("ps", "--json", code: 0).output).arrayValue ?? []
        guard let row = rows.first(where: { $0["service"]?.stringValue == service }) else {
            throw MeshFailure("`ps` has no \(service)")
        }
        return row
    }

    public func state(_ service: String) throws -> String { try ps(service)["state"]?.stringValue ?? "" }

    /// The pids of a service's instances.
    public func pids(_ service: String) throws -> [Int32] {
        try (ps(service)["instances"]?.arrayValue ?? []).compactMap { $0["pid"]?.intValue.map(Int32.init) }
    }

    /// The port of a service's front, or of the edge that a caller has to it; whether the mesh is up or not.
    public func port(_ service: String, from caller: String? = nil) throws -> Int {
        let rows = try JSON(parsing: devmesh("ports", "--json", code: 0).output).arrayValue ?? []
        let row = rows.first { $0["service"]?.stringValue == service && $0["edge"]?.stringValue == caller }
        guard let port = row?["port"]?.intValue else { throw MeshFailure("`ports` has no \(service): \(rows)") }
        return port
    }

    /// What `logs --json` says of services; of all where none is named.
    public func logs(_ services: String...) throws -> [JSON] {
        let result = try start(["logs", "--json"] + services).result()
        guard result.code == 0 else { throw MeshFailure("`logs` ended with \(result)") }
        return try result.output.split(separator: "\n").map { try JSON(parsing: String($0)) }
    }

    /// One GET to a service's front.
    public func get(_ service: String, _ path: String = "/") throws -> MeshResponse {
        try MeshClient(port: port(service)).get(path)
    }

    /// A connection to the control socket.
    public func control() throws -> MeshClient {
        let runtime = folder.path + "/run/devmesh"
        guard let project = try Kernel.real.list(runtime).first else { throw MeshFailure("no mesh is up") }
        return try MeshClient(.unix("\(runtime)/\(project)/control.sock"))
    }

    // MARK: The end

    /// What the mesh says its supervisor is.
    public func supervisor() throws -> ProcessEntry {
        let record = try JSON(parsing: Kernel.real.readFile(folder.path + "/.devmesh/services.json/mesh.json"))
        guard let pid = record["pid"]?.intValue, let entry = ProcessTable.entry(Int32(pid)) else {
            throw MeshFailure("mesh.json names no supervisor that lives: \(record)")
        }
        return entry
    }

    /// The supervisor's parent, and a child of the process that was started.
    public func guardian() throws -> ProcessEntry {
        guard let entry = ProcessTable.entry(try supervisor().parent) else { throw MeshFailure("nobody guards") }
        return entry
    }

    /// Kills the supervisor, its guardian and `up`, so that none can do anything about the others' end; returns what
    /// they left running.
    @discardableResult
    public func killAtOnce(_ up: MeshProgram) throws -> [ProcessEntry] {
        let supervisor = try supervisor()
        let below = supervisor.below
        let guardian = try guardian()
        up.signal(Signal(name: "STOP")!)
        ProcessTable.signal(guardian, Signal(name: "STOP")!)
        ProcessTable.signal(supervisor, .kill)
        ProcessTable.signal(guardian, .kill)
        up.signal(.kill)
        _ = try up.exit()
        try waitForEnd()
        return below.filter(\.isAlive)
    }

    /// Waits until no mesh of the project is left, not even one that is ending.
    public func waitForEnd() throws {
        let result = try shell("flock .devmesh/services.json/life.lock true")
        guard result.code == 0 else { throw MeshFailure("waiting for the end of the mesh: \(result)") }
        // A guardian that has given up the lease goes on to say how the mesh ended.
        while processes().contains(where: { ProcessTable.program(of: $0.pid) == "mesh-guardian" }) {
            PlatformThread.yield()
        }
    }

    /// The processes of the services: what came from here but for devmesh itself.
    public func servants() -> [ProcessEntry] {
        processes().filter { entry in
            ProcessTable.program(of: entry.pid).map { $0 != "devmesh" && $0 != "mesh-guardian" } ?? false
        }
    }

    /// The processes that came from here and are alive.
    public func processes() -> [ProcessEntry] {
        let mark = "\(Self.markName)=\(mark)"
        return ProcessTable.snapshot().entries.filter { entry in
            !entry.isZombie && (ProcessTable.environment(of: entry.pid)?.contains { $0 == mark } ?? false)
        }
    }

    /// The control group that the mesh, or the last one, is in, as its journal tells; nil where there can be none.
    public func controlGroup() -> ControlGroup? {
        let lines = folder.read(".devmesh/services.json/journal")?.split(separator: "\n") ?? []
        return lines.first { $0.hasPrefix("@ ") }.map { ControlGroup(String($0.dropFirst(2))) }
    }

    /// Whether a mesh started it, rather than the test itself.
    public func isInAMesh(_ pid: Int32) -> Bool {
        ProcessTable.environment(of: pid)?.contains { $0.hasPrefix("DEVMESH_INSTANCE=") } ?? false
    }

    /// The files below a folder, but for logs and locks.
    public func stateFiles(below folder: String) -> [String] {
        let names = (try? Kernel.real.list(folder)) ?? []
        return names.filter { $0 != "logs" && !$0.hasSuffix(".lock") && !$0.hasSuffix(".log") && $0 != ".gitignore" }
            .flatMap { name in
                let path = folder + "/" + name
                return Kernel.real.status(path)?.kind == .directory ? stateFiles(below: path) : [path]
            }
    }

    /// Kills whatever is left, as after a supervisor that was killed.
    public func killAll() {
        while case let left = processes(), !left.isEmpty { for entry in left { ProcessTable.signal(entry, .kill) } }
        for program in programs.withLock({ $0 }) { _ = try? program.exit() }
    }

    /// Takes the mesh down and ends what was started beside it.
    fileprivate func close() throws {
        defer { killAll() }
        try devmesh("down", code: 0)
        for program in programs.withLock({ $0 }) where program.isRunning {
            program.signal(.terminate)
            _ = try program.exit()
        }
        let left = processes()
        guard left.isEmpty else {
            throw MeshFailure("left behind: \(left.map { ProcessTable.program(of: $0.pid) ?? "\($0.pid)" })")
        }
    }

    /// What the programs said, for whoever has to find out why a test failed.
    fileprivate func transcript() -> String {
        programs.withLock { $0 }.map { "\($0)\n" }.joined()
    }
}

extension ProcessEntry {
    public var isAlive: Bool {
        ProcessTable.entry(pid).map { $0.started == started && !$0.isZombie } ?? false
    }

    /// Those below it, as the kernel tells; their own variables may be gone.
    public var below: [ProcessEntry] { ProcessTable.snapshot().descendants(of: pid).filter { !$0.isZombie } }
}

/// Runs a test in a project of its own, and fails where something is left afterwards.
public func withMesh(_ services: String, _ body: (MeshFixture) throws -> Void) throws {
    let mesh = MeshFixture(services)
    do {
        try body(mesh)
        try mesh.close()
    } catch {
        let transcript = mesh.transcript()
        mesh.killAll()
        throw MeshFailure("\(error)\n\(transcript)")
    }
}

/// What went wrong in a test, in words.
public struct MeshFailure: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

/// The registry of ports that the projects of this test process share, so that those that run at once get different
/// blocks. It is removed when nobody uses it any more.
private final class StateHome: Sendable {
    let folder = TemporaryFolder()

    private struct Reference: ~Copyable { weak var home: StateHome? }
    private static let current = Mutex(Reference())

    static func shared() -> StateHome {
        current.withLock { reference in
            if let home = reference.home { return home }
            let home = StateHome()
            reference.home = home
            return home
        }
    }
}
