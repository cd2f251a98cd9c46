import EventLoop
import Manifest
import Platform

/// One container: `docker run` is the process that stands for it here.
struct ContainerRun {
    /// The path of docker or podman.
    let client: String
    let name: String
    let service: String
    let environment: [String: String]

    var isPodman: Bool { Path.name(client) == "podman" }

    /// A command as one that is run inside.
    func inside(_ command: Command, _ environment: [String: String]) -> Command {
        switch command.resolved({ environment[$0] }) {
        case .shell(let text): .argv([client, "exec", name, "sh", "-c", text])
        case .argv(let words): .argv([client, "exec", name] + words)
        }
    }
}

/// Runs services in containers by way of the docker or podman command, and takes the containers away: they are nobody's
/// children here, and outlive the command that has started them.
///
///     first start ─▶ docker network inspect bridge          where containers can call
///     start       ─▶ docker run --rm --label … -p 127.0.0.1:PORT:…        signals and exit are this command's
///     exit        ─▶ docker rm -f NAME                      however it came to that
///     going down  ─▶ docker ps --filter label=…, rm -f
final class Containers {
    private let loop: EventLoop
    private let trees: ProcessTrees
    private let project: String
    /// How many have been named: no two of the mesh ever share a name, whatever their services are called.
    private var count = 0
    private var preparation = Preparation.notYet
    /// The way to the daemon, of the container that was started last; nil while there is none of the mesh.
    private var last: ContainerRun?
    /// Who waits until all have been taken away.
    private var removals: [() -> Void] = []
    /// Whether containers could not be taken away.
    private(set) var areLeft = false
    private var ending = Ending.no
    /// This machine's address as containers see it.
    private var bridge: String?
    /// Who calls from them.
    private(set) lazy var callers = ContainerCallers { [unowned self] in addresses(of: $0, $1) }
    /// Told before the first is started: by which program, and with what it goes by.
    var onUse: (_ client: String, _ environment: [String: String]) -> Void = { _, _ in }
    /// Told once: where containers reach this machine.
    var onBridge: (String) -> Void = { _ in }

    /// Told once, where a daemon keeps the way down waiting: by which program it is asked, and how long at most.
    var onWait: (_ client: String, _ patience: Duration) -> Void = { _, _ in }

    /// Whether the mesh is on its way down.
    private enum Ending {
        case no, begun
        /// Somebody was told what it waits for.
        case told
        /// A daemon has let a command wait in vain: it is not waited for a second time.
        case silent
    }

    private enum Preparation {
        case notYet
        case underWay([(_ isAnswered: Bool) -> Void])
        case done
    }

    /// How long a command of a daemon that does not answer is waited for.
    var patience = Duration.seconds(10)

    init(on loop: EventLoop, trees: ProcessTrees, project: String) {
        self.loop = loop
        self.trees = trees
        self.project = project
    }

    // MARK: Starting

    /// How a service is run in a container of that name.
    func run(of service: Service, instance: Int, _ environment: [String: String]) throws(LaunchFailure) -> ContainerRun
    {
        let outside = Self.outside(environment)
        for client in Container.clients {
            guard
                let path = try? Executable.find(client, path: outside["PATH"], directory: "/", kernel: loop.kernel)
            else { continue }
            count += 1
            let name = "devmesh-\(project)-\(Self.plain(service.name)).\(instance)-\(count)"
            return ContainerRun(
                client: path, name: name, service: UnitName.service(of: service.name), environment: outside)
        }
        throw LaunchFailure(
            sentence:
                "\(service.name) can't be started: there is no program docker or podman on the PATH; install one, or "
                + "give it a `run` command in place of `container`")
    }

    /// The command that runs it. Values of variables go by its environment, where only the user can read them.
    func request(
        _ run: ContainerRun, _ service: Service, _ container: Container, instance: String, port: Int?,
        _ environment: [String: String]
    ) -> SpawnRequest {
        var words = [Path.name(run.client), "run", "--rm", "--init", "--name", run.name]
        let resolved = { (words: [String]) in words.map { Injected.resolve($0) { environment[$0] } } }
        for label in [
            Container.label(ofProject: project), "devmesh.service=\(run.service)", "devmesh.instance=\(instance)",
        ] {
            words += ["--label", label]
        }
        if let memory = service.limits.memory { words += ["--memory", "\(memory)"] }
        if let count = service.limits.cpu { words += ["--cpus", "\(count)"] }
        if service.hasTerminal { words += ["-i", "-t"] }
        if let directory = container.directory { words += ["-w", directory] }
        if let user = container.user { words += ["-u", user] }
        if let port { words += ["-p", "127.0.0.1:\(port):\(container.port ?? port)"] }
        var given = run.environment
        // This machine's loopback is out of reach from inside.
        let injected = environment.filter { name, value in
            Injected.isReserved(name) && (port != nil || name != "PORT") && !value.hasPrefix("127.0.0.1:")
        }.keys
        for name in Set(container.variables + injected).sorted() {
            guard let value = environment[name] else { continue }
            if Container.isClients(name) {
                // The command itself goes by what it finds there.
                words += ["-e", "\(name)=\(value)"]
            } else {
                given[name] = value
                words += ["-e", name]
            }
        }
        for volume in container.volumes { words += ["-v", volume] }
        let (entrypoint, command) = (resolved(container.entrypoint), resolved(container.command))
        if let program = entrypoint.first { words += ["--entrypoint", program] }
        words.append(container.image)
        words += entrypoint.dropFirst() + command
        return SpawnRequest(path: run.client, arguments: words, environment: given, directory: "/")
    }

