import Control
import HTTP
import JSON

/// Maps requests of the control API to the backend, and its answers to responses.
final class ControlHandler: HTTPHandler {
    private weak var backend: (any ControlBackend)?

    init(_ backend: any ControlBackend) {
        self.backend = backend
    }

    func handle(_ exchange: HTTPExchange) {
        guard let backend else {
            return refuse(exchange, ControlFailure(status: 503, code: "closing", message: "The mesh is closing."))
        }
        let target = exchange.request.target
        switch Route.match(exchange.method, target) {
        case .found(let route):
            do throws(ControlFailure) {
                try dispatch(route, exchange, backend)
            } catch {
                refuse(exchange, error)
            }
        case .wrongMethod(let allowed):
            let methods = allowed.joined(separator: ", ")
            let failure = ControlFailure(
                status: 405, code: "wrong-method",
                message: "\(target) doesn't answer to \(exchange.request.method); use \(methods).")
            refuse(exchange, failure, headers: ["Allow": methods])
        case .unknown:
            let message = "Nothing answers at \(target). Begin with /v1/mesh, /v1/services or /v1/ports."
            refuse(exchange, ControlFailure(status: 404, code: "unknown-path", message: message))
        case .malformed:
            refuse(exchange, .badRequest("The path \(target) has a malformed percent-escape."))
        }
    }

    func body(for problem: HTTPProblem) -> [UInt8] {
        let message =
            problem.status == 403 || problem.status == 503
            ? "The connection was refused: \(problem.reason)."
            : "The request can't be read: \(problem.reason). Send plain HTTP/1.1, as curl does."
        return document(ControlFailure(status: problem.status, code: "refused", message: message).json)
    }

    private func dispatch(_ route: Route, _ exchange: HTTPExchange, _ backend: any ControlBackend)
        throws(ControlFailure)
    {
        let call = ControlCall(requestID: exchange.requestID)
        exchange.onCancel = { call.cancel() }
        switch route {
        case .mesh: backend.mesh(call, done: answer(exchange, call))
        case .services: backend.services(call, done: answerList(exchange, call))
        case .ports: backend.ports(call, done: answerList(exchange, call))
        case .logs: backend.logs(call, done: answer(exchange, call))
        case .service(let name): backend.service(name, call, done: answer(exchange, call))
        case .why(let name): backend.why(name, call, done: answer(exchange, call))
        case .environment(let name): backend.environment(of: name, call, done: answer(exchange, call))
        case .action(let action):
            backend.perform(action, try body(exchange), call, done: answer(exchange, call))
        case .use(let name): backend.use(name, try body(exchange), call, done: answer(exchange, call))
        case .scale(let name): backend.scale(name, try body(exchange), call, done: answer(exchange, call))
        case .watch(let name): backend.watch(name, try body(exchange), call, done: answer(exchange, call))
        case .route(let name): backend.route(of: name, call, done: answer(exchange, call))
        case .changeRoute(let name):
            backend.changeRoute(of: name, try body(exchange), call, done: answer(exchange, call))
        case .faults(let name): backend.faults(of: name, call, done: answerList(exchange, call))
        case .changeFaults(let name):
            backend.changeFaults(of: name, try body(exchange), call, done: answer(exchange, call))
        case .terminal(let name, let window): try TerminalStream.begin(exchange, backend, of: name, window)
        case .type(let name, let window):
            backend.type(exchange.request.body, into: name, window, call, done: answer(exchange, call))
        case .wait: backend.wait(try body(exchange), call, done: answer(exchange, call))
        case .up: backend.up(try body(exchange), call, done: answer(exchange, call))
        case .down: backend.down(call, done: answer(exchange, call))
        case .events(let follow): EventStream.begin(exchange, backend.events, follow: follow)
        }
    }

    /// Reads the request's body; an empty one counts as `{}`.
    private func body<T: WireType>(_ exchange: HTTPExchange) throws(ControlFailure) -> T {
        var json: JSON = [:]
        if !exchange.request.body.isEmpty {
            do throws(JSONError) {
                json = try JSON(parsing: exchange.request.body)
            } catch {
                throw .badRequest("The body is not JSON: \(error)")
            }
        }
        do throws(WireProblem) {
            return try T(json: json)
        } catch {
            throw .badRequest("The body is not what \(exchange.request.target) takes: \(error.reason).")
        }
    }

    private func answer<T: WireType>(_ exchange: HTTPExchange, _ call: ControlCall) -> ControlDone<T> {
        { self.respond(exchange, call, $0.map(\.json)) }
    }

    private func answerList<T: WireType>(_ exchange: HTTPExchange, _ call: ControlCall) -> ControlDone<[T]> {
        { self.respond(exchange, call, $0.map { JSON.array($0.map(\.json)) }) }
    }

    private func respond(_ exchange: HTTPExchange, _ call: ControlCall, _ result: Result<JSON, ControlFailure>) {
        call.finish()
        switch result {
        case .success(let json):
            exchange.respond(
                HTTPResponse(status: 200, headers: ["Content-Type": "application/json"], body: document(json)))
        case .failure(let failure): refuse(exchange, failure)
        }
    }

    private func refuse(_ exchange: HTTPExchange, _ failure: ControlFailure, headers: HTTPHeaders = [:]) {
        var headers = headers
        headers.add("Content-Type", "application/json")
        let status = (400...599).contains(failure.status) ? failure.status : 500
        exchange.respond(HTTPResponse(status: status, headers: headers, body: document(failure.json)))
    }

    /// One line, so that a terminal's prompt stands below it.
    private func document(_ json: JSON) -> [UInt8] {
        var bytes: [UInt8] = []
        json.append(to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }
}
