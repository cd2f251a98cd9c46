import HTTP
import Platform

/// The project's one HTTP door: its connections have no service of their own, and each request finds one.
///
///     client ──▶ Front ──▶ Connection ── each request: HostTable ──▶ Destination ──▶ as from the service's front
///                                                        └──▶ the list of services, or a refusal
final class Gateway {
    /// Whose connections are that have asked for no service yet.
    let home: Destination
    var table = HostTable()
    unowned let proxy: Proxy

    init(_ proxy: Proxy) {
        self.proxy = proxy
        home = Destination("gateway", proxy: proxy)
        home.protocolKind = .http
    }

    func destination(_ service: String) -> Destination { proxy.destination(service) }

    /// Nil where the user has made no authority.
    var tlsServer: TLSServer? { proxy.tls.server { [unowned self] in table.serves($0) } }

    var overview: GatewayOverview { proxy.delegate?.overview() ?? GatewayOverview(project: "", services: []) }

    static let speaksHTTP1 = "The gateway speaks HTTP/1.1: call the service by its own address, which takes everything."

    static func refusal(of host: String) -> HTTPProblem {
        HTTPProblem(
            403,
            "The gateway does not serve the host name \(host), which may be a web page's that was rebound to this machine: "
                + "call it as localhost, or add the name to the \"hosts\" of a service in the manifest.")
    }
}

extension Exchange {
    /// At the gateway: sends the request that `bench.request` has parsed from `bytes` to its service; false where the
    /// gateway has answered it itself.
    func find(by gateway: Gateway, _ bytes: UnsafeRawBufferPointer) -> Bool {
        strippedCount = 0
        let finding = gateway.table.find(bench.request, in: bytes)
        if case .service(let name, let count) = finding {
            connection.move(to: gateway.destination(name))
            strippedCount = count
        } else {
            connection.move(to: gateway.home)
        }
        if let problem = gateway.refusal(of: bench.request, in: bytes, to: connection.destination) {
            refuse(problem)
            return false
        }
        switch finding {
        case .service: return true
        case .foreign(let host): refuse(Gateway.refusal(of: host))
        case .nobody(let host): show(gateway.overview, "No service has \(host) and this path.")
        case .gateway:
            let isRoot = bench.request.path.map { bytes[$0].prefix { $0 != UInt8(ascii: "?") }.count <= 1 } ?? false
            let asksForList = isRoot && (method == .get || method == .head)
            show(gateway.overview, asksForList ? nil : "No service has this path.")
        }
        return false
    }

    private func show(_ overview: GatewayOverview, _ problem: String?) {
        let status = problem == nil ? 200 : 404
        let document = overview.document(form, problem)
        connection.deliver(Answer.response(status, form, document, withBody: method != .head))
    }
}
