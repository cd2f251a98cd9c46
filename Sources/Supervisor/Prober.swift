import EventLoop
import Manifest
import Platform

/// Asks one process over and over whether it is ready and, later, whether it still is. Attempts never overlap.
final class Prober {
    enum Verdict: Equatable {
        /// `host` is where it listens, if that was seen.
        case passed(host: String?)
        case failed(reason: String)
    }

    /// What is probed.
    struct Subject {
        let service: Service
        let process: ManagedProcess
        let port: Int?
        let environment: [String: String]
        /// What it runs in: its socket is another's in the kernel's table.
        var container: ContainerRun?
        /// Asks whether the container runs.
        var confirm: ((@escaping (Bool) -> Void) -> Void)?
    }

    private let subject: Subject
    private let loop: EventLoop
    private let trees: ProcessTrees
    private let listeners: ListenerWatch
    private let onVerdict: (Verdict) -> Void
    private var timer: Timer?
    private var http: HTTPProbe?
    private var command: CommandProbe?
    private var host: String?
    private var isLive = false
    private(set) var hasPassed = false
    /// Whether its container has been seen to run.
    private var isConfirmed = false
    private var began = Instant.now
    private var lastReason: String?

    init(
        _ subject: Subject, on loop: EventLoop, trees: ProcessTrees, listeners: ListenerWatch,
        onVerdict: @escaping (Verdict) -> Void
    ) {
        self.subject = subject
        self.loop = loop
        self.trees = trees
        self.listeners = listeners
        // Where a container's port is published.
        if subject.container != nil { host = "127.0.0.1" }
        self.onVerdict = onVerdict
    }

    /// Within one machine nobody needs as long to find that nobody listens.
    private static let quietTime = Duration.milliseconds(100)

    /// Whether a timer of it runs.
    var isWaiting: Bool { timer?.isPending ?? false }

    func stop() {
        timer?.cancel()
        http?.cancel()
        command?.cancel()
        listeners.cancel(subject.process)
    }

    /// Until it passes, once.
    func probeReady() {
        began = .now
        switch subject.service.ready.kind {
        case .tcp, .http:
            guard let port = subject.port, subject.container == nil else { return attempt() }
            listeners.wait(for: subject.process, on: port, interval: subject.service.ready.interval) {
                [weak self] in self?.sighted($0, port)
            }
        case .command: attempt()
        // Whoever reads its output says so.
        case .log: break
        }
    }

    /// At each interval, until `stop`.
    func probeLive() {
        isLive = true
        again()
    }

    /// Someone else has seen that it is ready.
    func confirm() {
        guard !isLive, !hasPassed else { return }
        judged(.success(()))
    }

    private func sighted(_ sighting: Sighting, _ port: Int) {
        switch sighting {
        case .listening(let host):
            self.host = host
            attempt()
        case .stranger:
            let owner = SocketTable.holder(ofPort: port).map(\.inWords) ?? "someone else"
            report(.failed(reason: "port \(port) is held by \(owner), not by its own program"))
        case .nobody: report(.failed(reason: "nothing listens on port \(port) any more"))
        case .unknown:
            listeners.cancel(subject.process)
            attempt()
        }
    }

    private func attempt() {
        let kind = isLive ? subject.service.live?.kind ?? .tcp : subject.service.ready.kind
        switch kind {
        case .tcp where subject.container != nil: get(nil)
        case .tcp: isLive ? lookAgain() : host == nil ? get(nil) : judged(.success(()))
        case .http(let path): get(path)
        case .command(let text): run(text)
        case .log: break
        }
    }

    private func lookAgain() {
        guard let port = subject.port else { return judged(.success(())) }
        switch listeners.look(for: subject.process, on: port) {
        case .listening(let host):
            self.host = host
            judged(.success(()))
        case .stranger, .nobody: judged(.failure(LaunchFailure(sentence: "nothing of it listens on port \(port)")))
        case .unknown: get(nil)
        }
    }

    private func get(_ path: String?, orElse other: String? = "::1") {
        guard let port = subject.port else { return }
        if let confirm = subject.confirm, !isConfirmed {
            // Before, its network takes connections and keeps them open for a second, though nobody is there (ARP).
            return confirm { [weak self] in self?.confirmed($0, path) }
        }
        let target = host ?? (other == nil ? "::1" : "127.0.0.1")
        let quiet = subject.container.map { _ in Self.quietTime }
        http = HTTPProbe(target, port, path: path, quiet: quiet, limit: max(interval, .seconds(1)), on: loop) {
            [weak self] result in
            guard let self else { return }
            if case .failure = result, host == nil, other != nil { return get(path, orElse: nil) }
            if case .success = result { host = target }
            judged(result)
        }
    }

    private func confirmed(_ isRunning: Bool, _ path: String?) {
        isConfirmed = isRunning
        if isRunning { get(path) } else { judged(.failure(LaunchFailure(sentence: "its container does not run yet"))) }
    }

    private func run(_ text: Command) {
        var (service, environment) = (subject.service, subject.environment)
        if let container = subject.container {
            service.directory = "/"
            environment = container.environment
        }
        command = CommandProbe(
            subject.container?.inside(text, subject.environment) ?? text, of: service,
            environment: environment, marker: subject.process.marker + "?",
            limit: max(interval, .seconds(10)), on: loop, trees: trees
        ) { [weak self] in self?.judged($0) }
    }

    private func judged(_ result: Result<Void, LaunchFailure>) {
        http = nil
        command = nil
        switch result {
        case .success:
            // Where it listens, for the front: a command can't tell.
            if host == nil, let port = subject.port,
                case .listening(let found) = listeners.look(for: subject.process, on: port)
            {
                host = found
            }
            lastReason = nil
            hasPassed = true
            if isLive { again() }
            onVerdict(.passed(host: host))
        case .failure(let failure):
            again()
            report(.failed(reason: failure.sentence))
        }
    }

    /// Each failure counts once ready; before, only what is new is worth telling.
    private func report(_ verdict: Verdict) {
        if case .failed(let reason) = verdict, !isLive {
            guard reason != lastReason else { return }
            lastReason = reason
        }
        onVerdict(verdict)
    }

    private func again() {
        let delay = isLive ? interval : min(max((.now - began) / 8, .milliseconds(10)), interval)
        timer = loop.after(delay) { [weak self] in self?.attempt() }
    }

    private var interval: Duration {
        isLive ? subject.service.live?.interval ?? .seconds(5) : subject.service.ready.interval
    }
}

extension PortHolder {
    /// `nginx (pid 7)`, or the user where another's processes can't be seen.
    var inWords: String {
        guard let pid else { return "a process of the user with id \(user)" }
        return "\(program ?? "a process") (pid \(pid))"
    }
}
