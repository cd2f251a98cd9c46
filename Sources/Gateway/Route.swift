import Control
import HTTP
import Platform

/// What a request to the control API asks for. Pure.
enum Route: Equatable {
    case mesh, services, ports, logs, wait, up, down
    case service(String), why(String), environment(String)
    case action(ServiceAction)
    case use(String), scale(String), watch(String)
    case route(String), changeRoute(String), faults(String), changeFaults(String)
    case terminal(String, TerminalWindow?), type(String, TerminalWindow?)
    case events(follow: Bool)

    enum Match: Equatable {
        case found(Route)
        case wrongMethod(allowed: [String])
        case unknown
        case malformed
    }

    /// HEAD is answered wherever GET is.
    static func match(_ method: HTTPMethod, _ target: String) -> Match {
        guard let target = RequestTarget(target) else { return .malformed }
        guard target.segments.first == "v1" else { return .unknown }
        let path = Array(target.segments.dropFirst())
        let read = reading(path, target)
        let change = changing(path, target)
        switch method {
        case .get, .head: if let read { return .found(read) }
        case .post: if let change { return .found(change) }
        default: break
        }
        let allowed = (read == nil ? [] : ["GET", "HEAD"]) + (change == nil ? [] : ["POST"])
        return allowed.isEmpty ? .unknown : .wrongMethod(allowed: allowed)
    }

    private static func reading(_ path: [String], _ target: RequestTarget) -> Route? {
        switch (path.count, path.first) {
        case (1, "mesh"): .mesh
        case (1, "services"): .services
        case (1, "ports"): .ports
        case (1, "logs"): .logs
        case (1, "events"):
            .events(follow: target.value("follow").map { $0 != "0" && $0 != "false" } ?? false)
        case (2, "services"): .service(path[1])
        case (3, "services"):
            switch path[2] {
            case "why": .why(path[1])
            case "env": .environment(path[1])
            case "route": .route(path[1])
            case "fault": .faults(path[1])
            case "terminal": .terminal(path[1], window(target))
            default: nil
            }
        default: nil
        }
    }

    private static func changing(_ path: [String], _ target: RequestTarget) -> Route? {
        switch (path.count, path.first) {
        case (1, "up"): .up
        case (1, "down"): .down
        case (2, "services"):
            path[1] == "wait" ? .wait : ServiceAction(rawValue: path[1]).map(Route.action)
        case (3, "services"):
            switch path[2] {
            case "use": .use(path[1])
            case "scale": .scale(path[1])
            case "watch": .watch(path[1])
            case "route": .changeRoute(path[1])
            case "fault": .changeFaults(path[1])
            case "terminal": .type(path[1], window(target))
            default: nil
            }
        default: nil
        }
    }

    /// That of whoever asks, where it says so; a size that no window has is none.
    private static func window(_ target: RequestTarget) -> TerminalWindow? {
        let columns = target.value("columns").flatMap { Int($0) } ?? 0
        let rows = target.value("rows").flatMap { Int($0) } ?? 0
        guard (1...10_000).contains(columns), (1...10_000).contains(rows) else { return nil }
        return TerminalWindow(TerminalSize(columns: columns, rows: rows), name: target.value("window") ?? "")
    }
}
