import JSON
import Manifest

/// Containers of one network reach each other by name, `db:5432`; here they do by the addresses of edges.
///
/// What a name that stands alone means only its variable can tell: `DB_HOST` is the service, `DB_PASSWORD` is not.
struct ContainerAddresses {
    private struct Known {
        let service: DraftService
        /// Inside; nil: nobody has said one.
        let port: Int?
        /// Of its variables.
        var stem: String { "SERVICE_" + Injected.stem(of: service.name) }
    }

    private let known: [Known]

    /// - Parameter services: those that have no port of their own get the one that others call them at.
    init(_ services: inout [DraftService]) {
        for index in services.indices where !services[index].container.isEmpty && services[index].listens == .nowhere {
            let name = services[index].source
            let texts = services.filter { $0.source != name && !$0.container.isEmpty }.flatMap(\.texts)
            guard !name.isEmpty, let port = texts.lazy.compactMap({ Self.port(of: name, in: $0) }).first else {
                continue
            }
            services[index].container.append(JSON.Member("port", .int(port)))
            services[index].listens = .assigned
            services[index].comments = []
        }
        known = services.filter { !$0.container.isEmpty && !$0.source.isEmpty }.map { service in
            Known(service: service, port: service.container.first { $0.name == "port" }?.value.intValue)
        }
    }

    /// Writes references to addresses into the variables and the command of a container, and adds whom it calls so to
    /// its `uses`.
    /// - Returns: notes on what is to be done by hand.
    func rewrite(_ service: inout DraftService) -> [String] {
        guard !service.container.isEmpty else { return [] }
        var notes: [String] = []
        for other in known where other.service.name != service.name {
            let before = service.texts
            for place in service.variables.indices {
                let (name, value) = service.variables[place]
                if value == other.service.source {
                    notes += nameAlone(other, in: place, name, of: &service)
                } else {
                    service.variables[place].value = rewritten(value, other)
                }
            }
            if let place = service.container.firstIndex(where: { $0.name == "command" }) {
                let words = service.container[place].value.arrayValue ?? []
                service.container[place].value = .array(
                    words.map { word in word.stringValue.map { .string(rewritten($0, other)) } ?? word })
            }
            if service.texts != before, service.uses?.contains(other.service.name) != true {
                service.uses = (service.uses ?? []) + [other.service.name]
            }
        }
        return notes
    }

    /// A variable that is the name of a service and nothing else.
    private func nameAlone(_ other: Known, in place: Int, _ name: String, of service: inout DraftService) -> [String] {
        let parts = name.uppercased().split(separator: "_")
        let isHost = parts.contains { ["HOST", "HOSTNAME", "SERVER", "ADDR"].contains($0) }
        guard isHost, let port = other.port else {
            if Secrets.isSecretName(name) { return [] }
            return ["\(service.name): if \(name) is to name the service, write ${\(other.stem)_HOST}"]
        }
        service.variables[place].value = "${\(other.stem)_HOST}"
        let beside = service.variables.firstIndex {
            $0.name == name.replacing("HOST", with: "PORT") && $0.value == "\(port)"
        }
        guard let beside else {
            return [
                "\(service.name): \(name) says where \(other.service.name) is; its port is that of \(other.stem)_PORT, no "
                    + "longer \(port)"
            ]
        }
        service.variables[beside].value = "${\(other.stem)_PORT}"
        return []
    }

    /// `db:5432`, and in a URL `db` alone, become `${SERVICE_DB_ADDRESS}`.
    private func rewritten(_ text: String, _ other: Known) -> String {
        guard let port = other.port else { return text }
        var result = ""
        var rest = Substring(text)
        for mention in Self.mentions(of: other.service.source, in: text) {
            let behind = text[mention.upperBound...]
            let end: String.Index
            if behind.hasPrefix(":\(port)"), behind.dropFirst("\(port)".count + 1).first?.isNumber != true {
                end = text.index(mention.upperBound, offsetBy: "\(port)".count + 1)
            } else if Self.endsAuthority(behind), Self.beginsAuthority(text[..<mention.lowerBound]) {
                end = mention.upperBound
            } else {
                continue
            }
            result += text[rest.startIndex..<mention.lowerBound] + "${\(other.stem)_ADDRESS}"
            rest = text[end...]
        }
        return result + rest
    }

    /// The port that a text calls a service at.
    private static func port(of name: String, in text: String) -> Int? {
        mentions(of: name, in: text).lazy.compactMap { mention in
            let behind = text[mention.upperBound...]
            guard behind.first == ":" else { return nil }
            return Int(behind.dropFirst().prefix { $0.isASCII && $0.isNumber }).flatMap { 1...65535 ~= $0 ? $0 : nil }
        }.first
    }

    /// Where a name stands that is no part of another.
    private static func mentions(of name: String, in text: String) -> [Range<String.Index>] {
        func isPart(_ character: Character) -> Bool {
            character.isLetter || character.isNumber || "._-".contains(character)
        }
        return text.ranges(of: name).filter { range in
            let before = range.lowerBound == text.startIndex ? nil : text[text.index(before: range.lowerBound)]
            let behind = text[range.upperBound...].first
            return !(before.map(isPart) ?? false) && !(behind.map(isPart) ?? false)
        }
    }

    private static func beginsAuthority(_ before: Substring) -> Bool { before.hasSuffix("//") || before.hasSuffix("@") }

    private static func endsAuthority(_ behind: Substring) -> Bool { behind.first.map { "/?#".contains($0) } ?? true }
}

extension DraftService {
    /// What may name other services.
    fileprivate var texts: [String] {
        variables.map(\.value)
            + (container.first { $0.name == "command" }?.value.arrayValue ?? []).compactMap(\.stringValue)
    }
}
