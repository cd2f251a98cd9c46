import HTTP
import Platform
import Testing

@testable import Proxy

/// Who may call where a remote adds credentials (contract §7, rule 6), judged without a connection.
@Suite struct CredentialGuardTests {
    private func refusal(_ lines: [String], target: String = "/", origins: [String] = []) -> String? {
        var head = RequestHead()
        let text = ["GET \(target) HTTP/1.1"] + lines.map { $0 } + ["", ""]
        return Array(text.joined(separator: "\r\n").utf8).withUnsafeBytes { bytes in
            guard case .complete = head.parse(bytes) else {
                Issue.record("no request: \(lines)")
                return nil
            }
            let problem = CredentialGuard(service: "Mem_bers", origins: origins).refusal(of: head, in: bytes)
            #expect(problem == nil || problem?.status == 403)
            return problem?.reason
        }
    }

    @Test(arguments: [
        "127.0.0.1:20003", "127.0.0.1", "[::1]:20003", "[::1]", "localhost:20003", "LOCALHOST",
        "members.localhost:20000",
        "mem_bers", "MEM-BERS:80", "a.b.localhost.", "10.1.2.3:1", "localhost.",
    ])
    func host_thatIsOurs_isServed(_ host: String) { #expect(refusal(["Host: \(host)"]) == nil) }

    @Test(arguments: [
        "evil.example", "evil.example:20003", "localhost.evil.example", "127.0.0.1.evil.example", "notlocalhost",
        "members", "[evil]", "127.1", "0x7f.1", "2130706433",
        "localhost:x", ":80", "[::1", "[::1]x",
    ])
    func host_ofSomebodyElse_isRefused(_ host: String) {
        #expect(refusal(["Host: \(host)"])?.contains("is not served under the host name \(host)") == true)
    }

    @Test func target_inAbsoluteForm_isAHostToo() {
        #expect(refusal(["Host: localhost"], target: "http://evil.example/") != nil)
        #expect(refusal(["Host: localhost"], target: "http://localhost/") == nil)
        #expect(refusal(["Host: evil.example"], target: "http://localhost/") != nil)
    }

    @Test(arguments: ["cross-site", "same-site", "CROSS-SITE", "something-new", ""])
    func pageOfAnotherSite_isRefused(_ site: String) {
        #expect(
            refusal(["Host: localhost", "Sec-Fetch-Site: \(site)"])
                == "Mem_bers adds credentials, so that pages of other sites may not call it: declare the page's origin in "
                + "its \"origins\" in the manifest.")
    }

    @Test func pageOfItsOwn_orThePersonAtTheBrowser_isServed() {
        #expect(refusal(["Host: localhost:1", "Sec-Fetch-Site: same-origin", "Origin: http://localhost:1"]) == nil)
        #expect(refusal(["Host: localhost:1", "Sec-Fetch-Site: none"]) == nil)
        #expect(refusal(["Host: 127.0.0.1", "Origin: http://127.0.0.1"]) == nil)
        #expect(refusal(["Host: [::1]:443", "Origin: https://[::1]"]) == nil)
    }

    @Test(arguments: [
        "https://evil.example", "null", "http://localhost:2", "http://localhost", "http://127.0.0.1:1",
        "ftp://localhost:1",
        "localhost:1", "http://localhost:1.evil.example", "http://evil.example:1", "",
    ])
    func origin_thatIsForeign_isRefused(_ origin: String) {
        #expect(refusal(["Host: localhost:1", "Origin: \(origin)"])?.contains("may not call it") == true)
        // One that is known does not vouch for another.
        #expect(refusal(["Host: localhost:1", "Origin: http://localhost:1", "Origin: \(origin)"]) != nil)
    }

    @Test func origin_thatIsDeclared_isServedAndItsHostTrusted() {
        let origins = ["https://App.example", "http://[::1]:3000"]
        let page = ["Host: localhost:1", "Sec-Fetch-Site: cross-site"]
        #expect(refusal(page + ["Origin: https://app.example"], origins: origins) == nil)
        #expect(refusal(page + ["Origin: https://app.example:443"], origins: origins) == nil)
        #expect(refusal(page + ["Origin: http://[::1]:3000"], origins: origins) == nil)
        #expect(refusal(page + ["Origin: http://app.example"], origins: origins) != nil)
        #expect(refusal(page + ["Origin: https://app.example:8443"], origins: origins) != nil)
        // An image or a form's GET says no Origin: nothing tells whose it is.
        #expect(refusal(page, origins: origins) != nil)
        #expect(refusal(["Host: app.example:20003"], origins: origins) == nil)
        #expect(refusal(["Host: evil.example"], origins: origins) != nil)
    }

    @Test func star_opensEverything() {
        #expect(refusal(["Host: evil.example", "Sec-Fetch-Site: cross-site", "Origin: null"], origins: ["*"]) == nil)
    }

    @Test func user_ofAnotherAccount_isRefused() {
        let credentialGuard = CredentialGuard(service: "members", origins: ["*"])
        #expect(credentialGuard.refusal(of: 1000, owner: 1000) == nil)
        #expect(credentialGuard.refusal(of: 0, owner: 1000) == nil)
        #expect(
            credentialGuard.refusal(of: 1001, owner: 1000)?.reason
                == "members adds credentials, of user 1000, and the caller is user 1001: only that user may call it.")
        #expect(credentialGuard.refusal(of: 1001, owner: 0)?.status == 403)
        #expect(credentialGuard.refusal(of: nil, owner: 1000)?.status == 403)
    }
}
