import TestSupport
import Testing

@testable import Platform

@Suite(.enabled(if: OpenSSL.isPresent, "needs the openssl program")) struct TLSTests {
    /// A blocking connection through a session, as plain as it can be.
    private final class Client {
        let session: TLSSession
        private let socket: Descriptor
        private var buffer = [UInt8](repeating: 0, count: 16384)

        convenience init(port: Int, host: String, trust: TLSTrust, protocols: [String] = ["http/1.1"]) throws {
            try self.init(port: port, host: host, TLSClient(TLSSettings(trust: trust)), protocols: protocols)
        }

        init(
            port: Int, host: String, serverName: String? = nil, _ client: TLSClient, protocols: [String] = ["http/1.1"]
        ) throws {
            let address = SocketAddress.loopback(port)
            socket = try Kernel.real.socket(for: address)
            try Kernel.real.setNonblocking(socket, false)
            _ = try Kernel.real.connect(socket, to: address)
            session = try TLSSession(client, host: host, serverName: serverName, port: port, protocols: protocols)
        }

        func handshake() throws {
            do {
                while try !session.handshake() {
                    try flush()
                    try feed()
                }
                try flush()
            } catch {
                try flush()
                throw error
            }
        }

        func write(_ text: String) throws {
            var text = text
            _ = try text.withUTF8 { try session.write(UnsafeRawBufferPointer($0)) }
            try flush()
        }

        /// Reads `count` bytes, or fewer where the server ends before.
        func read(_ count: Int) throws -> String {
            var result: [UInt8] = []
            while result.count < count {
                switch try buffer.withUnsafeMutableBytes({ try session.read(into: $0) }) {
                case .bytes(let more): result += buffer[..<more]
                case .needsInput: try feed()
                case .end: return String(decoding: result, as: UTF8.self)
                }
            }
            return String(decoding: result, as: UTF8.self)
        }

        func flush() throws {
            while session.pendingCiphertext > 0 {
                let count = buffer.withUnsafeMutableBytes { session.take(into: $0) }
                try buffer.withUnsafeBytes {
                    try Kernel.real.writeAll(socket, UnsafeRawBufferPointer(rebasing: $0[..<count]))
                }
            }
        }

        func feed() throws {
            let result = try buffer.withUnsafeMutableBytes { try Kernel.real.read(socket, into: $0) }
            guard case .bytes(let count) = result else { throw Errno.connectionReset }
            buffer.withUnsafeBytes { session.feed(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
    }

    private func failure(_ names: String, host: String, days: Int = 2, trusted: Bool = true) throws -> TLSError? {
        let authority = CertificateAuthority()
        let server = TLSPeer(authority.issue(names, days: days))
        let trust = trusted ? TLSTrust.file(authority.trustFile) : .system
        let client = try Client(port: server.port, host: host, trust: trust)
        do {
            try client.handshake()
            return nil
        } catch { return error as? TLSError }
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func exchange_withARealServer_goesBothWays(_ version: String) throws {
        let authority = CertificateAuthority()
        let server = TLSPeer(authority.issue("DNS:members.example"), options: version, "-alpn", "h2,http/1.1")
        let client = try Client(port: server.port, host: "members.example", trust: .file(authority.trustFile))
        try client.handshake()
        #expect(client.session.negotiatedProtocol == "http/1.1")
        try client.write("hello over TLS\n")
        #expect(server.wait(for: "hello over TLS\n"))
        server.say("and back\n")
        #expect(try client.read(9) == "and back\n")
    }

    @Test func serverName_isSent() throws {
        let authority = CertificateAuthority()
        let other = authority.issue("DNS:other.example")
        let server = TLSPeer(
            authority.issue("DNS:members.example"), options: "-servername", "other.example", "-cert2",
            other.certificate,
            "-key2", other.key)
        let client = try Client(port: server.port, host: "other.example", trust: .file(authority.trustFile))
        try client.handshake()
        #expect(client.session.isEstablished)
    }

    @Test func certificate_forAnAddress_isAccepted() throws {
        #expect(try failure("IP:127.0.0.1", host: "127.0.0.1") == nil)
    }

    @Test func certificate_forAnotherName_isRefused() throws {
        let error = try failure("DNS:other.example", host: "members.example")
        #expect(
            error?.message
                == "The certificate of members.example is for DNS:other.example, not for members.example: call the remote "
                + "by a name that it is for, or set \"tls\": {\"serverName\": …} of the remote to it.")
        #expect(
            try failure("IP:127.0.0.2", host: "127.0.0.1")?.message.contains("is for IP Address:127.0.0.2, not") == true
        )
        #expect(try failure("DNS:127.0.0.1", host: "127.0.0.1")?.message.contains("is for DNS:127.0.0.1, not") == true)
    }

    @Test func certificate_thatHasExpired_isRefused() throws {
        let error = try failure("DNS:members.example", host: "members.example", days: -1)
        let message = error?.message ?? ""
        #expect(message.hasPrefix("The certificate of members.example expired on "))
        #expect(message.hasSuffix(" GMT: have it renewed, or check this machine's clock."))
    }

    @Test func certificate_thatIsNotYetValid_isRefused() throws {
        let authority = CertificateAuthority()
        let server = TLSPeer(authority.issue("DNS:members.example", isForLater: true))
        let client = try Client(port: server.port, host: "members.example", trust: .file(authority.trustFile))
        let error = #expect(throws: TLSError.self) { try client.handshake() }
        #expect(
            error?.message == "The certificate of members.example is not valid before Jan  1 00:00:00 2099 GMT: check "
                + "this machine's clock.")
    }

    @Test func certificate_thatSignedItself_isRefused() throws {
        let authority = CertificateAuthority()
        let server = TLSPeer(authority.itself)
        let client = try Client(port: server.port, host: "members.example", trust: .system)
        let error = #expect(throws: TLSError.self) { try client.handshake() }
        #expect(
            error?.message
                == "The certificate of members.example is self-signed: if you trust it, name its PEM file in "
                + "\"tls\": {\"ca\": …} of the remote.")
    }

    @Test func certificate_ofAnUnknownIssuer_isRefused() throws {
        let error = try failure("DNS:members.example", host: "members.example", trusted: false)
        #expect(
            error?.message
                == "The certificate of members.example comes from an issuer that this machine does not trust, "
                + "/CN=Test Authority: name the issuer's PEM file in \"tls\": {\"ca\": …} of the remote, or add it to the "
                + "system's certificates.")
    }

    @Test func certificate_ofAnotherAuthorityThanTheOwn_namesTheFile() throws {
        let authority = CertificateAuthority()
        let other = CertificateAuthority()
        let server = TLSPeer(authority.issue("DNS:members.example"))
        let client = try Client(port: server.port, host: "members.example", trust: .file(other.trustFile))
        let error = #expect(throws: TLSError.self) { try client.handshake() }
        #expect(error?.message.contains("an issuer that is not in \(other.trustFile), /CN=Test Authority") == true)
    }

    /// Whoever has only the server's own certificate may trust just that.
    @Test func serversOwnCertificate_asTrust_isEnough() throws {
        let authority = CertificateAuthority()
        let certificate = authority.issue("DNS:members.example")
        let server = TLSPeer(certificate)
        let client = try Client(port: server.port, host: "members.example", trust: .file(certificate.certificate))
        try client.handshake()
        #expect(client.session.isEstablished)
    }

    @Test func certificate_ofAnyone_isTakenWhereNoneIsVerified() throws {
        let authority = CertificateAuthority()
        let server = TLSPeer(authority.issue("DNS:other.example", days: -1))
        let client = try Client(
            port: server.port, host: "members.example", TLSClient(TLSSettings(verifies: false)))
        try client.handshake()
        #expect(client.session.isEstablished)
    }

    @Test func serverName_isVerifiedInPlaceOfTheHost() throws {
        let authority = CertificateAuthority()
        let server = TLSPeer(authority.issue("DNS:members.example"))
        let settings = TLSSettings(trust: .file(authority.trustFile))
        // s_server serves one after the other.
        do {
            let client = try Client(
                port: server.port, host: "127.0.0.1", serverName: "members.example", TLSClient(settings))
            try client.handshake()
            #expect(client.session.isEstablished)
        }
        let other = try Client(port: server.port, host: "127.0.0.1", serverName: "b.example", TLSClient(settings))
        let error = #expect(throws: TLSError.self) { try other.handshake() }
        #expect(
            error?.message.contains("The certificate of 127.0.0.1 is for DNS:members.example, not for b.example")
                == true)
    }

    @Test func server_belowTLS12_isRefused() throws {
        let authority = CertificateAuthority()
        let server = TLSPeer(
            authority.issue("DNS:members.example"), options: "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
        let client = try Client(port: server.port, host: "members.example", trust: .file(authority.trustFile))
        let error = #expect(throws: TLSError.self) { try client.handshake() }
        #expect(
            error?.message.contains("members.example speaks no TLS that is safe") == true, "\(error?.message ?? "")")
    }

    @Test func garbage_insteadOfAHandshake_saysThatItIsNoTLS() throws {
        let session = try TLSSession(TLSClient(), host: "members.example")
        #expect(try !session.handshake())
        Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8).withUnsafeBytes { session.feed($0) }
        let error = #expect(throws: TLSError.self) { try session.handshake() }
        #expect(error?.message.contains("does not speak TLS on that port") == true)
    }

    @Test func library_thatIsMissing_isOneClearSentence() throws {
        let error = #expect(throws: TLSError.self) { try TLSLibrary(names: ["libssl.so.none"]) }
        #expect(error == .libraryMissing(tried: ["libssl.so.none"]))
        #expect(error?.message.hasPrefix("TLS needs the system's OpenSSL, and none of libssl.so.none could be") == true)
        #expect(error?.message.contains("apt install libssl3") == true)
    }

    @Test func trustFile_thatIsMissing_isNamed() throws {
        let error = #expect(throws: TLSError.self) { try TLSClient(TLSSettings(trust: .file("/nowhere/ca.pem"))) }
        #expect(error?.message.hasPrefix("/nowhere/ca.pem can't be used (No such file or directory)") == true)
    }

    // MARK: Our certificate

    private func settings(_ authority: CertificateAuthority, _ own: CertificateAuthority.Certificate) -> TLSSettings {
        TLSSettings(trust: .file(authority.trustFile), certificate: own.certificate, key: own.key)
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func clientCertificate_isShownToAServerThatAsks(_ version: String) throws {
        let authority = CertificateAuthority()
        let server = TLSPeer(
            authority.issue("DNS:members.example"), options: version, "-Verify", "1", "-verify_return_error", "-CAfile",
            authority.trustFile)
        let client = try Client(
            port: server.port, host: "members.example", TLSClient(settings(authority, authority.issue("DNS:me"))))
        try client.handshake()
        try client.write("from me\n")
        #expect(server.wait(for: "from me\n"))
    }

    /// The server says so in its first answer after the handshake (TLS 1.3) or within it.
    private func refusal(_ version: String, own: CertificateAuthority.Certificate? = nil) throws -> String? {
        let authority = CertificateAuthority()
        let server = TLSPeer(
            authority.issue("DNS:members.example"), options: version, "-Verify", "1", "-verify_return_error", "-CAfile",
            authority.trustFile)
        var settings = TLSSettings(trust: .file(authority.trustFile))
        settings.certificate = own?.certificate
        settings.key = own?.key
        let client = try Client(port: server.port, host: "members.example", TLSClient(settings))
        let error = #expect(throws: TLSError.self) {
            try client.handshake()
            _ = try client.read(1)
        }
        return error?.message
    }

    @Test func clientCertificate_thatIsMissing_isToldByTheServersAlert() throws {
        #expect(
            try refusal("-tls1_3") == "members.example wants a client certificate: name one in "
                + "\"tls\": {\"cert\": …, \"key\": …} of the remote, or another if that is not the right one.")
        #expect(try refusal("-tls1_2")?.contains("it may want a client certificate") == true)
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func clientCertificate_ofAnotherAuthority_isToldByTheServersAlert(_ version: String) throws {
        let another = CertificateAuthority()
        let message = try refusal(version, own: another.issue("DNS:me"))
        #expect(message?.hasPrefix("members.example refused the client certificate (") == true, "\(message ?? "")")
    }

    @Test func certificateAndKey_mayBeInOneFile() throws {
        let authority = CertificateAuthority()
        let own = authority.issue("DNS:me")
        let folder = TemporaryFolder()
        let both = try [own.certificate, own.key].map { String(decoding: try Kernel.real.readFile($0), as: UTF8.self) }
        folder.write("both.pem", both.joined())
        _ = try TLSClient(TLSSettings(certificate: folder.path + "/both.pem"))
    }

    @Test func filesOfOurs_thatAreWrong_areNamed() throws {
        let authority = CertificateAuthority()
        let own = authority.issue("DNS:me")
        let other = authority.issue("DNS:other")
        func failure(_ certificate: String, _ key: String?) -> TLSError? {
            #expect(throws: TLSError.self) { try TLSClient(TLSSettings(certificate: certificate, key: key)) }
        }
        #expect(failure(own.certificate, other.key) == .keyDoesNotFit(key: other.key, certificate: own.certificate))
        let encrypted = authority.encrypted(own.key)
        #expect(failure(own.certificate, encrypted) == .keyEncrypted(path: encrypted))
        #expect(failure(own.certificate, nil)?.message.contains("must hold a private key in PEM form") == true)
        #expect(failure(own.certificate, "/nowhere")?.message.contains("/nowhere can't be used") == true)
        #expect(failure(own.key, own.key)?.message.contains("must hold certificates in PEM form") == true)
        #expect(throws: TLSError.self) { try TLSClient(TLSSettings(trust: .file(own.key))) }
    }

    // MARK: Sessions

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func secondHandshake_resumesTheFirst(_ version: String) throws {
        let authority = CertificateAuthority()
        let server = TLSPeer(authority.issue("DNS:members.example"), options: version, "-www")
        let shared = try TLSClient(TLSSettings(trust: .file(authority.trustFile)))
        for wasResumed in [false, true, true] {
            let client = try Client(port: server.port, host: "members.example", shared)
            try client.handshake()
            #expect(client.session.wasResumed == wasResumed)
            try client.write("GET / HTTP/1.0\r\n\r\n")
            // What the server itself says of it.
            #expect(try client.read(1 << 20).contains(wasResumed ? "\nReused, " : "\nNew, "))
        }
        let elsewhere = try Client(port: server.port, host: "127.0.0.1", serverName: "other.example", shared)
        let error = #expect(throws: TLSError.self) { try elsewhere.handshake() }
        #expect(error?.message.contains("not for other.example") == true)
    }

    @Test func write_whileTheServerWantsAnotherHandshake_isForLater() throws {
        let authority = CertificateAuthority()
        let server = TLSPeer(authority.issue("DNS:members.example"), options: "-tls1_2", "-legacy_renegotiation")
        let client = try Client(port: server.port, host: "members.example", trust: .file(authority.trustFile))
        try client.handshake()
        try client.write("first\n")
        #expect(server.wait(for: "first\n"))
        server.say("r\n")
        try client.feed()
        var buffer = [UInt8](repeating: 0, count: 100)
        #expect(try buffer.withUnsafeMutableBytes { try client.session.read(into: $0) } == .needsInput)
        #expect(try Array("held up\n".utf8).withUnsafeBytes { try client.session.write($0) } == 0)
        while try Array("held up\n".utf8).withUnsafeBytes({ try client.session.write($0) }) == 0 {
            try client.flush()
            try client.feed()
        }
        try client.flush()
        #expect(server.wait(for: "held up\n"))
    }
}
