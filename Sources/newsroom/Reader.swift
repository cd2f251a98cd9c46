import HTTP

/// Asks `members` and `purge`, both at once, and shows what they said.
final class Reader {
    private let members: Neighbour
    private let purge: Neighbour

    init(members: Neighbour, purge: Neighbour) {
        self.members = members
        self.purge = purge
    }

    func answer(_ request: HTTPRequest, _ done: @escaping (Reply) -> Void) {
        switch (request.method == "HEAD" ? "GET" : request.method, request.path) {
        case ("GET", "/"): ask { done(.html($0.whole, note: $0.summary)) }
        case ("GET", "/news"): ask { done(.html($0.news, note: $0.summary)) }
        case ("GET", "/api"): ask { done(.json($0.json, note: $0.summary)) }
        case ("POST", "/purge"):
            purge.call("POST", "/purge?page=%2Ffront-page") { _ in done(.seeOther("/")) }
        case ("GET", "/healthz"): done(.text(200, "ok"))
        default: done(.notFound(request))
        }
    }

    private func ask(_ done: @escaping (FrontPage) -> Void) {
        var fromMembers: Neighbour.Answer?
        var fromPurge: Neighbour.Answer?
        func finish() {
            guard let fromMembers, let fromPurge else { return }
            done(FrontPage(members: .init(members, fromMembers), purge: .init(purge, fromPurge)))
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
