import JSON

/// Something that the user should mend in a manifest or in an envFile that it names.
public struct Diagnostic: Sendable, Equatable, CustomStringConvertible {
    public var severity: Severity
    /// As it is shown: `services.json`, or the envFile as the manifest names it.
    public var file: String
    public var position: Position
    /// `services.reader.ready.http`, `services.reader.uses[0]`; empty for the file as a whole.
    public var keyPath: String
    public var sentence: Sentence

    public enum Severity: Sendable, Equatable {
        /// The manifest cannot be used.
        case error
        /// It can, but probably means something else.
        case warning
    }

    /// `services.json:12:7: services.reader.restart: expected …, found "sometimes". Did you mean "always"?`
    public var description: String { place + sentence.description }

    /// The same without what to do.
    public var fact: String { place + sentence.fact }

    private var place: String {
        let kind = severity == .warning ? "warning: " : ""
        return "\(file):\(position.line):\(position.column): " + kind + (keyPath.isEmpty ? "" : keyPath + ": ")
    }
}

/// What was expected, what was found and how to mend it.
public struct Sentence: Sendable, Equatable, CustomStringConvertible {
    public var expected: String
    public var found: String
    /// A sentence of its own, without its full stop.
    public var mend: String

    public var description: String { "\(fact). \(mend)" + (mend.hasSuffix("?") ? "" : ".") }

    public var fact: String { "expected \(expected), found \(found)" }
}

/// The way from the top of a manifest to a value, as people write it.
struct KeyTrail {
    private(set) var text = ""
    init() {}

    private init(text: String) {
        self.text = text
    }

    /// Whether a name on the way is that of a secret.
    var isSecret: Bool { Secrets.isSecretName(text) }

    /// The way to the innermost value that spans a place.
    init(to offset: Int, in root: JSONSyntax) {
        var trail = KeyTrail()
        var next: JSONSyntax? = root
        while let node = next {
            next = nil
            switch node.kind {
            case .object(let members):
                if let member = members.last(where: { $0.nameOffset <= offset && offset <= $0.value.end }) {
                    trail = trail.key(member.name)
                    next = member.value
                }
            case .array(let elements):
                if let index = elements.lastIndex(where: { $0.offset <= offset && offset <= $0.end }) {
                    trail = trail.element(index)
                    next = elements[index]
                }
            default: break
            }
        }
        self = trail
    }

    func key(_ name: String) -> KeyTrail {
        let isPlain = name.utf8.allSatisfy { $0.isWordByte || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "$") }
        if name.isEmpty || !isPlain { return KeyTrail(text: "\(text)[\"\(name)\"]") }
        return KeyTrail(text: text.isEmpty ? name : "\(text).\(name)")
    }

    func element(_ index: Int) -> KeyTrail {
        KeyTrail(text: "\(text)[\(index)]")
    }
}

extension UInt8 {
    /// Letters, digits and `_` of ASCII: what names of variables are made of.
    var isWordByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
        default: isDigit
        }
    }

    var asciiUppercased: UInt8 {
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= self ? self & 0xDF : self
    }

    var isDigit: Bool {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= self
    }
}