    /// The same with this machine's name and address for whoever is inside; once the container was prepared for.
    func reachingHost(_ request: SpawnRequest, _ run: ContainerRun) -> SpawnRequest {
        // Many a podman doesn't know docker's word for that address.
        guard let address = run.isPodman ? bridge : "host-gateway" else { return request }
        var request = request
        request.arguments.insert("--add-host=\(Container.hostName):\(address)", at: 2)
        return request
    }

    /// Calls `body` once it is known where containers can call: at once, as soon as a daemon has answered. Until one does,
    /// each start asks anew.
    func prepare(for run: ContainerRun, _ body: @escaping (_ isAnswered: Bool) -> Void) {
        if last == nil { onUse(run.client, run.environment.filter { Container.isClients($0.key) }) }
        last = run
        switch preparation {
        case .done: body(true)
        case .underWay(let waiting): preparation = .underWay(waiting + [body])
        case .notYet:
            preparation = .underWay([body])
            let format =
                run.isPodman
                ? "{{(index .Subnets 0).Gateway}}"
                : "{{with (index .IPAM.Config 0)}}{{.Gateway}} {{.Subnet}}{{end}}"
            ask(run, ["network", "inspect", run.isPodman ? "podman" : "bridge", "--format", format]) { [self] answer in
                bridge = answer?.first.flatMap(Self.gateway) ?? bridge
                if let bridge { onBridge(bridge) }
                guard case .underWay(let waiting) = preparation else { return }
                preparation = answer == nil ? .notYet : .done
                for body in waiting { body(answer != nil) }
            }
        }
    }

    /// The bridge's own address: what docker tells of it, or the first one of its subnet, as long as a daemon that has just
    /// made the bridge tells no more than that.
    static func gateway(_ word: String) -> String? {
        guard let slash = word.firstIndex(of: "/") else { return word }
        let numbers = word[..<slash].split(separator: ".")
        guard numbers.count == 4, let last = Int(numbers[3]) else { return nil }
        return numbers[..<3].joined(separator: ".") + ".\(last + 1)"
    }

    func isRunning(_ run: ContainerRun, _ done: @escaping (Bool) -> Void) {
        ask(run, ["inspect", "--format", "{{.State.Running}}", run.name]) { done($0 == ["true"]) }
    }

    // MARK: Taking away

    /// Whether there may be containers of the mesh.
    var mayBeLeft: Bool { last != nil }

    /// From now on they are taken away for good.
    func beginToEnd() { if ending == .no { ending = .begun } }

    func remove(_ run: ContainerRun, _ done: @escaping () -> Void) {
        callers.removing(from: run.service)
        takeAway([run.client, "rm", "-f", run.name], run) { _ in done() }
    }

    /// Takes all of the mesh away; where that fails, `areLeft` says so afterwards.
    func removeAll(_ done: @escaping () -> Void) {
        guard let run = last else { return done() }
        removals.append(done)
        guard removals.count == 1 else { return }
        takeAway(Container.removal(ofProject: project, client: run.client), run) { [self] answer in
            areLeft = answer == nil
            last = nil
            let waiting = removals
            removals = []
            for done in waiting { done() }
        }
    }

    private func takeAway(_ words: [String], _ run: ContainerRun, _ done: @escaping ([String]?) -> Void) {
        if ending == .silent { return done(nil) }
        let moment = loop.after(patience / 5) { [self] in
            guard ending == .begun else { return }
            ending = .told
            onWait(Path.name(run.client), patience)
        }
        execute(words, run) { answer in
            moment.cancel()
            done(answer)
        }
    }

    /// The addresses that a service's containers have now.
    private func addresses(of service: String, _ done: @escaping (Set<String>) -> Void) {
        guard let run = last else { return loop.later { done([]) } }
        let project = "label=" + Container.label(ofProject: project)
        let filters = ["--filter", project, "--filter", "label=devmesh.service=\(service)"]
        ask(run, ["ps", "-q"] + filters) { [self] names in
            guard let names, !names.isEmpty else { return done([]) }
            let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
            ask(run, ["inspect", "--format", format] + names) { done(Set($0 ?? [])) }
        }
    }

    // MARK: The command

    /// Runs it to its end; `done` gets the words that it printed, nil where it failed or did not answer.
    private func ask(_ run: ContainerRun, _ words: [String], _ done: @escaping ([String]?) -> Void) {
        execute([run.client] + words, run, done)
    }

    private func execute(_ words: [String], _ run: ContainerRun, _ done: @escaping ([String]?) -> Void) {
        let request = SpawnRequest(
            path: words[0], arguments: words, environment: run.environment, directory: "/")
        let kernel = loop.kernel
        trees.spawn(request, marker: project + "/containers", pipes: true) { [self] result in
            guard case .success(let (process, pipes)) = result else { return done(nil) }
            let limit = loop.after(patience) { [self] in
                if ending != .no { ending = .silent }
                trees.kill(process)
            }
            process.onExit = { [trees] status, others in
                limit.cancel()
                var answer: [String]?
                // Short enough to have found room in the pipe.
                if status.isSuccess, let ends = pipes?.take() {
                    try? kernel.setNonblocking(ends.output)
                    let bytes = (try? kernel.readToEnd(ends.output)) ?? []
                    answer = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).map(
                        String.init)
                }
                if others == 0 { return done(answer) }
                trees.kill(process)
                process.onGone = { done(answer) }
            }
        }
    }

    /// The environment of the command, whatever the manifest sets for what runs inside.
    private static func outside(_ environment: [String: String]) -> [String: String] {
        environment.filter { !Injected.isReserved($0.key) && !Container.isClients($0.key) }
            .merging(ThisProcess.environment.filter { Container.isClients($0.key) }) { $1 }
    }

    /// As a container may be called.
    private static func plain(_ name: String) -> String {
        String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) ? $0 : "-" })
    }
}
