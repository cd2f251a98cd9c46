import TestSupport
import Testing

@testable import Platform

/// The authority of `devmesh trust`, asked by a client of OpenSSL that trusts nobody else.
@Suite struct TLSAuthorityTests {
    private let folder = TemporaryFolder()
    private var files: TLSAuthority.Files {
        TLSAuthority.Files(certificate: folder.path + "/ca.pem", key: folder.path + "/ca.key")
    }

    private func server(serves: @escaping (String) -> Bool = { _ in true }) throws -> TLSServer {
        let made = try TLSAuthority.make(named: "Test")
        try Kernel.real.replaceFile(files.certificate, with: made.certificate)
        try Kernel.real.replaceFile(files.key, with: made.key)
        return try TLSServer(
            TLSAuthority(certificate: made.certificate, key: made.key, files: files), serves: serves)
    }

    /// Lets a client and a server speak to each other until both have agreed.
    private func agree(_ client: TLSSession, _ server: TLSSession) throws {
        var isDone = (client: false, server: false)
        for _ in 0..<10 where !isDone.client || !isDone.server {
            isDone.client = try client.handshake()
            move(from: client, to: server)
            defer { move(from: server, to: client) }
            isDone.server = try server.handshake()
        }
        try #require(isDone == (true, true))
    }

    private func move(from sender: TLSSession, to receiver: TLSSession) {
        withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 1) { buffer in
            while sender.pendingCiphertext > 0 {
                let count = sender.take(into: buffer)
                receiver.feed(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
    }

    private func client(_ host: String) throws -> TLSSession {
        try TLSSession(TLSClient(TLSSettings(trust: .file(files.certificate))), host: host)
    }

    @Test(arguments: [
        "localhost", "127.0.0.1", "::1", "members.localhost", "members.newsroom.localhost", "members.test",
    ])
    func name_inTheRealm_isCertifiedAndBelieved(name: String) throws {
        let server = try server()
        for _ in 0..<2 {
            let (near, far) = (try client(name), try TLSSession(server))
            try agree(near, far)
            var text = "hello"
            _ = try text.withUTF8 { try near.write(UnsafeRawBufferPointer($0)) }
            move(from: near, to: far)
            var buffer = [UInt8](repeating: 0, count: 16)
            #expect(try buffer.withUnsafeMutableBytes { try far.read(into: $0) } == .bytes(5))
            #expect(Array(buffer[..<5]) == Array("hello".utf8))
        }
    }

    /// Its own constraints keep a stolen key from being of use against the names of others.
    @Test(arguments: ["bank.example.com", "devmesh.org", "notlocalhost", "10.0.0.1"])
    func name_outsideTheRealm_isNotBelieved(name: String) throws {
        let server = try server()
        let (near, far) = (try client(name), try TLSSession(server))
        #expect(throws: TLSError.self) { try agree(near, far) }
    }

    @Test func name_thatIsNotServed_endsTheHandshake() throws {
        let server = try server { $0 == "members.localhost" }
        try agree(client("Members.LocalHost"), TLSSession(server))
        let (near, far) = (try client("reader.localhost"), try TLSSession(server))
        #expect(throws: TLSError.self) { try agree(near, far) }
    }

    @Test func name_ofOpenSSLsOwnLanguage_isNotCertified() throws {
        _ = try server()
        let authority = try TLSAuthority(
            certificate: Kernel.real.readFile(files.certificate), key: Kernel.real.readFile(files.key), files: files)
        for name in ["", "a.localhost,DNS:bank.example.com", "a:b", "a b", "A.localhost", "é.localhost", "*.localhost"]
        {
            #expect(authority.issue(for: name) == nil, "\(name)")
        }
        let issued = authority.issue(for: "a.localhost")
        #expect(issued != nil)
        authority.library.certificateFree(issued)
    }

    @Test func filesOfAnother_areRefused() throws {
        let (one, other) = (try TLSAuthority.make(named: "a"), try TLSAuthority.make(named: "b"))
        #expect(throws: TLSError.keyDoesNotFit(key: files.key, certificate: files.certificate)) {
            _ = try TLSAuthority(certificate: one.certificate, key: other.key, files: files)
        }
        #expect(throws: TLSError.self) { _ = try TLSAuthority(certificate: one.key, key: one.key, files: files) }
        #expect(throws: TLSError.self) { _ = try TLSAuthority(certificate: [], key: [], files: files) }
    }
}
