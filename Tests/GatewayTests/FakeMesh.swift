import Control
import EventLoop
import Gateway
import JSON
import Platform
import TestSupport

extension ControlFailure {
    static func unknownService(_ name: String) -> ControlFailure {
        ControlFailure(status: 404, code: "unknown-service", message: "There is no service \(name).")
    }
}

/// A backend that answers from what it was told, and keeps what is to be answered later. Lives on the test's loop.
final class FakeBackend: ControlBackend {
    let events = EventLog()
    /// One line for each call.
    var calls: [String] = []
    /// Answers of `wait` that are still owed, in the order asked.
    var waiting: [ControlDone<WaitReport>] = []
    /// Who attached last.
    var viewer: (any TerminalViewer)?
    let waitBegan: Handoff<Bool>
    let waitCancelled: Handoff<String>

    init(waitBegan: Handoff<Bool>, waitCancelled: Handoff<String>) {
        self.waitBegan = waitBegan
        self.waitCancelled = waitCancelled
    }

    static let reader = ServiceStatus(
        service: "reader", state: "ready", target: "local", address: "127.0.0.1:20001", url: "http://127.0.0.1:20001",
        reason: nil, instances: [])

    private func known<T>(_ name: String, _ value: T) -> Result<T, ControlFailure> {
        name == "reader" ? .success(value) : .failure(.unknownService(name))
    }

    func mesh(_ call: ControlCall, done: @escaping Done<MeshInfo>) {
        calls.append("mesh \(call.requestID)")
        done(
            .success(
                MeshInfo(
                    name: "newsroom", project: "/p", manifest: "/p/services.json", pid: 7, startedAt: "t",
                    version: "0.1", gateway: 20000, socket: "/s")))
    }

    func services(_ call: ControlCall, done: @escaping Done<[ServiceStatus]>) { done(.success([Self.reader])) }

    func service(_ name: String, _ call: ControlCall, done: @escaping Done<ServiceStatus>) {
        done(known(name, Self.reader))
    }

    func why(_ name: String, _ call: ControlCall, done: @escaping Done<ServiceWhy>) {
        done(known(name, ServiceWhy(service: name, state: "ready", reason: nil, details: ["d"], lastLines: ["l"])))
    }

    func environment(of name: String, _ call: ControlCall, done: @escaping Done<ServiceEnvironment>) {
        done(known(name, ServiceEnvironment(env: ["PORT": "10000"], directory: "/p/reader")))
    }

    func ports(_ call: ControlCall, done: @escaping Done<[PortEntry]>) {
        done(.success([PortEntry(service: "reader", port: 20001, url: nil, edge: nil, kind: .front)]))
    }

    func logs(_ call: ControlCall, done: @escaping Done<StoredLogs>) {
        done(.success(StoredLogs(folder: "/p/.devmesh/logs")))
    }

    func perform(
        _ action: ServiceAction, _ request: ActionRequest, _ call: ControlCall, done: @escaping Done<ActionReport>
    ) {
        calls.append("\(action) \(request.services) \(request.wait)")
        done(.success(ActionReport(results: request.services.map { ActionResult(service: $0, ok: $0 == "reader") })))
    }

    func use(_ name: String, _ request: UseRequest, _ call: ControlCall, done: @escaping Done<ActionResult>) {
        calls.append("use \(name) \(request)")
        done(known(name, ActionResult(service: name, ok: true)))
    }

    func scale(_ name: String, _ request: ScaleRequest, _ call: ControlCall, done: @escaping Done<ActionResult>) {
        calls.append("scale \(name) \(request.instances)")
        done(known(name, ActionResult(service: name, ok: true)))
    }

    func watch(_ name: String, _ request: WatchSwitch, _ call: ControlCall, done: @escaping Done<ActionResult>) {
        calls.append("watch \(name) \(request.isOn)")
        done(known(name, ActionResult(service: name, ok: true)))
    }

    func route(of name: String, _ call: ControlCall, done: @escaping Done<RouteStatus>) {
        let rules = RouteRules(weights: [.init("local", 9), .init("next", 1)])
        done(known(name, RouteStatus(service: name, target: "local", source: .manifest, rules: rules)))
    }

    func changeRoute(of name: String, _ change: RouteChange, _ call: ControlCall, done: @escaping Done<ActionResult>) {
        calls.append("route \(name) \(change.json.serialized())")
        done(known(name, ActionResult(service: name, ok: true)))
    }

    func faults(of name: String, _ call: ControlCall, done: @escaping Done<[FaultRule]>) {
        done(known(name, [FaultRule(delay: 200)]))
    }

    func changeFaults(of name: String, _ change: FaultChange, _ call: ControlCall, done: @escaping Done<ActionResult>) {
        calls.append("fault \(name) \(change.json.serialized())")
        done(known(name, ActionResult(service: name, ok: true)))
    }

