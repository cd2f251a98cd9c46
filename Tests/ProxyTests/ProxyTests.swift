import EventLoop
import Platform
import TestSupport
import Testing

@testable import Proxy

@Suite struct ProxyTests {
    @Test func open_onATakenPort_namesItAndOpensNothing() throws {
        let mesh = try Mesh(["reader"])
        let taken = try Server()
        let port = taken.port
        let error: ProxyError? = mesh.on { proxy in
            do throws(ProxyError) {
                try proxy.open([
                    FrontSpec(service: "a", port: 0), FrontSpec(service: "b", caller: "reader", port: port),
                ])
                return nil
            } catch { return error }
        }
        #expect(error == .cannotListen(FrontSpec(service: "b", caller: "reader", port: port), .addressInUse))
        #expect(
            error?.message
                == "Port \(port), which belongs to the edge reader → b, is taken by another program: end that program, "
                + "or pin another port with \"port\" in the manifest.")
        #expect(mesh.port("a") == 0)
    }

    @Test func remove_ofAService_closesItsFrontAndConnections() throws {
        let mesh = try Mesh(["reader"], edges: ["purge>reader"])
        let server = try Server()
        mesh.pass("reader", server)
        let port = mesh.port("reader")
        let client = try mesh.call("reader")
        let upstream = try server.accept()
        mesh.on { $0.remove(service: "reader") }
        #expect(try client.expectEnd())
        #expect(try upstream.expectEnd())
        #expect(mesh.port("reader", from: "purge") == 0)
        #expect(throws: Peer.Failure.broken(.connectionRefused)) { try Peer(port: port) }
    }

    @Test func add_opensAFrontLater() throws {
        let mesh = try Mesh([])
        #expect(mesh.on { (try? $0.add(FrontSpec(service: "late", port: 0))) != nil })
        let server = try Server()
        mesh.pass("late", server)
        let client = try mesh.call("late")
        try client.send("x")
        #expect(try server.accept().receive(count: 1) == "x")
    }

    @Test func otherServices_areNotTouched() throws {
        let mesh = try Mesh(["reader", "members"])
        let reader = try Server()
        let members = try Server()
        mesh.pass("reader", reader)
        mesh.pass("members", members)
        let client = try mesh.call("members")
        let upstream = try members.accept()
        mesh.hold("reader")
        _ = mesh.drain("reader", "reader.1").take(within: patience(.seconds(10)))
        mesh.on { $0.closeConnections("reader", instance: "reader.1") }
        mesh.on { $0.remove(service: "reader") }
        try client.send("still")
        #expect(try upstream.receive(count: 5) == "still")
    }

    @Test(arguments: PollerBackend.allCases)
    func accept_withoutDescriptors_losesNobody(_ backend: PollerBackend) throws {
        let faults = FaultPlan()
        let mesh = try Mesh(["reader"], kernel: Kernel(faults: faults), backend: backend)
        let server = try Server()
        mesh.pass("reader", server)
        faults.injectNext(.accept, times: 3, .fails(.tooManyOpenFiles))
        let client = try mesh.call("reader")
        try client.send("x")
        #expect(try server.accept().receive(count: 1) == "x")
        // Three attempts failed, one took the client, one met would-block: nothing spun.
        mesh.settle()
        #expect(faults.count(.accept) <= 6)
    }

    @Test func dialling_withoutDescriptors_waitsUntilOneIsFreed() throws {
        let faults = FaultPlan()
        let mesh = try Mesh(["reader", "other"], kernel: Kernel(faults: faults))
        let server = try Server()
        mesh.pass("reader", server)
        mesh.pass("other", server)
        let other = try mesh.call("other")
        _ = try server.accept()
        faults.injectNext(.socket, times: 2, .fails(.tooManyOpenFiles))
        let client = try mesh.call("reader")
        try client.send("x")
        #expect(try !server.hasVisitor())
        other.reset()
        #expect(try server.accept().receive(count: 1) == "x")
    }

    @Test func dialling_withoutDescriptorsForAWhile_isAnswered() throws {
        let faults = FaultPlan()
        let mesh = try Mesh(["reader"], kernel: Kernel(faults: faults))
        let server = try Server()
        mesh.pass("reader", server)
        faults.injectNext(.socket, times: 100, .fails(.tooManyOpenFiles))
        let client = try mesh.call("reader")
        try client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try client.receiveAll().contains("run out of file descriptors"))
    }

}
