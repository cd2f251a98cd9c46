import HTTP
import JSON
import Platform

/// Asks `members` and `purge`, both at once, and shows what they said.
final class Reader {
    private let members: Neighbour
    private let purge: Neighbour

    init(members: Neighbour, purge: Neighbour) {
        self.members = members
        self.purge = purge
    }

    func answer(_ request: HTTPRequest, _ done: @escaping (HTTPResponse) -> Void) {
        switch (request.method == "HEAD" ? "GET" : request.method, request.path) {
        case ("GET", "/"): ask { done(.html(FrontPage(members: $0, purge: $1).whole)) }
        case ("GET", "/news"): ask { done(.html(FrontPage(members: $0, purge: $1).news)) }
        case ("GET", "/api"):
            ask { members, purge in
                done(
                    .json([
                        "reader": ["instance": .string(instanceName), "pid": .int(Int(ThisProcess.id))],
                        "members": members.json, "purge": purge.json,
                    ]))
            }
        case ("POST", "/purge"):
            purge.call("POST", "/purge?page=%2Ffront-page") { _ in done(.seeOther("/")) }
        case ("GET", "/healthz"): done(.text(200, "ok"))
        default: done(.notFound(request))
        }
    }

    private func ask(_ done: @escaping (FrontPage.Column, FrontPage.Column) -> Void) {
        var fromMembers: Neighbour.Answer?
        var fromPurge: Neighbour.Answer?
        func finish() {
            guard let fromMembers, let fromPurge else { return }
            done(.init(members, fromMembers), .init(purge, fromPurge))
        }
        members.call("GET", "/members") {
            fromMembers = $0
            finish()
        }
        purge.call("GET", "/purged") {
            fromPurge = $0
            finish()
        }
    }
}
