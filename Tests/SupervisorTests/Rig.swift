import EventLoop
import Manifest
import Platform
import Supervisor
import TestSupport

/// A supervisor with real processes, and a delegate that remembers what it was told.
///
/// Tests are chains of `when(condition) { … }`: conditions are tried after everything that happens.
final class Rig: SupervisorDelegate {
    let loop: EventLoop
    let children: Children
    let supervisor: Supervisor
    let project = "test-\(UInt64.random(in: 0 ... .max))"

    var states: [String: [ServiceState]] = [:]
    var fronts: [String: ServiceFront] = [:]
    var output: [OutputSource: String] = [:]
    var ended: [OutputSource] = []
    var notes: [String] = []
    var happenings: [(service: String, what: ServiceMachine.Happening)] = []
    var drains: [String] = []
    /// Which port an instance gets; nil: any free one.
    var nextPorts: [Int] = []

    private var conditions: [(test: () -> Bool, body: () -> Void)] = []
    private var watches: [OutputSource: (pattern: String, matched: () -> Void)] = [:]
    private var pipes: [PipeReader] = []

    init(_ loop: EventLoop) {
        ThisProcess.becomeSubreaper()
        self.loop = loop
        children = try! Children(on: loop)
        let ports = PortSource()
        let inherited = ThisProcess.environment
        supervisor = Supervisor(
            on: loop, children: children, project: project,
            environment: { service, instance, port in
                var environment = inherited
                environment["SERVICE_NAME"] = service.name
                environment["SERVICE_INSTANCE"] = "\(instance)"
                if let port { environment["PORT"] = "\(port)" }
                for variable in service.variables { environment[variable.name] = variable.value }
                return environment
            }, allocatePort: { avoiding in ports.next(avoiding) })
        portSource = ports
        ports.preferred = { [weak self] in
            guard let self, !nextPorts.isEmpty else { return nil }
            return nextPorts.removeFirst()
        }
        supervisor.delegate = self
    }

    private let portSource: PortSource

    /// Runs `body` once, as soon as `test` holds.
    func when(_ test: @escaping () -> Bool, _ body: @escaping () -> Void) {
        conditions.append((test, body))
        check()
    }

    /// Looks at the conditions on the next turn.
    func check() {
        loop.later { [self] in
            while let index = conditions.firstIndex(where: { $0.test() }) { conditions.remove(at: index).body() }
        }
    }

    /// Ends everything, and then says what the test wants to know.
    func finish(_ body: @escaping () -> Void) {
        conditions = []
        supervisor.killAll { [self] in
            supervisor.close()
            children.close()
            for pipe in pipes { pipe.close() }
            pipes = []
            conditions = []
            watches = [:]
            body()
        }
    }

    func state(_ service: String) -> ServiceState? { supervisor.status(service)?.state }
    func pid(_ service: String, _ instance: Int = 1) -> Int32? {
        supervisor.status(service)?.instances.first { $0.number == instance }?.pid
    }
    func text(_ service: String) -> String {
        output.filter { $0.key.service == service }.sorted { $0.key.generation < $1.key.generation }.map(\.value)
            .joined()
    }

    // MARK: SupervisorDelegate

    func stateChanged(_ service: String, to state: ServiceState, reason: String?) {
        if states[service]?.last != state { states[service, default: []].append(state) }
        check()
    }

    func frontChanged(_ service: String, to front: ServiceFront) {
        fronts[service] = front
        check()
    }

    func attach(_ source: OutputSource, stdout: consuming Descriptor, stderr: consuming Descriptor) {
        output[source] = ""
        for reader in [PipeReader(stdout, loop), PipeReader(stderr, loop)] {
            pipes.append(reader)
            reader.onBytes = { [weak self] text in
                guard let self else { return }
                output[source, default: ""] += text
                if let watch = watches[source], output[source]!.contains(watch.pattern) {
                    watches[source] = nil
                    watch.matched()
                }
                check()
            }
        }
    }

    func attach(_ source: OutputSource, terminal: consuming Descriptor, keyboard: consuming Descriptor) {
        fatalError("no service here has a terminal")
    }

    func terminalSize(of source: OutputSource) -> TerminalSize { .standard }

    func outputEnded(_ source: OutputSource) {
        ended.append(source)
        check()
    }

    func note(_ service: String, instance: Int?, _ line: String) {
        notes.append(line)
        check()
    }

    func watchLog(_ source: OutputSource, for regex: String, matched: @escaping () -> Void) {
        watches[source] = (regex, matched)
    }

    func cancelLogWatch(_ source: OutputSource) { watches[source] = nil }

    func drain(_ service: String, _ run: RunKey, limit: Duration, done: @escaping () -> Void) {
        drains.append("\(service).\(run.instance)")
        done()
    }

    func closeConnections(_ service: String, _ run: RunKey) {}

    func happened(_ service: String, _ happening: ServiceMachine.Happening) {
        happenings.append((service, happening))
        check()
    }
}

/// Free ports, each given once.
private final class PortSource {
    var preferred: () -> Int? = { nil }

    func next(_ avoiding: Set<Int>) -> Int? {
        if let preferred = preferred() { return preferred }
        while true {
            let probe = try! Kernel.real.listen(at: .loopback(0))
            let port = Kernel.real.localAddress(probe)!.port!
            if !avoiding.contains(port) { return port }
        }
    }
}

/// Reads a pipe as it comes.
private final class PipeReader: ReadinessHandler {
    private let loop: EventLoop
    private var descriptor: Descriptor?
    private var registration: Registration?
    var onBytes: (String) -> Void = { _ in }

    init(_ descriptor: consuming Descriptor, _ loop: EventLoop) {
        self.loop = loop
        try! loop.kernel.setNonblocking(descriptor)
        let raw = descriptor.raw
        self.descriptor = consume descriptor
        registration = try! loop.watch(raw, self)
    }

    func close() {
        registration?.cancel()
        registration = nil
        descriptor = nil
    }

    func ready(_ readiness: Readiness) {
        while descriptor != nil, let result = try? loop.kernel.read(descriptor!, into: loop.scratch) {
            switch result {
            case .bytes(let count): onBytes(String(decoding: loop.scratch[..<count], as: UTF8.self))
            case .wouldBlock:
                registration?.rearm(.readable)
                return
            case .endOfFile:
                close()
                return
            }
        }
    }
}

extension Service {
    /// A service that runs `fixture` with these verbs.
    static func fixture(
        _ verbs: [String], name: String = "reader", _ change: (inout Service) -> Void = { _ in }
    ) -> Service {
        var service = Service(name: name, directory: "/", run: .argv([fixtureProgram] + verbs))
        service.stop.timeout = .seconds(5)
        change(&service)
        return service
    }
}

/// Whether a process exists, zombies included.
func exists(_ pid: Int32) -> Bool { ProcessTable.entry(pid).map { !$0.isZombie } ?? false }
