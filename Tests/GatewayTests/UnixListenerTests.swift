import Gateway
import Platform
import TestSupport
import Testing

@Suite struct UnixListenerTests {
    @Test func path_thatIsFree_isBoundForThisUserOnly() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/s"
        let listener = try UnixListener.bind(path)
        #expect(Kernel.real.status(path)?.mode == 0o600)
        #expect(Kernel.real.localAddress(listener) != nil)
    }

    @Test func socket_ofADeadServer_isReplaced() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/s"
        try UnixListener.bind(path).close()
        #expect(Kernel.real.status(path) != nil)
        let listener = try UnixListener.bind(path)
        let client = try Kernel.real.socket(for: .unix(path))
        #expect(try Kernel.real.connect(client, to: .unix(path)) == .connected)
        listener.close()
    }

    @Test func socket_ofALiveServer_isLeftAlone() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/s"
        let first = try UnixListener.bind(path)
        #expect(throws: GatewayError.alreadyServed(path: path)) { try UnixListener.bind(path).close() }
        let client = try Kernel.real.socket(for: .unix(path))
        #expect(try Kernel.real.connect(client, to: .unix(path)) == .connected)
        first.close()
    }

    @Test func folder_thatIsMissing_isAnErrorWithThePath() {
        let folder = TemporaryFolder()
        let path = folder.path + "/none/s"
        #expect(throws: GatewayError.cannotListen(path: path, .noEntry)) { try UnixListener.bind(path).close() }
    }
}
