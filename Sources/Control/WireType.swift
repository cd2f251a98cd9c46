import JSON

/// Something that crosses the control socket as JSON.
public protocol WireType: Sendable, Equatable {
    /// - Throws: `WireProblem`, which names the member at fault.
    init(json: JSON) throws(WireProblem)
    var json: JSON { get }
}

/// JSON that is not what this side expects.
public struct WireProblem: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong and what was expected, in one sentence without the full stop.
    public let reason: String

    public init(_ reason: String) {
        self.reason = reason
    }

    public var description: String { reason }
}

/// Reads the members of one JSON object; every failure names the member.
struct WireReader {
    private let members: [JSON.Member]
    private let object: JSON

    init(_ json: JSON) throws(WireProblem) {
        guard let members = json.objectValue else { throw WireProblem("expected a JSON object") }
        self.members = members
        object = json
    }

    /// Refuses members of other names. For requests, which people type; answers may grow.
    func only(_ names: String...) throws(WireProblem) { try only(names) }

    func only(_ names: [String]) throws(WireProblem) {
        for member in members where !names.contains(member.name) {
            throw WireProblem("\"\(member.name)\" is not known here; expected \(names.joined(separator: ", "))")
        }
    }

    /// The member's value; nil if it is missing or null.
    func value(_ name: String) -> JSON? {
        guard let value = object[name], !value.isNull else { return nil }
        return value
    }

    func string(_ name: String) throws(WireProblem) -> String {
        try required(name, optionalString(name), "a string")
    }

    func optionalString(_ name: String) throws(WireProblem) -> String? {
        try read(name, "a string", \.stringValue)
    }

    func int(_ name: String) throws(WireProblem) -> Int {
        try required(name, optionalInt(name), "a whole number")
    }

    func optionalInt(_ name: String) throws(WireProblem) -> Int? {
        try read(name, "a whole number", \.intValue)
    }

    func optionalDouble(_ name: String) throws(WireProblem) -> Double? {
        try read(name, "a number", \.doubleValue)
    }

    func bool(_ name: String, default standard: Bool) throws(WireProblem) -> Bool {
        try read(name, "true or false", \.boolValue) ?? standard
    }

    func strings(_ name: String) throws(WireProblem) -> [String] {
        try required(name, optionalStrings(name), "an array of strings")
    }

    func optionalStrings(_ name: String) throws(WireProblem) -> [String]? {
        guard let array = try read(name, "an array of strings", \.arrayValue) else { return nil }
        var strings: [String] = []
        for element in array {
            guard let text = element.stringValue else { throw WireProblem("\"\(name)\": expected an array of strings") }
            strings.append(text)
        }
        return strings
    }

    /// An object whose values are all strings.
    func stringMap(_ name: String) throws(WireProblem) -> [String: String] {
        var map: [String: String] = [:]
        for member in try read(name, "an object of strings", \.objectValue) ?? [] {
            guard let text = member.value.stringValue else {
                throw WireProblem("\"\(name)\": expected an object of strings")
            }
            map[member.name] = text
        }
        return map
    }

    /// The members of an object, in their order; none where it is missing.
    func members(_ name: String) throws(WireProblem) -> [JSON.Member] {
        try read(name, "an object", \.objectValue) ?? []
    }

    func list<T: WireType>(_ name: String, of type: T.Type = T.self) throws(WireProblem) -> [T] {
        guard let array = try read(name, "an array", \.arrayValue) else { return [] }
        return try T.list(.array(array))
    }

    private func read<T>(_ name: String, _ expected: String, _ convert: (JSON) -> T?) throws(WireProblem) -> T? {
        guard let value = value(name) else { return nil }
        guard let converted = convert(value) else { throw WireProblem("\"\(name)\": expected \(expected)") }
        return converted
    }

    private func required<T>(_ name: String, _ value: T?, _ expected: String) throws(WireProblem) -> T {
        guard let value else { throw WireProblem("\"\(name)\" is missing; expected \(expected)") }
        return value
    }
}

extension WireType {
    /// Reads an array of them.
    public static func list(_ json: JSON) throws(WireProblem) -> [Self] {
        guard let array = json.arrayValue else { throw WireProblem("expected a JSON array") }
        var values: [Self] = []
        for element in array { values.append(try Self(json: element)) }
        return values
    }
}

extension JSON {
    /// Null where there is no value.
    init(_ text: String?) { self = text.map(JSON.string) ?? .null }
    init(_ number: Int?) { self = number.map(JSON.int) ?? .null }
    init(_ number: Double?) { self = number.map(JSON.double) ?? .null }
    init(_ strings: [String]) { self = .array(strings.map(JSON.string)) }
    init(_ values: [some WireType]) { self = .array(values.map(\.json)) }

    /// Members by name, so that the same map always prints the same.
    init(_ map: [String: String]) {
        self = .object(map.sorted { $0.key < $1.key }.map { Member($0.key, .string($0.value)) })
    }
}
