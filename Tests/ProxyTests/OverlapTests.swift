import EventLoop
import Platform
import TestSupport
import Testing

@testable import Proxy

/// Two processes of one instance, of which the new one takes over while the old one still runs.
@Suite struct OverlapTests {
    private let post = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
    private let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    private func pass(_ mesh: Mesh, _ process: String, _ server: Server) {
        mesh.set(
            "reader", .pass([Backend(instance: process, name: "reader.1", port: server.port)], whenRefused: "refused"))
    }

    @Test func switch_drainsTheOldProcess_andLeavesTheNewOneAlone() throws {
        let mesh = try Mesh(["reader"])
        let (first, second) = (try Server(), try Server())
        pass(mesh, "reader.1#1", first)
        let early = try mesh.call("reader")
        try early.send(post)
        let old = try first.accept()
        try old.receive(until: "hi")

        pass(mesh, "reader.1#2", second)
        let drained = mesh.drain("reader", "reader.1#1")
        let late = try mesh.call("reader")
        try late.send(post)
        let new = try second.accept()
        try new.receive(until: "hi")
        #expect(drained.take(within: .milliseconds(50)) == nil)
        #expect(mesh.on { $0.activeConnections("reader", instance: "reader.1#1") } == 1)
        #expect(mesh.on { $0.activeConnections("reader", instance: "reader.1#2") } == 1)

        try old.send(ok)
        #expect(try early.receive(until: "ok").hasPrefix("HTTP/1.1 200 OK"))
        #expect(drained.take(within: patience(.seconds(10))) == 0)
        mesh.on { $0.closeConnections("reader", instance: "reader.1#1") }
        #expect(try old.expectEnd())
        try new.send(ok)
        #expect(try late.receive(until: "ok").hasPrefix("HTTP/1.1 200 OK"))
        #expect(try new.isQuiet(), "its connection is kept")
    }

    @Test func switch_connectionsKeptToTheOldProcess_areNeverUsedAgain() throws {
        let mesh = try Mesh(["reader"])
        let (first, second) = (try Server(), try Server())
        pass(mesh, "reader.1#1", first)
        let client = try mesh.call("reader")
        try client.send(post)
        let old = try first.accept()
        try old.receive(until: "hi")
        try old.send(ok)
        try client.receive(until: "ok")

        pass(mesh, "reader.1#2", second)
        #expect(try old.expectEnd(), "before the drain and before any signal")
        try client.send(post)
        let new = try second.accept()
        try new.answer(ok)
        #expect(try client.receive(until: "ok").hasPrefix("HTTP/1.1 200 OK"))
        #expect(try !first.hasVisitor())
    }

    @Test func errors_callAProcessByItsInstancesName() throws {
        let mesh = try Mesh(["reader"])
        let server = try Server()
        pass(mesh, "reader.1#7", server)
        let client = try mesh.call("reader")
        try client.send(post)
        let old = try server.accept()
        try old.receive(until: "hi")
        old.close()
        let answer = try client.receiveAll()
        #expect(answer.hasPrefix("HTTP/1.1 502 ") && answer.contains("reader.1") && !answer.contains("reader.1#7"))
    }
}
