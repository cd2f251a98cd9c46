import HTTP
import JSON

extension HTTPResponse {
    static func text(_ status: Int, _ text: String) -> HTTPResponse {
        HTTPResponse(
            status: status, headers: ["Content-Type": "text/plain; charset=utf-8"], body: Array("\(text)\n".utf8))
    }

    static func json(_ value: JSON) -> HTTPResponse {
        HTTPResponse(
            status: 200, headers: ["Content-Type": "application/json"], body: Array("\(value.serialized())\n".utf8))
    }

    static func html(_ page: String) -> HTTPResponse {
        HTTPResponse(
            status: 200, headers: ["Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"],
            body: Array(page.utf8))
    }

    static func seeOther(_ place: String) -> HTTPResponse { HTTPResponse(status: 303, headers: ["Location": place]) }

    static func notFound(_ request: HTTPRequest) -> HTTPResponse {
        .text(404, "\(instanceName) has nothing at \(request.method) \(request.path)")
    }
}

extension HTTPRequest {
    /// The target without its query.
    var path: String { target.split(separator: "?", omittingEmptySubsequences: false).first.map(String.init) ?? "/" }
}
