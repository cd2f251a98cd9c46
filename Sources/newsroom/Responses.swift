import HTTP
import JSON

extension Reply {
    static func text(_ status: Int, _ text: String) -> Reply {
        Reply(
            HTTPResponse(
                status: status, headers: ["Content-Type": "text/plain; charset=utf-8"], body: Array("\(text)\n".utf8)))
    }

    static func json(_ value: JSON, note: String? = nil) -> Reply {
        Reply(
            HTTPResponse(
                status: 200, headers: ["Content-Type": "application/json"],
                body: Array("\(value.serialized())\n".utf8)), note: note)
    }

    static func html(_ page: String, note: String) -> Reply {
        Reply(
            HTTPResponse(
                status: 200, headers: ["Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"],
                body: Array(page.utf8)), note: note)
    }

    static func seeOther(_ place: String) -> Reply {
        Reply(HTTPResponse(status: 303, headers: ["Location": place]))
    }

    static func notFound(_ request: HTTPRequest) -> Reply {
        .text(404, "\(instanceName) has nothing at \(request.method) \(request.path)")
    }
}

extension HTTPRequest {
    /// The target without its query.
    var path: String { target.split(separator: "?", omittingEmptySubsequences: false).first.map(String.init) ?? "/" }
}
