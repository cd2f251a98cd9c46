import Platform
import Testing

@Suite struct SocketTableTests {
    @Test func listeners_ownSocket_isShownAndOwned() throws {
        let listener = try Kernel.real.listen(at: .loopback(0))
        let port = Kernel.real.localAddress(listener)!.port!
        let entry = try #require(SocketTable.listeners(at: port...port)?.first)
        #expect(entry.user == ThisProcess.userID)
        #expect(!entry.isV6)
        #expect(SocketTable.sockets(of: ThisProcess.id).contains(entry.inode))
        #expect(SocketTable.holder(ofPort: port)?.pid == ThisProcess.id)
    }

    @Test func listeners_atPorts_areThoseAtNoOthers() throws {
        let listeners = try [1, 2, 3].map { _ in try Held(Kernel.real.listen(at: .loopback(0))) }
        let ports = listeners.map { Kernel.real.localAddress($0.listener)!.port! }.sorted()
        let found = try #require(SocketTable.listeners(at: ports[0]...ports[1])).map(\.port)
        #expect(found.contains(ports[0]) && found.contains(ports[1]) && !found.contains(ports[2]))
        #expect(found.allSatisfy((ports[0]...ports[1]).contains))
        #expect(SocketTable.listeners(at: 1...65_535).map { Set($0.map(\.port)).isSuperset(of: ports) } == true)
    }

    @Test func established_connection_isFoundByBothPorts() throws {
        let listener = try Kernel.real.listen(at: .loopback(0))
        let client = try Kernel.real.socket(for: .loopback(0))
        _ = try Kernel.real.connect(client, to: Kernel.real.localAddress(listener)!)
        let port = Kernel.real.localAddress(listener)!.port!
        let own = Kernel.real.localAddress(client)!.port!
        let found = try #require(SocketTable.established(localPort: own)?.first { $0.peerPort == port })
        #expect(SocketTable.sockets(of: ThisProcess.id).contains(found.inode))
    }

    @Test(arguments: [false, true]) func user_ofAConnectionsOtherEnd_isKnownAsLongAsSomebodyHasIt(six: Bool) throws {
        guard !six || hasLoopback6() else { return }
        let listener = try Kernel.real.listen(at: six ? .loopback6(0) : .loopback(0))
        let address = Kernel.real.localAddress(listener)!
        let client = try Kernel.real.socket(for: address)
        _ = try Kernel.real.connect(client, to: address)
        let own = Kernel.real.localAddress(client)!
        #expect(SocketTable.user(of: own, connectedTo: address) == ThisProcess.userID)
        // The other way round it is the listener's, which has not accepted yet and so has no socket.
        #expect(SocketTable.user(of: address, connectedTo: own) == nil)
        client.close()
        #expect(SocketTable.user(of: own, connectedTo: address) == nil)
        #expect(SocketTable.user(of: own, connectedTo: .unix("/x")) == nil)
    }

    /// As Java's and gRPC's sockets have it.
    @Test func established_v6SocketWithAV4Address_countsAsV4() throws {
        guard hasLoopback6() else { return }
        let listener = try Kernel.real.listen(at: .loopback(0))
        let port = Kernel.real.localAddress(listener)!.port!
        let mapped = SocketAddress.v6(0, 0xffff_7f00_0001, port: UInt16(port), scope: 0)
        let client = try Kernel.real.socket(for: mapped)
        Kernel.real.setBothFamilies(client)
        _ = try Kernel.real.connect(client, to: mapped)
        let own = Kernel.real.localAddress(client)!.port!
        let entry = try #require(SocketTable.established(localPort: own)?.first { $0.peerPort == port })
        #expect(!entry.isV6)
        #expect(SocketTable.user(of: .loopback(own), connectedTo: .loopback(port)) == ThisProcess.userID)
    }

    @Test func holder_freePort_isNil() throws {
        let listener = try Kernel.real.listen(at: .loopback(0))
        let port = Kernel.real.localAddress(listener)!.port!
        listener.close()
        #expect(SocketTable.holder(ofPort: port) == nil)
    }
}

private final class Held {
    let listener: Descriptor

    init(_ listener: consuming Descriptor) { self.listener = listener }
}
