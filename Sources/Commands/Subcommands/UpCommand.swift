import Control
import Manifest
import Platform
import Project

/// `devmesh up [SERVICE…]`
enum UpCommand: Subcommand {
    static let spec = CommandSpec(
        name: "up",
        abstract: "start the mesh and show its logs",
        group: .mesh,
        details: """
            Starts the services in the order of their dependsOn, with all logs in this terminal, until ^C stops them \
            (twice: at once). With services named: those and what they depend on.

            Where the mesh is up already, starts what is new, restarts only what changed in the manifest, and then \
            follows the logs; ^C then leaves the mesh running. A mesh that is up follows its manifest by itself, and \
            rebuilds and restarts services that have `watch` when their files change.

            On a terminal the last line shows how the services stand and takes keys: r restarts a service, b builds one, \
            f shows the lines of one only, m mutes one, o opens one in the browser, q stops the mesh, ? tells more.
            """,
        arguments: [ArgumentSpec("SERVICE", .any, .service, "what to start; everything when none is named")],
        options: [
            .flag("detach", "d", "leave the mesh running in the background"),
            .flag("wait", "the same, and return once local services are ready or completed, 1 when one fails"),
            .value(
                "local", "A,B", .serviceList,
                "run just these here; what has a remote is served by it, the rest runs if these depend on it"),
            .flag("no-watch", "heed no changes of files, the manifest's neither"),
            .flag("dry-run", "only print what would be started, restarted and removed"),
            .flag("json", "with --dry-run: print JSON, for programs"),
            .flag("no-status", "no line of states and keys below the logs on a terminal"),
        ],
        examples: [
            .init("devmesh up", "everything, logs in this terminal"),
            .init("devmesh up --local reader", "only reader here, its neighbours remote"),
            .init("devmesh up --wait && make test", "in the background, once all is ready"),
            .init("devmesh up --dry-run", "what an edited manifest would change"),
        ])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let local = arguments.list("local")
        if local != nil, !arguments.positionals.isEmpty { throw .usage(.conflict("SERVICE", "--local")) }
        if arguments.has("json"), !arguments.has("dry-run") { throw .usage(.needsCompany("--json", "--dry-run")) }
        if arguments.has("dry-run") { return try Forecast(session: session).run(arguments, local: local) }
        let detached = arguments.has("detach") || arguments.has("wait")
        if let mesh = try session.meshIfUp() {
            do throws(CommandFailure) {
                return try join(mesh, arguments, local: local, detached: detached, in: session)
            } catch {
                switch error {
                // It went down under our hands: this `up` comes after that `down`.
                case .noMesh, .meshIsEnding:
                    let project = LocatedProject(manifest: mesh.record.manifest)
                    let places = try session.places()
                    _ = try session.attempt { () throws(ProjectError) in
                        try SupervisorLease.waitForEnd(project, of: mesh.record, places: places)
                    }
                    return try run(arguments, in: session)
                default: throw error
                }
            }
        }
        if detached { return try background(arguments, in: session) }
        let socket = try session.project().socket(try session.places())
        let mesh = ForegroundMesh(session, socket: socket, hasStatus: !arguments.has("no-status"))
        switch try Supervision.run(arguments, mesh.hooks, in: session) {
        case .ended(let code): return code
        case .running: return try run(arguments, in: session)
        }
    }

    /// Brings a mesh that is up to the manifest, and follows it unless it is to stay in the background.
    private static func join(
        _ mesh: RunningMesh, _ arguments: Arguments, local: [String]?, detached: Bool, in session: Session
    ) throws(CommandFailure) -> Int32 {
        let request = UpRequest(
            services: services(arguments), local: local, env: session.environment, wait: detached,
            watch: !arguments.has("no-watch"))
        let follower = MeshFollower(mesh: mesh, session: session)
        let before = WallTime.now
        let report = try follower.bringUp(request)
        guard detached else { return try follower.follow(since: before) }
        guard report.failed.isEmpty else { return ExitCode.failed.rawValue }
        guard arguments.has("wait") else { return 0 }
        let running = try mesh.ask { (client) throws(ControlError) in try client.services() }
        let local = running.filter { $0.target != "remote" && $0.state != "stopped" }.map { $0.service }
        return try wait(for: local.filter(report.selected.contains), of: mesh, in: session)
    }

    /// Those named; nil: all.
    static func services(_ arguments: Arguments) -> [String]? {
        arguments.positionals.isEmpty ? nil : arguments.positionals
    }

    private static func background(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        // Its mistakes are shown here rather than in the supervisor's log.
        _ = try session.manifest()
        var words = arguments.positionals
        if let local = arguments.list("local") { words += ["--local", local.joined(separator: ",")] }
        if arguments.has("no-watch") { words.append("--no-watch") }
        switch try BackgroundMesh.start(try session.project(), arguments: words, in: session) {
        case .ended(let code, let said):
            // Another `up` was first.
            if code == 0, try session.meshIfUp() != nil { return try run(arguments, in: session) }
            let log = try session.project().supervisorLog
            try session.notices.write(said.isEmpty ? "devmesh: \(Sentences.supervisorEnded(log))\n" : said)
            return code == 0 ? ExitCode.failed.rawValue : code
        case .started(let started):
            for notice in started.notices { try session.notices.line(notice) }
            if !arguments.has("wait") {
                try session.say(Sentences.isUpInBackground(started.name))
                return 0
            }
            return try wait(for: started.local, of: try session.mesh(), in: session)
        }
    }

    private static func wait(for services: [String], of mesh: RunningMesh, in session: Session) throws(CommandFailure)
        -> Int32
    {
        switch try Waiting(mesh: mesh, services: Set(services)).run() {
        case .done:
            try session.say(Sentences.isReady(mesh.record.name))
            return 0
        case .failed(let service, let reason):
            throw .failed(Sentences.notReady(service, reason))
        }
    }
}
