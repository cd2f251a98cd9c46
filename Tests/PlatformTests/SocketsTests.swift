import Platform
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#endif

@Suite struct SocketsTests {
    @Test func accept_givenUpAndInterrupted_isPassedOver() throws {
        let plan = FaultPlan()
        let kernel = Kernel(faults: plan)
        let listener = try kernel.listen(at: .loopback(0))
        let client = try kernel.socket(for: .loopback(0))
        _ = try kernel.connect(client, to: kernel.localAddress(listener)!)
        plan.inject(.accept, .fails(.connectionAborted))
        plan.inject(.accept, nth: 2, .fails(.interrupted))
        guard case .connection = try kernel.accept(listener) else {
            Issue.record("no connection")
            return
        }
        #expect(plan.count(.accept) == 3)
    }

    @Test func accept_nobody_wouldBlock() throws {
        let listener = try Kernel.real.listen(at: .loopback(0))
        guard case .wouldBlock = try Kernel.real.accept(listener) else {
            Issue.record("a connection from nowhere")
            return
        }
    }

    @Test func listen_portTaken_addressInUse() throws {
        let first = try Kernel.real.listen(at: .loopback(0))
        let address = Kernel.real.localAddress(first)!
        #expect(throws: Errno.addressInUse) { _ = try Kernel.real.listen(at: address) }
    }

    @Test func listen_unixPathTooLong_throws() {
        let path = "/tmp/" + String(repeating: "x", count: 200)
        #expect(throws: Errno.self) { _ = try Kernel.real.listen(at: .unix(path)) }
    }

    #if os(Linux)
        @Test func unpacedListener_acceptedConnections_areToo() throws {
            let listener = try Kernel.real.listen(at: .loopback(0))
            Kernel.real.setUnpaced(listener)
            let address = SocketAddress.loopback(Kernel.real.localAddress(listener)?.port ?? 0)
            let client = try Kernel.real.socket(for: address)
            try Kernel.real.setNonblocking(client, false)
            _ = try Kernel.real.connect(client, to: address)
            guard case .connection(let accepted) = try Kernel.real.accept(listener) else {
                Issue.record("no connection")
                return
            }
            var name = [UInt8](repeating: 0, count: 16)
            var length = socklen_t(name.count)
            #expect(getsockopt(accepted.raw, Int32(IPPROTO_TCP), TCP_CONGESTION, &name, &length) == 0)
            #expect(String(decoding: name.prefix { $0 != 0 }, as: UTF8.self) == "reno")
        }
    #endif

    @Test func probedSocket_whoseOtherEndIsGone_isBrokenWithinAMinute() throws {
        let socket = try Kernel.real.socket(for: .loopback(0))
        Kernel.real.setProbed(socket)
        func option(_ level: Int32, _ name: Int32) -> Int32 {
            var (value, length) = (Int32(-1), socklen_t(4))
            getsockopt(socket.raw, level, name, &value, &length)
            return value
        }
        #expect(option(SOL_SOCKET, SO_KEEPALIVE) != 0)
        #if canImport(Glibc)
            let idle = option(Int32(IPPROTO_TCP), TCP_KEEPIDLE)
        #else
            let idle = option(Int32(IPPROTO_TCP), TCP_KEEPALIVE)
        #endif
        let probing = option(Int32(IPPROTO_TCP), TCP_KEEPINTVL) * option(Int32(IPPROTO_TCP), TCP_KEEPCNT)
        #expect(idle > 0 && probing > 0 && idle + probing <= 60)
    }

    @Test func sendFile_part_arrivesAsItLies() throws {
        let folder = TemporaryFolder()
        folder.write("file", "0123456789")
        let file = try Kernel.real.open(folder.path + "/file", .read)
        let address = SocketAddress.unix(folder.path + "/s")
        let listener = try Kernel.real.listen(at: address)
        let client = try Kernel.real.socket(for: address)
        _ = try Kernel.real.connect(client, to: address)
        guard case .connection(let accepted) = try Kernel.real.accept(listener) else {
            Issue.record("no connection")
            return
        }
        #expect(try Kernel.real.sendFile(file, from: 3, count: 4, to: accepted) == .bytes(4))
        var buffer = [UInt8](repeating: 0, count: 16)
        let read = try buffer.withUnsafeMutableBytes { try Kernel.real.receive(client, into: $0) }
        #expect(read == .bytes(4))
        #expect(String(decoding: buffer.prefix(4), as: UTF8.self) == "3456")
    }

    @Test func peerUser_ownConnection_isOneself() throws {
        let folder = TemporaryFolder()
        let address = SocketAddress.unix(folder.path + "/s")
        let listener = try Kernel.real.listen(at: address)
        let client = try Kernel.real.socket(for: address)
        _ = try Kernel.real.connect(client, to: address)
        #expect(try Kernel.real.peerUser(client) == ThisProcess.userID)
        _ = listener.raw
    }

    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80"), ("fe80::1", "[fe80::1]:80"), ("10.1.2.3", "10.1.2.3:80"),
    ])
    func literal_parsesAndPrints(_ text: String, _ printed: String) {
        #expect(SocketAddress(literal: text, port: 80)?.description == printed)
    }

    @Test(arguments: ["localhost", "1.2.3", "", "::g", "127.0.0.1:80"])
    func literal_otherText_isNil(_ text: String) {
        #expect(SocketAddress(literal: text, port: 80) == nil)
    }
}
