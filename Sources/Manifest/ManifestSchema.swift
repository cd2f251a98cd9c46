import JSON

/// The JSON Schema (2020-12) of a manifest, for editors: `devmesh schema`.
public enum ManifestSchema {
    public static var json: JSON {
        var members: [JSON.Member] = [
            .init("$schema", "https://json-schema.org/draft/2020-12/schema"),
            .init("title", "services.json"),
            .init("description", "A mesh of services that devmesh runs. Keys that begin with x- are free."),
        ]
        members += ManifestKeys.top.schema
        return .object(members)
    }
}

extension Shape {
    /// The members of the schema of this shape.
    fileprivate var schema: [JSON.Member] {
        switch self {
        case .text(let rule): [.init("type", "string"), .init("pattern", .string(rule.pattern))]
        case .boolean: [.init("type", "boolean")]
        case .whole(let range):
            [
                .init("type", "integer"), .init("minimum", .int(range.lowerBound)),
                .init("maximum", .int(range.upperBound)),
            ]
        case .duration(let minimum):
            [
                .init("type", "string"),
                .init(
                    "pattern",
                    .string(
                        minimum > .zero
                            ? "^(?!0+[a-z])" + Quantities.durationPattern.dropFirst() : Quantities.durationPattern)),
            ]
        case .size(let minimum):
            [
                .init(
                    "oneOf",
                    [
                        ["type": "integer", "minimum": .int(minimum)],
                        ["type": "string", "pattern": .string(Quantities.sizePattern)],
                    ])
            ]
        case .choice(let names): [.init("enum", .array(names.map { .string($0) }))]
        case .only(let value): [.init("const", value)]
        case .list(let element, let minimum):
            [.init("type", "array"), .init("items", .object(element.schema))]
                + (minimum > 0 ? [.init("minItems", .int(minimum))] : [])
        case .map(let names, let value):
            [
                .init("type", "object"),
                .init("patternProperties", ["^x-": true, names.pattern: .object(value.schema)]),
                .init("additionalProperties", false),
            ]
        case .object(let keys):
            [
                .init("type", "object"),
                .init("properties", .object(keys.map { .init($0.name, .object($0.schema)) })),
                .init("patternProperties", ["^x-": true]), .init("additionalProperties", false),
            ] + required(of: keys)
        case .either(let shapes): [.init("oneOf", .array(shapes.map { .object($0.schema) }))]
        case .anything: []
        }
    }

    private func required(of keys: [Key]) -> [JSON.Member] {
        let names = keys.filter(\.isRequired).map { JSON.string($0.name) }
        return names.isEmpty ? [] : [.init("required", .array(names))]
    }
}

extension Key {
    fileprivate var schema: [JSON.Member] {
        var members: [JSON.Member] = [
            .init("description", .string(isLater ? description + " Not yet done by devmesh." : description))
        ]
        members += shape.schema
        if let standard { members.append(.init("default", standard)) }
        if !examples.isEmpty { members.append(.init("examples", .array(examples))) }
        return members
    }
}
