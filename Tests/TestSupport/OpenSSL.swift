import Platform

/// The `openssl` program, for tests that need certificates and a TLS server that is not ours.
public enum OpenSSL {
    public static let program = try? Executable.find(
        "openssl", path: ThisProcess.environment["PATH"], directory: "/")

    /// Whether tests that need it can run here.
    public static var isPresent: Bool { program != nil }

    /// Runs it to its end; the test stops where it fails.
    static func run(_ arguments: String...) {
        let request = SpawnRequest(
            path: program!, arguments: ["openssl"] + arguments, environment: ThisProcess.environment)
        let status = ChildTable.wait(try! ChildTable.spawn(request))
        precondition(status == .exited(0), "openssl \(arguments.joined(separator: " ")): \(status)")
    }
}

/// An authority that lives as long as a test, and issues certificates.
public final class CertificateAuthority: Sendable {
    public struct Certificate: Sendable {
        public var certificate: String
        public var key: String
    }

    private let folder = TemporaryFolder()
    /// Its own certificate, in PEM.
    public var trustFile: String { folder.path + "/ca.pem" }
    /// The same with its key, as a server would show it that signs for itself.
    public var itself: Certificate { Certificate(certificate: trustFile, key: folder.path + "/ca.key") }

    public init() {
        OpenSSL.run(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            "/CN=Test Authority", "-keyout", folder.path + "/ca.key", "-out", trustFile)
    }

    /// Issues a certificate for subject alternative names as `DNS:localhost,IP:127.0.0.1`.
    /// - Parameters:
    ///   - days: how long it is valid from now; -1: until yesterday.
    ///   - isForLater: it is valid from 2099.
    public func issue(_ names: String, days: Int = 2, isForLater: Bool = false) -> Certificate {
        let base = folder.path + "/\(UInt64.random(in: 0 ... .max))"
        try! Kernel.real.writeAll(
            Kernel.real.open(base + ".ext", .truncate, permissions: 0o600), "subjectAltName=\(names)\n")
        OpenSSL.run(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=test", "-keyout",
            base + ".key", "-out", base + ".csr")
        if isForLater {
            folder.write("index.txt", "")
            folder.write(
                "ca.cnf",
                """
                [ca]
                default_ca = test
                [test]
                database = \(folder.path)/index.txt
                new_certs_dir = \(folder.path)
                default_md = sha256
                rand_serial = yes
                policy = any
                [any]
                commonName = supplied

                """)
            OpenSSL.run(
                "ca", "-batch", "-notext", "-config", folder.path + "/ca.cnf", "-startdate",
                "20990101000000Z", "-enddate", "20990201000000Z", "-cert", trustFile, "-keyfile",
                folder.path + "/ca.key",
                "-extfile", base + ".ext", "-in", base + ".csr", "-out", base + ".pem")
            return Certificate(certificate: base + ".pem", key: base + ".key")
        }
        OpenSSL.run(
            "x509", "-req", "-in", base + ".csr", "-CA", trustFile, "-CAkey", folder.path + "/ca.key",
            "-CAcreateserial",
            "-days", "\(days)", "-extfile", base + ".ext", "-out", base + ".pem")
        return Certificate(certificate: base + ".pem", key: base + ".key")
    }
}

extension CertificateAuthority {
    /// The file of a key, encrypted with a passphrase.
    public func encrypted(_ key: String) -> String {
        OpenSSL.run("pkey", "-in", key, "-aes128", "-passout", "pass:hunter2", "-out", key + ".encrypted")
        return key + ".encrypted"
    }
}

/// `openssl s_server`: what it is told goes to its client, what the client says is heard here.
public final class TLSPeer {
    public private(set) var port = 0
    /// Everything it has printed: the client's plaintext among its own remarks.
    public private(set) var heard = ""
    private let pid: Int32
    private let input: Descriptor
    private let output: Descriptor
    private let poller: any Poller = try! PollerBackend.poll.make()

    /// Listens on a port of its own.
    public convenience init(_ certificate: CertificateAuthority.Certificate, options: String...) {
        self.init(certificate, options)
    }

    public init(_ certificate: CertificateAuthority.Certificate, _ options: [String]) {
        let stdin = try! Kernel.real.pipe()
        let stdout = try! Kernel.real.pipe()
        let request = SpawnRequest(
            path: OpenSSL.program!,
            arguments: [
                "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certificate.certificate, "-key",
                certificate.key,
            ] + options,
            environment: ThisProcess.environment)
        pid = try! ChildTable.spawn(
            request, stdin: stdin.reader.raw, stdout: stdout.writer.raw, stderr: stdout.writer.raw)
        input = stdin.writer
        output = stdout.reader
        try! Kernel.real.setNonblocking(output)
        try! poller.add(output.raw, token: 1)
        guard wait(for: "ACCEPT 127.0.0.1:"), wait(for: "\n") else { return }
        let line = heard.split(separator: "\n").first { $0.hasPrefix("ACCEPT ") } ?? ""
        port = Int(line.split(separator: ":").last ?? "") ?? 0
    }

    /// Says something to the client; its first letter must not be one of s_server's commands (`Q`, `q`, `P`, `r`, …).
    public func say(_ text: String) { try! Kernel.real.writeAll(input, text) }

    /// Has it do nothing for a while.
    public func pause() { ChildTable.signal(pid, Signal(name: "STOP")!, group: false) }
    public func goOn() { ChildTable.signal(pid, Signal(name: "CONT")!, group: false) }

    /// Waits until it has printed `text`, ten seconds at most; false where it has not.
    public func wait(for text: String) -> Bool {
        let deadline = Instant.now + patience(.seconds(10))
        var buffer = [UInt8](repeating: 0, count: 65536)
        var events: [PollEvent] = []
        while !heard.contains(text) {
            guard Instant.now < deadline else { return false }
            switch try! buffer.withUnsafeMutableBytes({ try Kernel.real.read(output, into: $0) }) {
            case .bytes(let count): heard += String(decoding: buffer[..<count], as: UTF8.self)
            case .endOfFile: return false
            case .wouldBlock:
                poller.rearm(output.raw, token: 1, .readable)
                events.removeAll()
                try! poller.wait(100, into: &events)
            }
        }
        return true
    }

    deinit {
        poller.remove(output.raw, token: 1)
        ChildTable.signal(pid, .kill, group: false)
        _ = ChildTable.wait(pid)
    }
}

extension String {
    /// Whether `text` stands somewhere in it, without Foundation.
    fileprivate func contains(_ text: String) -> Bool {
        let bytes = Array(utf8)
        let wanted = Array(text.utf8)
        guard bytes.count >= wanted.count else { return false }
        return (0...(bytes.count - wanted.count)).contains { bytes[$0..<$0 + wanted.count].elementsEqual(wanted) }
    }
}
