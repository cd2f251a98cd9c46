import Plan
import Platform
import Project
import Testing

@Suite struct PortProbeTests {
    @Test func portHeldOnAnyLoopback_isOwnedByThisProcess() throws {
        let addresses: [SocketAddress] = [.loopback(0), .v4(0, port: 0)] + (hasLoopback6() ? [.loopback6(0)] : [])
        for address in addresses {
            let socket = try Kernel.real.listen(at: address)
            let port = try #require(Kernel.real.localAddress(socket)?.port)
            let owner = PortProbe().owner(of: port)
            guard case .process(let pid, let program) = owner else {
                Issue.record("\(address): \(String(describing: owner))")
                continue
            }
            #expect(pid == ThisProcess.id)
            #expect(!program.isEmpty)
            #expect(!PortProbe().isFree(port))
            socket.close()
        }
    }

    @Test func portThatWasReleased_isNobodys() throws {
        let socket = try Kernel.real.listen(at: .loopback(0))
        let port = try #require(Kernel.real.localAddress(socket)?.port)
        socket.close()
        #expect(PortProbe().owner(of: port) == nil)
        #expect(PortProbe().isFree(port))
    }

    @Test func portOfAConnectionInTimeWait_isOnlyReusable() throws {
        let listener = try Kernel.real.listen(at: .loopback(0))
        let port = try #require(Kernel.real.localAddress(listener)?.port)
        let client = try Kernel.real.socket(for: .loopback(port))
        _ = try Kernel.real.connect(client, to: .loopback(port))
        #expect(waitReadable(listener.raw, timeout: .seconds(30)))
        guard case .connection(let server) = try Kernel.real.accept(listener) else {
            Issue.record("no connection")
            return
        }
        // Whoever closes first keeps the port.
        server.close()
        #expect(waitReadable(client.raw, timeout: .seconds(30)))
        client.close()
        listener.close()
        #expect(!PortProbe().isFree(port))
        #expect(PortProbe().isReusable(port))
    }

    @Test func portOutOfRange_isNotFree() {
        #expect(PortProbe().owner(of: 0) == .unknown)
        #expect(PortProbe().owner(of: 65_536) == .unknown)
    }

    @Test func privilegedPort_isTheSystems() {
        let faults = FaultPlan()
        faults.inject(.bind, times: 9, .fails(.accessDenied))
        #expect(PortProbe(kernel: Kernel(faults: faults)).owner(of: 80) == .system)
    }

    @Test func ephemeralRange_isTheKernels() throws {
        let range = ephemeralPorts()
        let socket = try Kernel.real.listen(at: .loopback(0))
        let port = try #require(Kernel.real.localAddress(socket)?.port)
        #expect(range.contains(port))
    }
}
