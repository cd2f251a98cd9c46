import HTTP
import JSON
import Platform

// A method for each operation of the API. What only looks is answered at once or not at all; what acts takes its time.
extension ControlClient {
    public func mesh() throws(ControlError) -> MeshInfo {
        try decode(send("GET", "/v1/mesh", patience: patience))
    }

    public func services() throws(ControlError) -> [ServiceStatus] {
        try decodeList(send("GET", "/v1/services", patience: patience))
    }

    public func service(_ name: String) throws(ControlError) -> ServiceStatus {
        try decode(send("GET", path(name), patience: patience))
    }

    public func why(_ name: String) throws(ControlError) -> ServiceWhy {
        try decode(send("GET", path(name, "why"), patience: patience))
    }

    public func environment(of name: String) throws(ControlError) -> ServiceEnvironment {
        try decode(send("GET", path(name, "env"), patience: patience))
    }

    public func ports() throws(ControlError) -> [PortEntry] {
        try decodeList(send("GET", "/v1/ports", patience: patience))
    }

    /// Returns once what programs have written before is stored. Who reads the logs needs no mesh, so a busy one is not
    /// waited for long.
    public func logs() throws(ControlError) -> StoredLogs {
        try decode(send("GET", "/v1/logs", patience: min(patience, .seconds(2))))
    }

    public func perform(_ action: ServiceAction, _ request: ActionRequest) throws(ControlError) -> ActionReport {
        try decode(send("POST", "/v1/services/\(action.rawValue)", request.json, patience: nil))
    }

    public func use(_ name: String, _ request: UseRequest) throws(ControlError) -> ActionResult {
        try decode(send("POST", path(name, "use"), request.json, patience: nil))
    }

    public func scale(_ name: String, _ request: ScaleRequest) throws(ControlError) -> ActionResult {
        try decode(send("POST", path(name, "scale"), request.json, patience: nil))
    }

    public func watch(_ name: String, _ request: WatchSwitch) throws(ControlError) -> ActionResult {
        try decode(send("POST", path(name, "watch"), request.json, patience: patience))
    }

    public func route(of name: String) throws(ControlError) -> RouteStatus {
        try decode(send("GET", path(name, "route"), patience: patience))
    }

    public func changeRoute(of name: String, _ change: RouteChange) throws(ControlError) -> ActionResult {
        try decode(send("POST", path(name, "route"), change.json, patience: nil))
    }

    public func faults(of name: String) throws(ControlError) -> [FaultRule] {
        try decodeList(send("GET", path(name, "fault"), patience: patience))
    }

    public func changeFaults(of name: String, _ change: FaultChange) throws(ControlError) -> ActionResult {
        try decode(send("POST", path(name, "fault"), change.json, patience: nil))
    }

    public func wait(_ request: WaitRequest) throws(ControlError) -> WaitReport {
        try decode(send("POST", "/v1/services/wait", request.json, patience: nil))
    }

    public func up(_ request: UpRequest) throws(ControlError) -> UpReport {
        try decode(send("POST", "/v1/up", request.json, patience: nil))
    }

    public func down() throws(ControlError) -> DownReport {
        try decode(send("POST", "/v1/down", [:], patience: nil))
    }

    /// Types into the terminal of a service or one of its instances (`reader.2`), and tells it of another size of the
    /// window. Returns when there is room for more: a program reads when it likes.
    public func type(_ bytes: [UInt8], into name: String, _ window: TerminalWindow?) throws(ControlError)
        -> ActionResult
    {
        let body = (type: "application/octet-stream", bytes: bytes)
        return try decode(send("POST", terminal(name, window), body, patience: bytes.isEmpty ? patience : nil))
    }

    /// Hands on what that terminal shows, from now until the mesh is down or `onBytes` returns false.
    public func watchTerminal(of name: String, _ window: TerminalWindow?, onBytes: ([UInt8]) -> Bool)
        throws(ControlError)
    {
        try stream(terminal(name, window)) { bytes throws(ControlError) in onBytes(bytes) }
    }

    private func terminal(_ name: String, _ window: TerminalWindow?) -> String {
        let query = window.map { "?columns=\($0.size.columns)&rows=\($0.size.rows)&window=\(percentEncoded($0.name))" }
        return path(name, "terminal") + (query ?? "")
    }

    /// Tells the recent events, then with `follow` each new one, until the mesh is down or `onEvent` returns false.
    public func events(follow: Bool, onEvent: (MeshEvent) -> Bool) throws(ControlError) {
        try stream("/v1/events" + (follow ? "?follow=1" : "")) { line throws(ControlError) in
            onEvent(try decode(line))
        }
    }

    private func path(_ name: String, _ facet: String? = nil) -> String {
        "/v1/services/" + percentEncoded(name) + (facet.map { "/" + $0 } ?? "")
    }

    private func decode<T: WireType>(_ json: JSON) throws(ControlError) -> T {
        do throws(WireProblem) {
            return try T(json: json)
        } catch {
            throw .broken("the answer is not what was expected: \(error.reason)")
        }
    }

    private func decodeList<T: WireType>(_ json: JSON) throws(ControlError) -> [T] {
        do throws(WireProblem) {
            return try T.list(json)
        } catch {
            throw .broken("the answer is not what was expected: \(error.reason)")
        }
    }
}
