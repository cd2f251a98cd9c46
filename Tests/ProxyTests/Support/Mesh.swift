import EventLoop
import Platform
import Synchronization

@testable import Proxy

/// A proxy on a loop of its own, driven from the test's thread.
final class Mesh {
    let thread: LoopThread
    private let box: LoopBound<Proxy>
    let delegate: Recorder

    /// Opens a front for each service, and an edge for each `caller>target`.
    init(
        _ services: [String], edges: [String] = [], kernel: Kernel = .real, backend: PollerBackend = .native,
        trust: TLSTrust = .system, user: UInt32 = ThisProcess.userID, authority: TLSAuthority.Files? = nil
    ) throws {
        let delegate = Recorder()
        self.delegate = delegate
        let made = Handoff<LoopBound<Proxy>>()
        thread = try LoopThread("proxy", kernel: kernel, backend: backend) { loop in
            let proxy = Proxy(on: loop, trust: trust, user: user, authority: authority)
            proxy.delegate = delegate
            made.give(LoopBound(proxy, loop))
        }
        box = made.take()
        var specs = services.map { FrontSpec(service: $0, port: 0) }
        for edge in edges {
            let names = edge.split(separator: ">").map(String.init)
            specs.append(FrontSpec(service: names[1], caller: names[0], port: 0))
        }
        let wanted = specs
        let failure: ProxyError? = on { proxy in
            do throws(ProxyError) {
                try proxy.open(wanted)
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
    }

    /// Runs on the loop and waits for the result.
    @discardableResult
    func on<Value: Sendable>(_ body: @escaping @Sendable (Proxy) -> Value) -> Value {
        let result = Handoff<Value>()
        let box = box
        thread.remote.post { _ in result.give(body(box.value)) }
        return result.take()
    }

    func port(_ service: String, from caller: String? = nil) -> Int {
        on { $0.port(of: service, caller: caller) } ?? 0
    }

    /// Opens an edge to containers, too.
    func containerPort(_ service: String, from caller: String, at host: String) -> Int? {
        on { proxy in
            guard let port = proxy.port(of: service, caller: caller) else { return nil }
            let spec = FrontSpec(service: service, caller: caller, port: port)
            return (try? proxy.openToContainers([spec], at: host)).map { port }
        }
    }

    func set(_ service: String, _ state: FrontState) { on { $0.set(service, state) } }

    func pass(_ service: String, _ servers: Server...) {
        let backends = servers.enumerated().map { Backend(instance: "\(service).\($0 + 1)", port: $1.port) }
        set(service, .pass(backends, whenRefused: "\(service) refuses connections."))
    }

    func hold(_ service: String, _ bound: Duration = .seconds(20)) {
        set(service, .hold(bound: bound, reason: "\(service) is starting."))
    }

    /// Starts a drain; the handoff gives the number of unfinished exchanges.
    func drain(_ service: String, _ instance: String, limit: Duration = .seconds(20)) -> Handoff<Int> {
        let result = Handoff<Int>()
        on { $0.drain(service, instance: instance, limit: limit) { result.give($0) } }
        return result
    }

    /// A client of a service's front or edge.
    func call(_ service: String, from caller: String? = nil) throws -> Peer {
        try Peer(port: port(service, from: caller))
    }

    /// Waits until the loop has done what is under way.
    func settle() { for _ in 0..<3 { on { _ in } } }

    deinit {
        on { $0.close() }
        thread.stop()
    }
}

/// A delegate that notes what it is told; used from two threads.
final class Recorder: ProxyDelegate, Sendable {
    private struct State {
        var refusals: [String: String] = [:]
        var lines: [String: [String]] = [:]
        var remotes: [String] = []
        var containers: [String: String] = [:]
    }
    private let state = Mutex(State())

    var remotes: [String] { state.withLock { $0.remotes } }
    func refuse(_ caller: String, _ target: String, _ reason: String) {
        state.withLock { $0.refusals["\(caller)>\(target)"] = reason }
    }
    func setLines(_ service: String, _ lines: [String]) { state.withLock { $0.lines[service] = lines } }

    /// The one address that a caller's container has.
    func setContainer(_ caller: String, at address: String) { state.withLock { $0.containers[caller] = address } }
    func isContainer(of caller: String, at address: String, _ done: @escaping (Bool) -> Void) {
        done(state.withLock { $0.containers[caller] == address })
    }

    func refusal(caller: String, target: String) -> String? { state.withLock { $0.refusals["\(caller)>\(target)"] } }
    func lastLines(_ service: String) -> [String] { state.withLock { $0.lines[service] ?? [] } }
    func remoteFailed(_ service: String, reason: String) {
        state.withLock { $0.remotes.append("\(service) failed: \(reason)") }
    }
    func overview() -> GatewayOverview {
        GatewayOverview(
            project: "newsroom",
            services: [
                .init(name: "reader", state: "failed", url: "http://reader.localhost:1/", reason: "<b> & \"c\"")
            ])
    }
    func remoteSucceeded(_ service: String) { state.withLock { $0.remotes.append("\(service) works") } }
}
