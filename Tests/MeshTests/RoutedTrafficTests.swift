import JSON
import Platform
import TestSupport
import Testing

// What routes and faults do to requests through the fronts and edges of a mesh that is up.

private let services = """
    {"web": {"run": "fixture serve http", "ready": {"http": "/healthz"},
             "versions": {"next": {"run": "fixture env HOME serve http"}}},
     "reader": {"run": "fixture serve http", "uses": ["web"]},
     "pinned": {"run": "fixture serve http", "uses": ["web@next"]}}
    """

extension MeshFixture {
    /// Which of the instances of `web` answers, by its id; each request on a connection of its own.
    fileprivate func servant(_ fields: [String] = [], from caller: String? = nil) throws -> String {
        let client = try MeshClient(port: port("web", from: caller))
        let body = try client.get("/", fields: fields).body
        for id in ["web.1", "web@next.1"] {
            if let pid = try pid("web", instance: id), body.hasPrefix("web.1 \(pid) ") { return id }
        }
        return body
    }

    /// How many of so many requests, on one connection, the version next answers.
    fileprivate func answersOfNext(of count: Int) throws -> Int {
        let pid = try pid("web", instance: "web@next.1") ?? 0
        let client = try MeshClient(port: port("web"))
        return try (0..<count).count { _ in try client.get("/").body.hasPrefix("web.1 \(pid) ") }
    }
}

@Test func requests_byWeight_goToEachTarget_alsoOnOneConnection() throws {
    try withMesh(services) { mesh in
        try mesh.up()
        try mesh.ready("web")
        try mesh.devmesh("route", "web", "local=1", "next=1", code: 0)
        // Less than one in a million draws of 200 with even chances lies outside.
        #expect((65...135).contains(try mesh.answersOfNext(of: 200)))
        try mesh.devmesh("route", "web", "local=0", "next=1", code: 0)
        #expect(try mesh.answersOfNext(of: 20) == 20)
        try mesh.devmesh("route", "web", "--clear", code: 0)
        #expect(try mesh.servant() == "web.1")
    }
}

@Test func requests_byHeaderCookieBaggageAndCaller_goWhereTheRouteSays() throws {
    try withMesh(services) { mesh in
        try mesh.up()
        try mesh.ready("web", "pinned", "web@next")
        #expect(try mesh.servant(from: "pinned") == "web@next.1")
        #expect(try mesh.servant(from: "reader") == "web.1")
        try mesh.devmesh("route", "web", "--header", "x-user: me=next", "--cookie", "user=me=next", code: 0)
        #expect(try mesh.servant() == "web.1")
        #expect(try mesh.servant(["X-User: me"]) == "web@next.1")
        #expect(try mesh.servant(["Baggage: a=b, x-user=me"]) == "web@next.1")
        #expect(try mesh.servant(["Cookie: user=me"]) == "web@next.1")
        #expect(try mesh.servant(["X-User: you"], from: "reader") == "web.1")
        try mesh.devmesh("route", "web", "--from", "reader", "next", code: 0)
        #expect(try mesh.servant(["X-User: you"], from: "reader") == "web@next.1")
        #expect(try mesh.servant() == "web.1")
        try mesh.devmesh("route", "web", "--from", "pinned", "local", code: 0)
        #expect(try mesh.servant(from: "pinned") == "web.1")
        try mesh.devmesh("use", "web", "local", code: 0)
        #expect(try mesh.servant(["X-User: me"], from: "reader") == "web.1")
        #expect(try mesh.servant(from: "pinned") == "web@next.1")
    }
}

@Test func routes_changedUnderLoad_loseNothing() throws {
    try withMesh(services) { mesh in
        try mesh.up()
        try mesh.ready("web")
        let load = try Load(port: mesh.port("web"))
        for words in [["local=1", "next=1"], ["next=1"], ["local=1"], ["local=1", "next=9"], ["--clear"]] {
            let result = try mesh.start(["route", "web"] + words).result()
            #expect(result.code == 0, "\(words): \(result)")
        }
        let answers = try load.stop()
        let failed = answers.filter { !$0.hasPrefix("200 ") }
        #expect(answers.count > 5 && failed.isEmpty, "\(failed)")
    }
}

