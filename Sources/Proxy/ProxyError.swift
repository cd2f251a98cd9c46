import Platform

/// What can go wrong in this room; `message` is the sentence for people.
public enum ProxyError: Error, Sendable, Equatable {
    case cannotListen(FrontSpec, Errno)
    case unknownHost(String, reason: String)
    case cannotConnect(host: String, port: Int, Errno)
    case connectTimedOut(host: String, port: Int, Duration)
    /// An established connection broke.
    case broken(peer: String, Errno)
    case tls(TLSError)
    /// The client speaks HTTP/2, and the remote does not.
    case noHTTP2(host: String)
    /// The remote's answer breaks the rules of HTTP.
    case badResponse(host: String, reason: String)
    /// The remote ended the connection before it had answered.
    case noResponse(host: String)
    /// It took longer than the service's `timeouts.response`.
    case responseTimedOut(host: String, Duration)
}

extension ProxyError {
    /// Says what failed, why, and what to do next.
    public var message: String {
        switch self {
        case .cannotListen(let front, .addressInUse):
            return
                "Port \(front.port), which belongs to \(name(front)), is taken by another program: end that program, "
                + (front.service == nil
                    ? "or choose another block with \"ports\": {\"first\": …} in the manifest."
                    : "or pin another port with \"port\" in the manifest.")
        case .cannotListen(let front, let error):
            return "Port \(front.port) of \(name(front)) can't be opened: \(error.explained)."
        case .unknownHost(let host, let reason):
            return "\(host) can't be found (\(reason)): check the name, and the network or VPN it needs."
        case .cannotConnect(let host, let port, .connectionRefused):
            return "\(host):\(port) refused the connection: nothing listens there; check the address."
        case .cannotConnect(let host, let port, let error):
            return "\(host):\(port) can't be reached: \(error); check the network or VPN it needs."
        case .connectTimedOut(let host, let port, let duration):
            return "\(host):\(port) did not answer within \(sentence(duration)): "
                + "check the network or VPN it needs."
        case .broken(let peer, let error):
            return "The connection to \(peer) broke: \(error)."
        case .tls(let error):
            return error.message
        case .noHTTP2(let host):
            return "\(host) does not speak HTTP/2 (it takes no h2 by ALPN): let the client speak HTTP/1.1."
        case .badResponse(let host, let reason):
            return "\(host) sent what is no HTTP/1.1 response: \(reason)."
        case .responseTimedOut(let host, let limit):
            return "\(host) did not begin to answer within \(sentence(limit)), which is its `timeouts.response`."
        case .noResponse(let host):
            return "\(host) closed the connection without an answer."
        }
    }

    /// Whether another try may succeed: nothing was said yet.
    var isAboutConnecting: Bool {
        switch self {
        case .cannotConnect, .connectTimedOut: true
        default: false
        }
    }

    /// What the client is answered with (RFC 9110 §15.6.3 and §15.6.5).
    var status: Int {
        if case .responseTimedOut = self { 504 } else { 502 }
    }

    private func name(_ front: FrontSpec) -> String {
        guard let service = front.service else { return "the gateway" }
        guard let caller = front.caller else { return service }
        return "the edge \(caller) → \(service)"
    }
}
