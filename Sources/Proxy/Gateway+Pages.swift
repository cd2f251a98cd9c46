import HTTP

/// Which web pages may call through the gateway (contract §7, rule 6). Only browsers say `Origin` and `Sec-Fetch-Site`;
/// what says neither is no page's.
///
///     somebody follows a link          Sec-Fetch-Mode: navigate   served
///     a page of this project           Origin, else Referer       served
///     a page of a declared origin      the same                   served
///     any other page, and its preflights                          refused
extension Gateway {
    /// Why a request to `destination`, the gateway's own list included, is refused; nil where it is not.
    func refusal(
        of head: RequestHead, in bytes: UnsafeRawBufferPointer, to destination: Destination
    ) -> HTTPProblem? {
        guard Gateway.isOfABrowser(head, in: bytes), !destination.credentialGuard.isOpenToAll else { return nil }
        let headers = HTTPHeaders(head.fields, in: bytes)
        let onlyReads = head.method == .get || head.method == .head
        if onlyReads, headers.values("Sec-Fetch-Mode") == ["navigate"] { return nil }
        var pages = headers.values("Origin")
        if pages.isEmpty {
            if headers.values("Sec-Fetch-Site").allSatisfy({ $0 == "same-origin" || $0 == "none" }) { return nil }
            // Images and scripts say no Origin.
            pages = headers.values("Referer").map(WebOrigin.ofPage)
        }
        let host = authority(of: head).map { String(decoding: bytes[$0], as: UTF8.self) }
        let isAdmitted = pages.allSatisfy { page in
            guard let origin = WebOrigin(page) else { return false }
            return destination.credentialGuard.declares(origin) || isOfThisProject(origin, calling: host)
        }
        if isAdmitted, !pages.isEmpty { return nil }
        let what = destination === home ? "the gateway" : "\(destination.name) through the gateway"
        let mend = destination === home ? "" : ": declare their origin in its \"origins\" in the manifest"
        return HTTPProblem(403, "Pages of \(pages.first ?? "other sites") may not call \(what)\(mend).")
    }

    /// Looked at for each request, so without allocation.
    private static func isOfABrowser(_ head: RequestHead, in bytes: UnsafeRawBufferPointer) -> Bool {
        head.fields.contains { same(origin, bytes, $0.name) || same(site, bytes, $0.name) }
    }

    private static let origin = Array("origin".utf8)
    private static let site = Array("sec-fetch-site".utf8)

    private func authority(of head: RequestHead) -> Range<Int>? {
        if case .absolute(let authority, _) = head.form { authority } else { head.host?.value }
    }

    /// Whether a page comes from the gateway, under any of its names, or from an address of one of the services.
    private func isOfThisProject(_ origin: WebOrigin, calling host: String?) -> Bool {
        let (name, port) = (origin.authority.host, origin.authority.port)
        guard let port, table.serves(name) || HostTable.isOwn(name) else { return false }
        return proxy.listens(on: port) || host.map { origin.isAtPort(of: $0) } ?? false
    }
}
