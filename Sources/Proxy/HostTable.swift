import HTTP
import Platform

/// Which service a request at the gateway is for, by its host and path. Pure, and without allocation where it finds one.
///
///     members.localhost, members.newsroom.localhost  → members, whatever the path
///     a declared host                                → its service; where several have it, the one of the path
///     localhost and the like                         → the service of the path, else the list of services
///     another name under localhost                   → nothing
///     anything else                                  → refused, as a name of the web that was rebound to this machine
///
/// Ports don't count, nor does the case of hosts.
public struct HostTable: Sendable, Equatable {
    /// What leads to a service.
    public struct Entry: Sendable, Equatable {
        public var service: String
        /// Which are its alone.
        public var ownHosts: [String]
        /// Which others may have, too.
        public var sharedHosts: [String]
        public var paths: [Path]

        public init(service: String, ownHosts: [String] = [], sharedHosts: [String] = [], paths: [Path] = []) {
            self.service = service
            self.ownHosts = ownHosts
            self.sharedHosts = sharedHosts
            self.paths = paths
        }
    }

    public struct Path: Sendable, Equatable {
        /// Whole segments, without a slash at the end: `/members`; empty for every path.
        public var prefix: String
        /// Whether the service is asked without it.
        public var strips: Bool

        public init(_ prefix: String, strips: Bool = false) {
            self.prefix = prefix
            self.strips = strips
        }
    }

    enum Finding: Equatable {
        /// How many bytes of the path the service does not see.
        case service(String, strippedCount: Int)
        /// The gateway itself is asked, or nothing that it knows.
        case gateway
        /// A host under localhost, or a shared one, where nobody has the path.
        case nobody(host: String)
        case foreign(host: String)
    }

    private struct Rule: Equatable {
        var service: String
        var prefix: [UInt8]
        var strips: Bool

        var finding: Finding { .service(service, strippedCount: strips ? prefix.count : 0) }
    }

    private struct Host: Equatable {
        var name: [UInt8]
        /// Longer prefixes first.
        var rules: [Rule]
    }

    private var hosts: [Host] = []
    /// At the gateway's own names.
    private var paths: [Rule] = []

    public init(_ entries: [Entry] = []) {
        var found: [String: Int] = [:]
        func add(_ rules: [Rule], to name: String) {
            let name = name.lowercased()
            if let index = found[name] { return hosts[index].rules += rules }
            found[name] = hosts.count
            hosts.append(Host(name: Array(name.utf8), rules: rules))
        }
        func all(_ service: String) -> Rule { Rule(service: service, prefix: [], strips: false) }
        for entry in entries {
            for host in entry.ownHosts { add([all(entry.service)], to: host) }
            let rules = entry.paths.map { path in
                Rule(service: entry.service, prefix: Array(path.prefix.utf8), strips: path.strips)
            }
            paths += rules
            for host in entry.sharedHosts {
                // Whoever has a host to itself, or has said nothing of paths, takes what is left of it.
                let isAlone = entries.count { $0.sharedHosts.contains(host) } == 1
                add(rules + (isAlone || rules.isEmpty ? [all(entry.service)] : []), to: host)
            }
        }
        paths.sort { $0.prefix.count > $1.prefix.count }
        for index in hosts.indices { hosts[index].rules.sort { $0.prefix.count > $1.prefix.count } }
    }

    /// Finds the service of a request that was parsed from `buffer`. One of HTTP/1.0 without a host asks the gateway.
    func find(_ head: RequestHead, in buffer: UnsafeRawBufferPointer) -> Finding {
        let path = buffer[head.path ?? 0..<0]
        let authority: Range<Int>
        if case .absolute(let range, _) = head.form {
            authority = range
        } else if let host = head.host?.value {
            authority = host
        } else {
            return rule(in: paths, for: path)?.finding ?? .gateway
        }
        let name = HostTable.hostName(buffer[authority])
        if let host = hosts.first(where: { equalsWithoutCase($0.name, name) }) {
            return rule(in: host.rules, for: path)?.finding ?? .nobody(host: lowercased(name))
        }
        let host = lowercased(name)
        if HostTable.isOwn(host) { return rule(in: paths, for: path)?.finding ?? .gateway }
        return host.hasSuffix(".localhost") ? .nobody(host: host) : .foreign(host: host)
    }

    /// Whether something may be asked under a host name, in lower case.
    func serves(_ host: String) -> Bool {
        host == "localhost" || host.hasSuffix(".localhost") || hosts.contains { $0.name.elementsEqual(host.utf8) }
    }

    private func rule(in rules: [Rule], for path: Slice<UnsafeRawBufferPointer>) -> Rule? {
        rules.first { rule in
            guard path.starts(with: rule.prefix) else { return false }
            guard path.count > rule.prefix.count, !rule.prefix.isEmpty else { return true }
            let next = path[path.startIndex + rule.prefix.count]
            return next == UInt8(ascii: "/") || next == UInt8(ascii: "?")
        }
    }

    /// Without port and final dot.
    private static func hostName(_ authority: Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer> {
        var name = authority
        if name.first == UInt8(ascii: "[") {
            // Anything but a port behind the brackets makes it no literal.
            guard let end = name.firstIndex(of: UInt8(ascii: "]")) else { return name }
            let rest = name[end...].dropFirst()
            return rest.isEmpty || rest.first == UInt8(ascii: ":") ? name[...end] : name
        }
        name = name[..<(name.firstIndex(of: UInt8(ascii: ":")) ?? name.endIndex)]
        if name.last == UInt8(ascii: ".") { name.removeLast() }
        return name
    }

    /// Whether a host is a name of this machine itself: localhost, 127.0.0.0/8 or ::1.
    static func isOwn(_ host: String) -> Bool {
        if host == "localhost" { return true }
        let literal = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        switch SocketAddress(literal: literal, port: 0) {
        case .v4(let address, _): return address >> 24 == 127
        case .v6(0, 1, _, _): return true
        default: return false
        }
    }

    private func lowercased(_ name: Slice<UnsafeRawBufferPointer>) -> String {
        String(decoding: name, as: UTF8.self).lowercased()
    }
}

/// Whether bytes are those of a text in lower case, whatever their own case is.
private func equalsWithoutCase(_ text: [UInt8], _ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
    text.count == bytes.count && zip(text, bytes).allSatisfy { $0 == ($1 &- 0x41 < 26 ? $1 | 0x20 : $1) }
}
