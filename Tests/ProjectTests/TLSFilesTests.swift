import Manifest
import Project
import TestSupport
import Testing

/// What OpenSSL says of the files that a manifest's `tls` names, as the manifest's error.
@Suite(.enabled(if: OpenSSL.isPresent, "needs the openssl program")) struct TLSFilesTests {
    private let authority = CertificateAuthority()

    private func problems(_ ca: String? = nil, _ cert: String? = nil, _ key: String? = nil) throws -> [String] {
        let fixture = ProjectFixture()
        let keys = [("ca", ca), ("cert", cert), ("key", key)].compactMap { name, path in
            path.map { "\"\(name)\": \"\($0)\"" }
        }
        fixture.folder.write(
            "shop/services.json",
            #"{"services": {"a": {"remote": {"url": "https://a.example", "tls": {\#(keys.joined(separator: ", "))}}}}}"#
        )
        switch try fixture.project.readManifest(environment: [:], currentDirectory: fixture.folder.path + "/shop") {
        case .valid: return []
        case .invalid(let diagnostics): return diagnostics.map { "\($0.keyPath): \($0.sentence)" }
        }
    }

    @Test func filesThatFit_areTaken() throws {
        let own = authority.issue("DNS:me")
        #expect(try problems(authority.trustFile, own.certificate, own.key) == [])
    }

    @Test func fileOfAnotherKind_isNamedAtItsKey() throws {
        let own = authority.issue("DNS:me")
        for (key, found) in [("ca", try problems(own.key)), ("cert", try problems(nil, own.key, own.key))] {
            #expect(found.count == 1)
            #expect(
                found.first?.hasPrefix("services.a.remote.tls.\(key): expected a PEM file with certificates, found \"")
                    == true)
            #expect(found.first?.contains("openssl x509 -inform der") == true)
        }
        #expect(
            try problems(nil, own.certificate, authority.trustFile).first?
                .hasPrefix("services.a.remote.tls.key: expected a PEM file with a private key, found \"ca.pem\"")
                == true)
        // Without "key" it should be in the file of "cert".
        #expect(
            try problems(nil, own.certificate).first?
                .hasPrefix("services.a.remote.tls.cert: expected a PEM file with a private key, found") == true)
    }

    @Test func keyOfAnotherCertificate_orBehindAPassphrase_isRefused() throws {
        let own = authority.issue("DNS:me")
        let other = authority.issue("DNS:other")
        #expect(
            try problems(nil, own.certificate, other.key) == [
                "services.a.remote.tls.key: expected the private key of the certificate in \"cert\", found another's. "
                    + "Name the two that were made together."
            ])
        #expect(
            try problems(nil, own.certificate, authority.encrypted(own.key)) == [
                "services.a.remote.tls.key: expected a private key without a passphrase, found an encrypted one. Write it "
                    + "anew with openssl pkey -in KEY -out FILE, to a file that only you can read."
            ])
    }
}
