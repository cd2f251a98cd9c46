import JSON

// `hosts` and `paths`: what leads to a service at the gateway.

/// One of a service's `paths`.
public struct GatewayPath: Sendable, Equatable {
    /// Whole segments, without a slash at the end: `/members`; empty for every path.
    public var prefix: String
    /// Whether the service is asked without the prefix.
    public var strips: Bool

    public init(prefix: String, strips: Bool = false) {
        self.prefix = prefix
        self.strips = strips
    }
}

/// Host names that the gateway knows without being told.
public enum GatewayHost {
    /// `members.localhost` and `members.newsroom.localhost`.
    public static func names(of service: String, in project: String) -> [String] {
        ["\(label(of: service)).localhost", "\(label(of: service)).\(label(of: project)).localhost"]
    }

    /// A name as a label of host names (RFC 1123 §2.1): what none can hold becomes `-`.
    public static func label(of name: String) -> String {
        let isLabel = name.utf8.allSatisfy {
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || $0.isDigit || $0 == UInt8(ascii: "-")
        }
        // Most are.
        if isLabel { return name }
        return String(name.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" })
    }
}

extension TextRule {
    /// RFC 1123 §2.1; `_` is in use, too.
    static let hostName = TextRule(
        pattern: "^(?=.{1,253}$)[A-Za-z0-9_][A-Za-z0-9_-]{0,62}(\\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*$",
        expected: "a host name without a port, such as \"members.test\""
    ) { text in
        text.utf8.count <= 253
            && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
                1...63 ~= label.utf8.count && label.first != "-"
                    && label.utf8.allSatisfy { $0.isWordByte || $0 == UInt8(ascii: "-") }
            }
    }

    static let pathPrefix = TextRule(
        pattern: "^/[!\"$->@-~]*$", expected: "a path that begins with /, without ? and #, such as \"/members\""
    ) { text in
        path.matches(text) && !text.utf8.contains { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }
    }
}

extension ManifestKeys {
    static let hosts = Key(
        "hosts", .list(.text(.hostName), minimum: 0),
        "Host names that lead to it at the gateway, beside members.localhost. Services that share one differ by paths.",
        standard: [], examples: [["members.test"]])

    static let paths = Key(
        "paths",
        .list(
            .either([
                .text(.pathPrefix),
                .object([
                    Key(
                        "path", .text(.pathPrefix), "The beginning of a request's path: whole segments.",
                        isRequired: true, examples: ["/members"]),
                    Key("strip", .boolean, "Whether the service is asked without it.", standard: false),
                ]),
            ]), minimum: 0),
        "Paths at the gateway's own address (localhost) that lead to it; the longest that fits wins.", standard: [],
        examples: [["/members"], [["path": "/members", "strip": true]]])
}

extension ServiceReader {
    var hosts: [String] {
        ManifestReader.texts(node["hosts"]).reduce(into: []) { hosts, host in
            let host = host.lowercased()
            if !hosts.contains(host) { hosts.append(host) }
        }
    }

    var paths: [GatewayPath] {
        (node["paths"]?.elements ?? []).compactMap { element in
            guard let text = element.gatewayPath else { return nil }
            return GatewayPath(prefix: text, strips: element["strip"]?.bool ?? false)
        }
    }
}

extension JSONSyntax {
    /// The prefix that an element of `paths` means.
    var gatewayPath: String? {
        guard var text = (string ?? self["path"]?.string).map({ Substring($0) }) else { return nil }
        while text.last == "/" { text.removeLast() }
        return String(text)
    }
}