    func attach(to name: String, _ window: TerminalWindow?, _ viewer: any TerminalViewer) throws(ControlFailure)
        -> TerminalAttachment
    {
        guard name == "reader" else { throw .unknownService(name) }
        calls.append("attach \(name) \(window.map { "\($0.size.columns)x\($0.size.rows) \($0.name)" } ?? "-")")
        self.viewer = viewer
        return TerminalAttachment(
            redraw: { [unowned self] in calls.append("redraw") }, detach: { [unowned self] in calls.append("detach") })
    }

    func type(
        _ bytes: [UInt8], into name: String, _ window: TerminalWindow?, _ call: ControlCall,
        done: @escaping Done<ActionResult>
    ) {
        calls.append("type \(bytes)")
        done(known(name, ActionResult(service: name + ".1", ok: true)))
    }

    func wait(_ request: WaitRequest, _ call: ControlCall, done: @escaping Done<WaitReport>) {
        calls.append("wait \(request.services)")
        waiting.append(done)
        call.onCancel = { [waitCancelled] in waitCancelled.give(call.requestID) }
        waitBegan.give(true)
    }

    func up(_ request: UpRequest, _ call: ControlCall, done: @escaping Done<UpReport>) {
        calls.append("up \(request.services ?? []) \(request.env)")
        done(.success(UpReport(started: ["reader"])))
    }

    func down(_ call: ControlCall, done: @escaping Done<DownReport>) { done(.success(DownReport(stopped: 1))) }
}

/// A control server with a fake backend, on a loop and a socket of its own.
final class FakeMesh: Sendable {
    struct Parts {
        let backend: FakeBackend
        let server: ControlServer
    }

    let socket: String
    let waitBegan = Handoff<Bool>()
    let waitCancelled = Handoff<String>()
    private let folder = TemporaryFolder()
    private let thread: LoopThread
    private let parts: LoopBound<Parts>

    init(
        at path: String? = nil, owner: UInt32 = ThisProcess.userID, connectionLimit: Int = 512, kernel: Kernel = .real
    ) throws {
        let path = path ?? folder.path + "/control.sock"
        let (began, cancelled) = (waitBegan, waitCancelled)
        let made = Handoff<Result<LoopBound<Parts>, GatewayError>>()
        thread = try LoopThread("control", kernel: kernel) { loop in
            do throws(GatewayError) {
                let backend = FakeBackend(waitBegan: began, waitCancelled: cancelled)
                let server = try ControlServer(
                    at: path, backend: backend, on: loop, owner: owner, connectionLimit: connectionLimit)
                made.give(.success(LoopBound(Parts(backend: backend, server: server), loop)))
            } catch { made.give(.failure(error)) }
        }
        parts = try made.take().get()
        socket = path
    }

    /// Runs `body` on the loop and waits for what it returns.
    @discardableResult
    func onLoop<T: Sendable>(_ body: @escaping @Sendable (Parts) -> T) -> T {
        let result = Handoff<T>()
        let parts = parts
        thread.remote.post { _ in result.give(body(parts.value)) }
        return result.take()
    }

    /// Waits, turn by turn of the loop, until `condition` holds; false if it never did.
    func reaches(_ condition: @escaping @Sendable (Parts) -> Bool) -> Bool {
        let deadline = Instant.now + patience(.seconds(20))
        while Instant.now < deadline {
            if onLoop(condition) { return true }
        }
        return false
    }

    func close() {
        onLoop { $0.server.close() }
        thread.stop()
    }

    var client: ControlClient { ControlClient(socket: socket) }
}

/// A client that says exactly what it is told to.
final class RawClient {
    private var descriptor: Descriptor?

    init(_ path: String) throws {
        let socket = try Kernel.real.socket(for: .unix(path))
        _ = try Kernel.real.connect(socket, to: .unix(path))
        try Kernel.real.setNonblocking(socket, false)
        descriptor = consume socket
    }

    /// By send(2), which raises no SIGPIPE.
    func send(_ text: String) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let result = try rest.span.bytes.withUnsafeBytes { try Kernel.real.send(descriptor!, $0) }
            if case .bytes(let count) = result { rest = rest.dropFirst(count) }
        }
    }

    func endInput() { Kernel.real.shutdownWrite(descriptor!) }
    func close() { descriptor = nil }

    /// Reads until what has come contains `mark`, or to the end.
    func read(until mark: String? = nil) throws -> String {
        var text: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            if let mark, String(decoding: text, as: UTF8.self).contains(mark) { break }
            guard case .bytes(let count) = try Kernel.real.read(descriptor!, into: buffer) else { break }
            text += buffer[..<count]
        }
        return String(decoding: text, as: UTF8.self)
    }
}
