import Control
import Platform

/// Takes an operation's outcome, once.
public typealias ControlDone<Answer> = (Result<Answer, ControlFailure>) -> Void

/// The mesh as the control API sees it: one method an operation. Everything is called, and answers, on the loop.
///
/// Each `done` is called exactly once, at once or later. A refusal is a `ControlFailure`, whose message says what, why
/// and what to do next; a service that fails to start is no refusal but a result with `ok` false. A name that the
/// mesh doesn't know is refused with 404, `unknown-service`.
public protocol ControlBackend: AnyObject {
    typealias Done<Answer> = ControlDone<Answer>

    /// What happened lately, and to whom new events go.
    var events: EventLog { get }

    func mesh(_ call: ControlCall, done: @escaping Done<MeshInfo>)
    func services(_ call: ControlCall, done: @escaping Done<[ServiceStatus]>)
    func service(_ name: String, _ call: ControlCall, done: @escaping Done<ServiceStatus>)
    func why(_ name: String, _ call: ControlCall, done: @escaping Done<ServiceWhy>)
    func environment(of name: String, _ call: ControlCall, done: @escaping Done<ServiceEnvironment>)
    func ports(_ call: ControlCall, done: @escaping Done<[PortEntry]>)
    /// Answers once what programs have written before is stored.
    func logs(_ call: ControlCall, done: @escaping Done<StoredLogs>)

    func perform(
        _ action: ServiceAction, _ request: ActionRequest, _ call: ControlCall, done: @escaping Done<ActionReport>)
    func use(_ name: String, _ request: UseRequest, _ call: ControlCall, done: @escaping Done<ActionResult>)
    func scale(_ name: String, _ request: ScaleRequest, _ call: ControlCall, done: @escaping Done<ActionResult>)
    func watch(_ name: String, _ request: WatchSwitch, _ call: ControlCall, done: @escaping Done<ActionResult>)
    func route(of name: String, _ call: ControlCall, done: @escaping Done<RouteStatus>)
    func changeRoute(of name: String, _ change: RouteChange, _ call: ControlCall, done: @escaping Done<ActionResult>)
    func faults(of name: String, _ call: ControlCall, done: @escaping Done<[FaultRule]>)
    func changeFaults(of name: String, _ change: FaultChange, _ call: ControlCall, done: @escaping Done<ActionResult>)
    /// Shows the terminal of `name`, a service or one of its instances (`reader.2`), from now on.
    /// - Parameter window: the viewer's, whose size the terminal takes on.
    func attach(to name: String, _ window: TerminalWindow?, _ viewer: any TerminalViewer) throws(ControlFailure)
        -> TerminalAttachment
    /// Types into that terminal; the answer's `service` names the instance, and comes when there is room for more.
    /// - Parameter window: a viewer's, whose size is another one now.
    func type(
        _ bytes: [UInt8], into name: String, _ window: TerminalWindow?, _ call: ControlCall,
        done: @escaping Done<ActionResult>)
    func wait(_ request: WaitRequest, _ call: ControlCall, done: @escaping Done<WaitReport>)
    func up(_ request: UpRequest, _ call: ControlCall, done: @escaping Done<UpReport>)
    /// Answers once every process is gone. The process should then call `ControlServer.finish` and exit.
    func down(_ call: ControlCall, done: @escaping Done<DownReport>)
}

/// One request on its way through the backend.
///
/// An operation that was begun goes on when its client leaves; what only waits (`wait`) sets `onCancel` to forget it.
public final class ControlCall {
    /// The client's `X-Request-Id`, or one made for it. For logs.
    public let requestID: String
    /// Whether the client has gone; an answer then goes nowhere.
    public private(set) var isCancelled = false
    /// Is called once if the client goes before the answer.
    public var onCancel: (() -> Void)?

    public init(requestID: String) {
        self.requestID = requestID
    }

    /// Tells the backend that nobody waits any more.
    public func cancel() {
        guard !isCancelled else { return }
        isCancelled = true
        let told = onCancel
        onCancel = nil
        told?()
    }

    /// Forgets the backend's interest once it has answered.
    func finish() {
        onCancel = nil
    }
}
