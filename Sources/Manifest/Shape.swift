import JSON

/// What a value of the manifest may look like. One table of keys in these terms (`ManifestKeys`) feeds both the
/// checker and the schema, so that they cannot differ.
indirect enum Shape: Sendable {
    case text(TextRule)
    case boolean
    case whole(ClosedRange<Int>)
    case duration(minimum: Duration)
    /// Bytes, as a number or as `"256MB"`.
    case size(minimum: Int)
    case choice([String])
    /// Only this value.
    case only(JSON)
    case list(Shape, minimum: Int)
    /// Names that the user chooses.
    case map(names: TextRule, Shape)
    case object([Key])
    /// One of several that differ by JSON type.
    case either([Shape])
    case anything
}

/// A key of an object.
struct Key: Sendable {
    var name: String
    var shape: Shape
    /// What it does, for the schema: one or two sentences.
    var description: String
    var isRequired = false
    /// What holds where the key is absent; nil: something that depends.
    var standard: JSON?
    var examples: [JSON] = []
    /// Work to come: any value is accepted, and all but the default refused with "not yet".
    var isLater = false

    init(
        _ name: String, _ shape: Shape, _ description: String, isRequired: Bool = false, standard: JSON? = nil,
        examples: [JSON] = []
    ) {
        self.name = name
        self.shape = shape
        self.description = description
        self.isRequired = isRequired
        self.standard = standard
        self.examples = examples
    }

    /// The same key where something else holds when it is absent.
    var withoutStandard: Key {
        var key = self
        key.standard = nil
        return key
    }

    static func later(_ name: String, _ description: String, standard: JSON? = nil, examples: [JSON] = []) -> Key {
        var key = Key(name, .anything, description, standard: standard, examples: examples)
        key.isLater = true
        return key
    }
}

/// What a text must look like: the pattern is for the schema, the function for the checker; a test holds them
/// against each other.
struct TextRule: Sendable {
    var pattern: String
    var expected: String
    var matches: @Sendable (String) -> Bool

    /// Any, also empty.
    static let any = TextRule(pattern: "^[^\\u0000]*$", expected: "a text") { !$0.utf8.contains(0) }

    static let filled = TextRule(pattern: "^[^\\u0000]+$", expected: "a text") {
        !$0.isEmpty && !$0.utf8.contains(0)
    }

    /// Of a request.
    static let path = TextRule(
        pattern: "^/[!-~]*$", expected: "a path that begins with /, such as \"/healthz\""
    ) { text in
        text.hasPrefix("/") && text.utf8.allSatisfy { 0x21...0x7E ~= $0 }
    }

    static let projectName = TextRule(
        pattern: "^[^\\u0000-\\u001f\\u007f/]{1,100}$", expected: "a name of at most 100 characters, without /"
    ) { text in
        1...100 ~= text.unicodeScalars.count
            && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F && $0 != "/" }
    }

    /// Contract §1.
    static let serviceName = TextRule(
        pattern: "^(?!x-)[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
        expected: "a service name: letters, digits and . _ -, at most 63, a letter or digit first"
    ) { text in
        guard let first = text.utf8.first, text.utf8.count <= 63, !text.hasPrefix("x-") else { return false }
        return first.isWordByte && first != UInt8(ascii: "_")
            && text.utf8.allSatisfy { $0.isWordByte || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
    }

    /// As names of services.
    static let versionName = TextRule(
        pattern: serviceName.pattern,
        expected: "a name of a version: letters, digits and . _ -, at most 63, a letter or digit first",
        matches: serviceName.matches)

    /// What git itself accepts is asked of git; this keeps a ref from being taken for an option, and names short.
    static let gitRef = TextRule(
        pattern: "^[^\\u0000-\\u0020\\u007f-][^\\u0000-\\u0020\\u007f]{0,99}$",
        expected: "a git ref, such as \"main\", of at most 100 characters"
    ) { text in
        1...100 ~= text.unicodeScalars.count && text.unicodeScalars.first != "-"
            && text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F }
    }

    /// RFC 9110 §5.6.2.
    static let headerName = TextRule(
        pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", expected: "a header's name: letters, digits and -"
    ) { text in
        !text.isEmpty && text.utf8.allSatisfy { $0.isWordByte || "!#$%&'*+.^`|~-".utf8.contains($0) }
    }

    /// RFC 6454 §6.1, or `*` for all.
    static let origin = TextRule(
        pattern: "^(\\*|[A-Za-z][A-Za-z0-9+.-]*://[A-Za-z0-9._:\\[\\]-]+)$",
        expected: "an origin such as \"https://app.example.com\", without a path, or \"*\""
    ) { text in
        if text == "*" { return true }
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let first = parts[0].utf8.first, !parts[1].isEmpty else { return false }
        return first.isWordByte && first != UInt8(ascii: "_") && !first.isDigit
            && parts[0].utf8.allSatisfy { $0 != UInt8(ascii: "_") && ($0.isWordByte || "+.-".utf8.contains($0)) }
            && parts[1].utf8.allSatisfy { $0.isWordByte || ".:[]-".utf8.contains($0) }
    }

    static let variableName = TextRule(
        pattern: "^[A-Za-z_][A-Za-z0-9_]*$", expected: "a variable name: letters, digits and _, no digit first"
    ) { Variable.isName($0.utf8) }
}

extension Shape {
    /// In words, after "expected".
    var expected: String {
        switch self {
        case .text(let rule): rule.expected
        case .boolean: "true or false"
        case .whole(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .duration: "a duration, such as \"200ms\", \"5s\", \"2m\" or \"1h\""
        case .size(let minimum): "a size of at least \(minimum >> 20)MB, such as \"64MB\" or \"1GB\""
        case .choice(let names): Sentence.alternatives(names.map { "\"\($0)\"" })
        case .only(let value): value.serialized()
        case .list: "a list"
        case .map, .object: "an object"
        case .either(let shapes): Sentence.alternatives(shapes.map(\.expected))
        case .anything: "a value"
        }
    }

    /// Whether a value is of the right JSON type, whatever it holds.
    func accepts(_ kind: JSONSyntax.Kind) -> Bool {
        switch (self, kind) {
        case (.text, .string), (.choice, .string), (.duration, .string), (.size, .string), (.size, .int),
            (.whole, .int), (.boolean, .bool), (.only(.bool), .bool), (.list, .array), (.map, .object),
            (.object, .object), (.anything, _):
            true
        case (.either(let shapes), _): shapes.contains { $0.accepts(kind) }
        default: false
        }
    }
}
