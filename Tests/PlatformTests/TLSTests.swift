import TestSupport
import Testing

@testable import Platform

@Suite(.enabled(if: OpenSSL.isPresent, "needs the openssl program")) struct TLSTests {
    /// A blocking connection through a session, as plain as it can be.
    private final class Client {
        let session: TLSSession
        private let socket: Descriptor
        private var buffer = [UInt8](repeating: 0, count: 16384)

        init(port: Int, host: String, trust: TLSTrust, protocols: [String] = ["http/1.1"]) throws {
            let address = SocketAddress.loopback(port)
            socket = try Kernel.real.socket(for: address)
            try Kernel.real.setNonblocking(socket, false)
            _ = try Kernel.real.connect(socket, to: address)
            session = try TLSSession(client: TLSClient(trust: trust, protocols: protocols), host: host)
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

        private func flush() throws {
            while session.pendingCiphertext > 0 {
                let count = buffer.withUnsafeMutableBytes { session.take(into: $0) }
                try buffer.withUnsafeBytes {
                    try Kernel.real.writeAll(socket, UnsafeRawBufferPointer(rebasing: $0[..<count]))
                }
            }
        }

        private func feed() throws {
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
                == "The certificate of members.example was issued for another name: use the name it was issued for.")
        #expect(try failure("IP:127.0.0.2", host: "127.0.0.1")?.message.contains("another name") == true)
        #expect(try failure("DNS:127.0.0.1", host: "127.0.0.1")?.message.contains("another name") == true)
    }

    @Test func certificate_thatHasExpired_isRefused() throws {
        let error = try failure("DNS:members.example", host: "members.example", days: -1)
        #expect(
            error?.message
                == "The certificate of members.example has expired: have it renewed, or check this machine's clock.")
    }

    @Test func certificate_ofAnUnknownIssuer_isRefused() throws {
        let error = try failure("DNS:members.example", host: "members.example", trusted: false)
        #expect(error?.message.contains("comes from an issuer that this machine does not trust") == true)
        #expect(error?.message.contains("SSL_CERT_FILE") == true)
    }

    @Test func server_belowTLS12_isRefused() throws {
        let authority = CertificateAuthority()
        let server = TLSPeer(
            authority.issue("DNS:members.example"), options: "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
        let client = try Client(port: server.port, host: "members.example", trust: .file(authority.trustFile))
        let error = #expect(throws: TLSError.self) { try client.handshake() }
        #expect(error?.message.contains("The TLS handshake with members.example failed") == true)
    }

    @Test func garbage_insteadOfAHandshake_saysThatItIsNoTLS() throws {
        let session = try TLSSession(client: TLSClient(), host: "members.example")
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
        let error = #expect(throws: TLSError.self) { try TLSClient(trust: .file("/nowhere/ca.pem")) }
        #expect(error == .trustUnusable(path: "/nowhere/ca.pem"))
    }
}
