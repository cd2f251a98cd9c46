import HTTP
import JSON
import Platform

/// Knows who reads the paper, and says from where it answers.
struct Members {
    let place: String
    let people: [String]

    func answer(_ request: HTTPRequest, _ done: (Reply) -> Void) {
        switch (request.method, request.path) {
        case ("GET", "/healthz"): done(.text(200, "ok"))
        case ("GET", "/members"):
            done(
                .json([
                    "place": .string(place), "instance": .string(instanceName), "pid": .int(Int(ThisProcess.id)),
                    "host": .string(request.headers["Host"] ?? ""), "members": .array(people.map { .string($0) }),
                ]))
        default: done(.notFound(request))
        }
    }
}
