import JSON

/// `remote`.
extension ServiceReader {
    mutating func remote(_ scope: Scope) -> Remote? {
        guard let node = node["remote"] else { return nil }
        let trail = trail.key("remote")
        if node.string != nil { return parse(node, host: nil, scope, at: trail) }
        guard let url = node["url"] else { return nil }
        let headers = headers(node["headers"], scope, at: trail.key("headers"))
        let tls = tls(node["tls"], scope, at: trail.key("tls"))
        guard var remote = parse(url, host: host(node, scope, at: trail), scope, at: trail.key("url")) else {
            return nil
        }
        remote.headers = headers
        remote.tls = tls
        if remote.scheme == .tcp, !headers.isEmpty {
            reader.report.error(.headersOfTCP, at: node["headers"]!.offset, trail.key("headers"))
        }
        if remote.scheme == .http, tls != nil {
            reader.report.error(.tlsOfHTTP, at: node["tls"]!.offset, trail.key("tls"))
        }
        return remote
    }

    private mutating func host(_ remote: JSONSyntax, _ scope: Scope, at trail: KeyTrail) -> String? {
        guard let node = remote["host"], let text = expand(node, scope, at: trail.key("host")) else { return nil }
        if !Remote.isHostHeader(text) { report(.wrongHostHeader(masked(text)), node, trail.key("host")) }
        return text
    }

    private mutating func parse(_ node: JSONSyntax, host: String?, _ scope: Scope, at trail: KeyTrail) -> Remote? {
        // An empty text in the manifest itself has been reported, but not one that `${}` gave.
        guard let text = expand(node, scope, at: trail), node.string?.isEmpty == false else {
            return nil
        }
        switch Remote.parse(text, shown: masked(text), host: host) {
        case .success(let remote): return remote
        case .failure(let failure):
            report(failure.sentence, node, trail)
            return nil
        }
    }

    // MARK: Headers

    /// What framing, this hop and the guard against loops depend on.
    private static let ownHeaders: Set<String> = [
        "connection", "content-length", "expect", "keep-alive", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade", "via",
    ]

    private mutating func headers(_ node: JSONSyntax?, _ scope: Scope, at trail: KeyTrail) -> [Remote.Header] {
        guard case .object(let members) = node?.kind else { return [] }
        var headers: [Remote.Header] = []
        for member in members where TextRule.headerName.matches(member.name) {
            let trail = trail.key(member.name)
            let lower = member.name.lowercased()
            if let twin = headers.first(where: { $0.name.lowercased() == lower }), twin.name != member.name {
                reader.report.error(.sameHeader(member.name, as: twin.name), at: member.nameOffset, trail)
            }
            if lower == "host" || Self.ownHeaders.contains(lower) {
                reader.report.error(.ownHeader(member.name), at: member.nameOffset, trail)
            }
            let secretsBefore = secrets.count
            guard let value = expand(member.value, scope, at: trail) else { continue }
            if !value.unicodeScalars.allSatisfy({ $0 == "\t" || $0.value >= 0x20 && $0.value != 0x7F }) {
                report(.wrongHeaderValue, member.value, trail)
            }
            let isSecret = Secrets.isSecretHeader(member.name) || secrets.count > secretsBefore
            if isSecret {
                secrets.append(value)
                // `Bearer …`: the token by itself, too.
                if let token = value.split(separator: " ").last { secrets.append(String(token)) }
            }
            headers.append(Remote.Header(name: member.name, value: value, isSecret: isSecret))
        }
        return headers
    }

    // MARK: TLS

    private mutating func tls(_ node: JSONSyntax?, _ scope: Scope, at trail: KeyTrail) -> Remote.TLS? {
        guard let node, let members = node.members, !members.isEmpty else { return nil }
        var tls = Remote.TLS()
        tls.ca = file("ca", node, scope, at: trail)
        tls.certificate = file("cert", node, scope, at: trail)
        tls.key = file("key", node, scope, at: trail)
        tls.isInsecure = node["insecure"]?.bool ?? false
        if let name = node["serverName"], let text = expand(name, scope, at: trail.key("serverName")) {
            // One colon is a port's, not an IPv6 address's.
            if !Remote.isHost(Substring(text)) || text.utf8.count(where: { $0 == UInt8(ascii: ":") }) == 1 {
                report(.wrongServerName(masked(text)), name, trail.key("serverName"))
            }
            tls.serverName = text
        }
        if let key = node["key"], node["cert"] == nil { report(.keyWithoutCertificate, key, trail.key("key")) }
        if let insecure = node["insecure"], tls.isInsecure {
            reader.report.warning(.insecure(entry.name), at: insecure.offset, trail.key("insecure"))
        }
        if let fault = reader.checkTLS(tls), let named = node[fault.key] ?? node["cert"] {
            report(.wrongTLSFile(fault), named, trail.key(node[fault.key] == nil ? "cert" : fault.key))
        }
        return tls
    }

    /// The absolute path of a file that can be read; nil where there is none.
    private mutating func file(_ key: String, _ node: JSONSyntax, _ scope: Scope, at trail: KeyTrail) -> String? {
        guard let node = node[key], let name = expand(node, scope, at: trail.key(key)), !name.isEmpty,
            !name.utf8.contains(0)
        else { return nil }
        let path = reader.absolute(name)
        if case .failure(let failure) = reader.readFile(path) {
            report(.unreadableFile(masked(name), failure.reason), node, trail.key(key))
            return nil
        }
        return path
    }

    private func masked(_ text: String) -> String { Secrets.masking(secrets, in: text) }

    private func report(_ sentence: Sentence, _ node: JSONSyntax, _ trail: KeyTrail) {
        reader.report.error(sentence, at: node.offset, trail)
    }
}
