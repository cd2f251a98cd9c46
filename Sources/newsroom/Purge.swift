import HTTP
import JSON
import Platform

/// Keeps the list of pages that were thrown out of the caches; a restart forgets it.
final class Purge {
    private var purged: [(page: String, at: WallTime)] = []

    func answer(_ request: HTTPRequest, _ done: (Reply) -> Void) {
        switch (request.method, request.path) {
        case ("GET", "/healthz"): done(.text(200, "ok"))
        case ("GET", "/purged"): done(.json(report))
        case ("POST", "/purge"):
            let page = RequestTarget(request.target)?.value("page") ?? "/"
            purged.append((page, .now))
            if purged.count > 100 { purged.removeFirst() }
            done(.json(report))
        default: done(.notFound(request))
        }
    }

    private var report: JSON {
        [
            "instance": .string(instanceName), "pid": .int(Int(ThisProcess.id)),
            "purged": .array(
                purged.reversed().map { ["page": .string($0.page), "at": .string($0.at.rfc3339())] }),
        ]
    }
}
