import JSON

/// An object of another tool's file, of which it is known what has been asked for: the rest is told to the user, so that
/// nothing is dropped silently. A value of another type than asked for counts as not asked for.
final class Fields {
    private let members: [JSON.Member]
    private var taken: Set<String> = []
    private var inner: [(name: String, fields: Fields)] = []

    init(_ json: JSON?) {
        members = json?.objectValue ?? []
    }

    private func take<Value>(_ name: String, _ read: (JSON) -> Value?) -> Value? {
        guard let value = members.last(where: { $0.name == name })?.value, let result = read(value) else { return nil }
        taken.insert(name)
        return result
    }

    /// A text that is not empty.
    func text(_ name: String) -> String? { take(name) { $0.plainText.flatMap { $0.isEmpty ? nil : $0 } } }

    func bool(_ name: String) -> Bool? { take(name) { $0.boolValue } }

    /// A whole number, also in quotes.
    func whole(_ name: String) -> Int? { take(name) { $0.intValue ?? $0.stringValue.flatMap { Int($0) } } }

    func texts(_ name: String) -> [String]? {
        take(name) { value in
            guard let elements = value.arrayValue else { return nil }
            let texts = elements.compactMap(\.plainText)
            return texts.count == elements.count ? texts : nil
        }
    }

    func array(_ name: String) -> [JSON]? { take(name) { $0.arrayValue } }

    func members(_ name: String) -> [JSON.Member]? { take(name) { $0.objectValue } }

    /// An object within; what of it nobody asks for is part of `rest`.
    func object(_ name: String) -> Fields? {
        take(name) { $0.objectValue.map { _ in () } }.map {
            let fields = Fields(members.last { $0.name == name }?.value)
            inner.append((name, fields))
            return fields
        }
    }

    /// What changes nothing here.
    func ignore(_ names: String...) { taken.formUnion(names) }

    /// What nobody has asked for, `healthcheck.retries`; what says nothing is left out: null, false and empty.
    var rest: [String] {
        members.filter { !taken.contains($0.name) && !$0.value.saysNothing && !$0.name.hasPrefix("x-") }.map(\.name)
            + inner.flatMap { part in part.fields.rest.map { "\(part.name).\($0)" } }
    }
}

extension JSON {
    /// A string, or a number or truth value as one; nil where a program could not be given it.
    var plainText: String? {
        switch self {
        case .string(let text): text.utf8.contains(0) ? nil : text
        case .bool, .int, .double: serialized()
        default: nil
        }
    }

    fileprivate var saysNothing: Bool {
        switch self {
        case .null, .bool(false): true
        case .string(let text): text.isEmpty
        case .array(let elements): elements.isEmpty
        case .object(let members): members.isEmpty
        default: false
        }
    }
}
