import Control
import EventLoop
import Gateway
import JSON
import Platform
import TestSupport
import Testing

/// The API as the command line uses it: `ControlClient` against a real socket.
@Suite struct ControlServerTests {
    @Test func questions_areAnswered() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        #expect(try mesh.client.mesh().name == "newsroom")
        #expect(try mesh.client.services() == [FakeBackend.reader])
        #expect(try mesh.client.service("reader") == FakeBackend.reader)
        #expect(try mesh.client.why("reader").lastLines == ["l"])
        #expect(try mesh.client.environment(of: "reader").env == ["PORT": "10000"])
        #expect(try mesh.client.ports().map(\.port) == [20001])
    }

    @Test func actions_reachTheBackend() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        let report = try mesh.client.perform(.restart, ActionRequest(services: ["reader", "purge"], wait: false))
        #expect(report.results.map(\.ok) == [true, false])
        #expect(!report.allOK)
        #expect(try mesh.client.use("reader", .target("remote", keep: true)).ok)
        #expect(try mesh.client.use("reader", .reset).ok)
        #expect(try mesh.client.scale("reader", ScaleRequest(instances: 3)).ok)
        #expect(try mesh.client.route(of: "reader").rules.weights == [.init("local", 9), .init("next", 1)])
        #expect(try mesh.client.changeRoute(of: "reader", RouteChange(clear: true)).ok)
        #expect(try mesh.client.faults(of: "reader") == [FaultRule(delay: 200)])
        #expect(try mesh.client.changeFaults(of: "reader", .clear(caller: "purge")).ok)
        let up = UpRequest(services: ["reader"], local: nil, env: ["A": "ü"], wait: true)
        #expect(try mesh.client.up(up).started == ["reader"])
        #expect(try mesh.client.down().stopped == 1)
        #expect(
            mesh.onLoop { $0.backend.calls } == [
                #"restart ["reader", "purge"] false"#, #"use reader target("remote", keep: true)"#,
                "use reader reset", "scale reader 3",
                #"route reader {"clear":true,"without":[],"weights":{},"headers":[],"cookies":[],"from":{},"#
                    + #""sticky":false,"mirror":null,"propagate":[]}"#, #"fault reader {"clear":true,"from":"purge"}"#,
                #"up ["reader"] ["A": "ü"]"#,
            ])
    }

    @Test func unknownService_isRefused() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        #expect(throws: ControlError.refused(.unknownService("raeder"))) {
            try mesh.client.service("raeder")
        }
    }

    @Test func serviceName_withOddCharacters_arrivesWhole() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        #expect(throws: ControlError.refused(.unknownService("a/b ü?%"))) {
            try mesh.client.why("a/b ü?%")
        }
    }

    @Test func wait_isAnsweredWhenTheBackendAnswers() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        let answer = Handoff<WaitReport?>()
        let client = mesh.client
        let thread = try PlatformThread("client") {
            answer.give(try? client.wait(WaitRequest(services: ["reader"], condition: .ready, timeout: 1000)))
        }
        _ = mesh.waitBegan.take()
        let report = WaitReport(timedOut: true, services: [])
        mesh.onLoop { $0.backend.waiting.removeFirst()(.success(report)) }
        #expect(answer.take() == report)
        thread.join()
        #expect(mesh.waitCancelled.take(within: .zero) == nil)
    }

    @Test func events_withoutFollow_areTheRecentOnes() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        mesh.onLoop { parts in
            for name in ["a", "b"] { parts.backend.events.append(MeshEvent(time: "t", service: nil, event: name)) }
        }
        var heard: [String] = []
        try mesh.client.events(follow: false) {
            heard.append($0.event)
            return true
        }
        #expect(heard == ["a", "b"])
    }

    @Test func events_followed_comeAsTheyHappenUntilTheServerFinishes() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        mesh.onLoop { $0.backend.events.append(MeshEvent(time: "t", service: nil, event: "0")) }
        var heard: [String] = []
        try mesh.client.events(follow: true) { event in
            heard.append(event.event)
            mesh.onLoop { parts in
                if event.event == "3" {
                    parts.server.finish {}
                } else {
                    let next = MeshEvent(time: "t", service: nil, event: String(Int(event.event)! + 1))
                    parts.backend.events.append(next)
                }
            }
            return true
        }
        #expect(heard == ["0", "1", "2", "3"])
        #expect(mesh.onLoop { $0.backend.events.followerCount } == 0)
    }

    @Test func follower_thatLeaves_isForgotten() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        mesh.onLoop { $0.backend.events.append(MeshEvent(time: "t", service: nil, event: "0")) }
        try mesh.client.events(follow: true) { _ in false }
        #expect(mesh.reaches { $0.backend.events.followerCount == 0 && $0.server.connectionCount == 0 })
    }

    @Test func socket_ofTheNextServer_outlivesTheEndOfThis() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        try Kernel.real.remove(mesh.socket)
        let next = try FakeMesh(at: mesh.socket)
        defer { next.close() }
        let finished = Handoff<Bool>()
        mesh.onLoop { $0.server.finish { finished.give(true) } }
        #expect(finished.take())
        #expect(try next.client.mesh().name == "newsroom")
    }

    @Test func down_answered_isSentBeforeTheServerFinishes() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        let client = try RawClient(mesh.socket)
        try client.send(
            "POST /v1/services/wait HTTP/1.1\r\nHost: a\r\nContent-Length: 23\r\n\r\n{\"services\":[\"reader\"]}")
        _ = mesh.waitBegan.take()
        let finished = Handoff<Bool>()
        mesh.onLoop { parts in
            parts.server.finish(within: .seconds(20)) { finished.give(true) }
            parts.backend.waiting.removeFirst()(.success(WaitReport(timedOut: false, services: [])))
        }
        let answer = try client.read()
        #expect(answer.hasSuffix(#"{"timedOut":false,"services":[]}"# + "\n"))
        #expect(answer.contains("\r\nConnection: close\r\n"))
        client.close()
        #expect(finished.take())
    }

    @Test func anotherUsersConnection_isRefused() throws {
        let mesh = try FakeMesh(owner: ThisProcess.userID + 1)
        defer { mesh.close() }
        let message =
            "The connection was refused: this mesh belongs to another user; only that user may control it."
        #expect(throws: ControlError.refused(ControlFailure(status: 403, code: "refused", message: message))) {
            try mesh.client.mesh()
        }
        #expect(mesh.onLoop { $0.backend.calls }.isEmpty)
    }
}
