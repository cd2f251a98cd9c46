import JSON

/// What leads to a service at the gateway leads to no other.
struct GatewayRules {
    let report: Report
    let roster: Roster
    let manifest: Manifest

    /// Where something was said first.
    private struct Claim {
        var service: String
        var offset: Int
    }

    func run() {
        checkHosts()
        checkPaths()
        for (entry, service) in zip(roster.entries, manifest.services) {
            for key in ["hosts", "paths"] {
                guard let node = entry.node[key] else { continue }
                if service.listens == .nothing {
                    report.error(.workerWith(key), at: node.offset, trail(entry, key))
                } else if service.protocol == .tcp {
                    report.error(.tcpWith(key), at: node.offset, trail(entry, key))
                }
            }
        }
    }

    private func checkHosts() {
        var automatic: [String: String] = [:]
        for service in manifest.services where service.listens != .nothing {
            for host in GatewayHost.names(of: service.name, in: manifest.name) { automatic[host] = service.name }
        }
        var claims: [String: Claim] = [:]
        for entry in roster.entries {
            for (index, node) in (entry.node["hosts"]?.elements ?? []).enumerated() {
                guard let host = node.string?.lowercased(), TextRule.hostName.matches(host) else { continue }
                let trail = trail(entry, "hosts").element(index)
                if isGateways(host) {
                    report.error(.hostOfGateway(host), at: node.offset, trail)
                } else if let owner = automatic[host], owner != entry.name {
                    report.error(.hostOfService(host, owner), at: node.offset, trail)
                } else if entry.node["paths"]?.elements?.isEmpty ?? true {
                    // Those with paths may share it.
                    if let first = claims[host], first.service != entry.name {
                        let place = report.position(at: first.offset)
                        report.error(.sharedHost(host, with: first.service, at: place), at: node.offset, trail)
                    }
                    claims[host] = claims[host] ?? Claim(service: entry.name, offset: node.offset)
                }
            }
        }
    }

    /// The names that the gateway itself is called by.
    private func isGateways(_ host: String) -> Bool {
        host == "localhost" || host.utf8.allSatisfy { $0.isDigit || $0 == UInt8(ascii: ".") }
    }

    private func checkPaths() {
        var claims: [String: Claim] = [:]
        for entry in roster.entries {
            for (index, node) in (entry.node["paths"]?.elements ?? []).enumerated() {
                guard let prefix = node.gatewayPath else { continue }
                if let first = claims[prefix] {
                    let place = report.position(at: first.offset)
                    report.error(
                        .sharedPath(prefix.isEmpty ? "/" : prefix, with: first.service, at: place), at: node.offset,
                        trail(entry, "paths").element(index))
                }
                claims[prefix] = claims[prefix] ?? Claim(service: entry.name, offset: node.offset)
            }
        }
    }

    private func trail(_ entry: Roster.Entry, _ key: String) -> KeyTrail {
        KeyTrail().key("services").key(entry.name).key(key)
    }
}

extension Sentence {
    static func hostOfGateway(_ host: String) -> Sentence {
        Sentence(
            expected: "a host name of its own", found: "\(quoted(host)), which is the gateway's",
            mend: "Use \"paths\" to lead a part of it to this service")
    }

    static func hostOfService(_ host: String, _ owner: String) -> Sentence {
        Sentence(
            expected: "a host name of its own", found: "\(quoted(host)), which leads to \(quoted(owner))",
            mend: "Choose another")
    }

    static func sharedHost(_ host: String, with other: String, at position: Position) -> Sentence {
        Sentence(
            expected: "a host name of its own",
            found: "\(quoted(host)), which \(quoted(other)) (\(place(position))) has too",
            mend: "Change one of the two, or tell them apart by \"paths\"")
    }

    static func sharedPath(_ path: String, with other: String, at position: Position) -> Sentence {
        Sentence(
            expected: "a path of its own",
            found: "\(quoted(path)), which \(quoted(other)) (\(place(position))) has too",
            mend: "Change one of the two")
    }

    static func tcpWith(_ key: String) -> Sentence {
        Sentence(
            expected: "a service that speaks HTTP", found: "\(quoted(key)) beside \"protocol\": \"tcp\"",
            mend: "Remove one of the two")
    }
}