/// Somebody wanted next and stopped it: the others must not get what was meant for it.
@Test func target_thatIsStoppedByHand_answersItsPart_andSaysWhatToDo() throws {
    try withMesh(services) { mesh in
        try mesh.up()
        try mesh.ready("web")
        try mesh.devmesh("route", "web", "--header", "x-user: me=next", code: 0)
        try mesh.devmesh("stop", "web@next", code: 0)
        func ask(_ fields: [String] = []) throws -> MeshResponse {
            try MeshClient(port: mesh.port("web")).get("/", fields: fields)
        }
        let answer = try ask(["x-user: me", "Accept: text/plain"])
        #expect(answer.status == 503)
        #expect(
            answer.body.contains(
                "web@next is stopped, and a route sends this request there; `devmesh start web@next` starts it, "
                    + "`devmesh route web --clear` sends such requests to local."), "\(answer.body)")
        #expect(try ask().status == 200, "the rest is served")
        #expect(try mesh.get("web").status == 200)
        try mesh.devmesh("start", "web@next", code: 0)
        #expect(try mesh.servant(["x-user: me"]) == "web@next.1")

        // By weight, too: the part of a target that is stopped is not for the others.
        try mesh.devmesh("route", "web", "--clear", code: 0)
        try mesh.devmesh("route", "web", "local=1", "next=1", code: 0)
        try mesh.devmesh("stop", "web@next", code: 0)
        let client = try MeshClient(port: mesh.port("web"))
        var statuses: Set<Int> = []
        for _ in 0..<200 where statuses.count < 2 {
            let client = try MeshClient(port: mesh.port("web"))
            try statuses.insert(client.get("/").status)
        }
        #expect(statuses == [200, 503])
        try mesh.devmesh("use", "web", "local", code: 0)
        #expect(try client.get("/").status == 200)
        // Where no route is to blame, the way back is to start it.
        let pinned = try MeshClient(port: mesh.port("web", from: "pinned")).get("/", fields: ["Accept: text/plain"])
        #expect(pinned.body.contains("web@next is stopped; `devmesh start web@next` starts it."), "\(pinned.body)")
    }
}

@Test func faults_hitTheirCallers_untilTheyAreCleared() throws {
    try withMesh(services) { mesh in
        try mesh.up()
        try mesh.ready("web")
        try mesh.devmesh("fault", "web", "--abort", "418", "--from", "reader", code: 0)
        #expect(try MeshClient(port: mesh.port("web", from: "reader")).get("/").status == 418)
        #expect(try mesh.get("web").status == 200)
        try mesh.devmesh("fault", "web", "--disconnect", code: 0)
        #expect(throws: (any Error).self) { try mesh.get("web") }
        #expect(try MeshClient(port: mesh.port("web", from: "reader")).get("/").status == 418)
        try mesh.devmesh("fault", "web", "--delay", "300ms", code: 0)
        let began = Instant.now
        #expect(try mesh.get("web").status == 200)
        #expect(Instant.now - began >= .milliseconds(300))
        try mesh.devmesh("fault", "web", "--clear", code: 0)
        #expect(try MeshClient(port: mesh.port("web", from: "reader")).get("/").status == 200)
        #expect(try mesh.get("web").status == 200)
    }
}

@Test func limits_ofTheManifest_hold() throws {
    try withMesh(
        #"{"web": {"run": "fixture serve http", "timeouts": {"response": "200ms"}, "limits": {"connections": 1}}}"#
    ) { mesh in
        try mesh.up()
        try mesh.ready("web")
        let client = try MeshClient(port: mesh.port("web"))
        #expect(try client.get("/").status == 200)
        #expect(try mesh.get("web").status == 503, "one connection too many")
        #expect(try client.get("/slow/5000").status == 504)
    }
}
