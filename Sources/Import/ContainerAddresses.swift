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

    init(_ services: [DraftService]) {
        known = services.filter { !$0.container.isEmpty && !$0.source.isEmpty }.map { service in
            let port = service.container.first { $0.name == "port" }?.value.intValue
            return Known(service: service, port: service.isDisabled ? nil : port)
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
            let names = other.service.names(for: service)
            for place in service.variables.indices {
                let (name, value) = service.variables[place]
                if names.contains(value) {
                    notes += nameAlone(other, in: place, name, of: &service)
                } else {
                    service.variables[place].value = rewritten(value, other, names)
                }
            }
            for place in service.container.indices where DraftService.commands.contains(service.container[place].name) {
                let words = service.container[place].value.arrayValue ?? []
                service.container[place].value = .array(
                    words.map { word in word.stringValue.map { .string(rewritten($0, other, names)) } ?? word })
            }
            if service.texts != before, service.uses?.contains(other.service.name) != true {
                service.uses = (service.uses ?? []) + [other.service.name]
            }
        }
        return notes + leftovers(in: service)
    }

    /// Names that are left as they were, since there is no address that could stand for them.
    private func leftovers(in service: DraftService) -> [String] {
        if service.isDisabled { return [] }
        let commands = service.commandWords.map { ("its command", $0) }
        return (service.variables.map { ($0.name, $0.value) } + commands).flatMap { place, text in
            let parts = text.split { " ,;".contains($0) }.map(String.init)
            var found: [String] = []
            var names: Set<String> = []
            for other in known {
                for name in other.service.names(for: service) {
                    names.insert(name)
                    found += Self.mentions(of: name, in: text).compactMap { Self.address(at: $0, in: text) }
                }
            }
            if parts.count > 1, parts.allSatisfy(names.contains) { found = parts }
            return found.map {
                "\(service.name): \(place) says \($0), a name that leads nowhere here: SERVICE_… variables do"
            }
        }
    }

    /// What stands there, if it is an address: a name with a port, or alone in a URL.
    private static func address(at mention: Range<String.Index>, in text: String) -> String? {
        let behind = text[mention.upperBound...]
        if let port = port(in: behind) { return "\(text[mention]):\(port)" }
        return endsAuthority(behind) && text[..<mention.lowerBound].hasSuffix("//") ? String(text[mention]) : nil
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
    private func rewritten(_ text: String, _ other: Known, _ names: [String]) -> String {
        names.reduce(text) { rewritten($0, other, $1) }
    }

    private func rewritten(_ text: String, _ other: Known, _ name: String) -> String {
        guard let port = other.port else { return text }
        var result = ""
        var rest = Substring(text)
        for mention in Self.mentions(of: name, in: text) {
            let behind = text[mention.upperBound...]
            let end: String.Index
            if Self.port(in: behind) == port {
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

    /// The ports that a text calls a service at.
    static func ports(of name: String, in text: String) -> [Int] {
        mentions(of: name, in: text).compactMap { port(in: text[$0.upperBound...]) }
    }

    /// `:5432` at the start.
    private static func port(in text: Substring) -> Int? {
        let digits = text.dropFirst().prefix { $0.isASCII && $0.isNumber }
        guard text.first == ":", digits.first != "0", let port = Int(digits), 1...65535 ~= port else { return nil }
        return port
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
    var texts: [String] { variables.map(\.value) + commandWords }

    /// The names by which another service calls it.
    func names(for caller: DraftService) -> [String] {
        ([source] + aliases + caller.links.filter { $0.service == source }.map(\.alias)).filter { !$0.isEmpty }
    }

    fileprivate var commandWords: [String] {
        container.filter { Self.commands.contains($0.name) }.flatMap { $0.value.arrayValue ?? [] }
            .compactMap(\.stringValue)
    }

    fileprivate static let commands = ["entrypoint", "command"]
}
