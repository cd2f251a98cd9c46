import JSON
import Testing

/// A JSON Schema validator of the keywords that ours uses; any other is a failure of the test.
struct SchemaValidator {
    /// What a value does wrong, by its place; empty where it is valid.
    func faults(of value: JSON, under schema: JSON, at place: String = "") throws -> [String] {
        if case .bool(let isAllowed) = schema { return isAllowed ? [] : ["\(place): not allowed"] }
        var faults: [String] = []
        for member in try #require(schema.objectValue) {
            faults += try self.faults(of: value, member.name, member.value, in: schema, at: place)
        }
        return faults
    }

    private func faults(
        of value: JSON, _ keyword: String, _ argument: JSON, in schema: JSON, at place: String
    ) throws -> [String] {
        func fault(unless isGood: Bool) -> [String] { isGood ? [] : ["\(place): \(keyword)"] }
        switch keyword {
        case "$schema", "title", "description", "default", "examples": return []
        case "type": return fault(unless: hasType(value, argument.stringValue))
        case "const": return fault(unless: value == argument)
        case "enum": return fault(unless: argument.arrayValue?.contains(value) ?? false)
        case "minimum": return fault(unless: value.doubleValue.map { $0 >= argument.doubleValue! } ?? true)
        case "maximum": return fault(unless: value.doubleValue.map { $0 <= argument.doubleValue! } ?? true)
        case "minItems": return fault(unless: value.arrayValue.map { $0.count >= argument.intValue! } ?? true)
        case "pattern": return fault(unless: try value.stringValue.map { try matches($0, argument) } ?? true)
        case "items":
            return try (value.arrayValue ?? []).enumerated().flatMap { index, element in
                try self.faults(of: element, under: argument, at: "\(place)/\(index)")
            }
        case "oneOf":
            let matching = try argument.arrayValue!.filter { try self.faults(of: value, under: $0).isEmpty }
            return fault(unless: matching.count == 1)
        case "required": return fault(unless: argument.arrayValue!.allSatisfy { value[$0.stringValue!] != nil })
        case "properties", "patternProperties", "additionalProperties":
            return try members(of: value, keyword, argument, in: schema, at: place)
        default:
            Issue.record("the schema uses \(keyword), which this validator does not know")
            return []
        }
    }

    private func members(
        of value: JSON, _ keyword: String, _ argument: JSON, in schema: JSON, at place: String
    ) throws -> [String] {
        try (value.objectValue ?? []).flatMap { member -> [String] in
            let place = "\(place)/\(member.name)"
            switch keyword {
            case "properties":
                return try argument[member.name].map { try faults(of: member.value, under: $0, at: place) } ?? []
            case "patternProperties":
                return try argument.objectValue!.filter { try matches(member.name, .string($0.name)) }
                    .flatMap { try faults(of: member.value, under: $0.value, at: place) }
            default:
                let patterns = schema["patternProperties"]?.objectValue ?? []
                let isKnown =
                    try schema["properties"]?[member.name] != nil
                    || patterns.contains { try matches(member.name, .string($0.name)) }
                return isKnown ? [] : try faults(of: member.value, under: argument, at: place)
            }
        }
    }

    private func hasType(_ value: JSON, _ type: String?) -> Bool {
        switch (type, value) {
        case ("object", .object), ("array", .array), ("string", .string), ("boolean", .bool), ("null", .null): true
        case ("integer", _): value.intValue != nil
        case ("number", _): value.doubleValue != nil
        default: false
        }
    }

    private func matches(_ text: String, _ pattern: JSON) throws -> Bool {
        // As ECMAScript has it: scalars rather than characters, and `$` only at the end.
        let expression = try Regex(try #require(pattern.stringValue)).matchingSemantics(.unicodeScalar)
        return text.firstMatch(of: expression) != nil
    }
}
