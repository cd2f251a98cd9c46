/// A text with `${NAME}`, `${NAME:-x}` and `$$` (a dollar) in it.
struct Template {
    var parts: [Part] = []
    var faults: [Fault] = []

    enum Part: Equatable {
        case literal(String)
        /// `offset`: the UTF-8 offset of the `$`.
        case reference(name: String, fallback: String?, offset: Int)
    }

    struct Fault: Equatable {
        var kind: Kind
        /// In UTF-8 from the start of the text.
        var offset: Int

        enum Kind: Equatable {
            /// `${` without `}`.
            case unclosed
            /// `${…}` that is neither form.
            case malformed(String)
            /// `$NAME`, which stays as it is; only a warning.
            case bare(String)
        }
    }

    init(_ text: String) {
        let bytes = Array(text.utf8)
        var literal: [UInt8] = []
        var index = 0
        func finishLiteral() {
            if !literal.isEmpty { parts.append(.literal(String(decoding: literal, as: UTF8.self))) }
            literal = []
        }
        while index < bytes.count {
            let next = index + 1 < bytes.count ? bytes[index + 1] : 0
            if bytes[index] != UInt8(ascii: "$") {
                literal.append(bytes[index])
                index += 1
            } else if next == UInt8(ascii: "$") {
                literal.append(UInt8(ascii: "$"))
                index += 2
            } else if next == UInt8(ascii: "{") {
                guard let end = bytes[index...].firstIndex(of: UInt8(ascii: "}")) else {
                    faults.append(Fault(kind: .unclosed, offset: index))
                    return
                }
                finishLiteral()
                add(reference: String(decoding: bytes[(index + 2)..<end], as: UTF8.self), offset: index)
                index = end + 1
            } else {
                if next.isWordByte, !next.isDigit {
                    let name = bytes[(index + 1)...].prefix { $0.isWordByte }
                    faults.append(Fault(kind: .bare(String(decoding: name, as: UTF8.self)), offset: index))
                }
                literal.append(UInt8(ascii: "$"))
                index += 1
            }
        }
        finishLiteral()
    }

    private mutating func add(reference: String, offset: Int) {
        let name = String(Substring(reference.utf8.prefix { $0.isWordByte }))
        let rest = reference.dropFirst(name.count)
        guard TextRule.variableName.matches(name), rest.isEmpty || rest.hasPrefix(":-") else {
            faults.append(Fault(kind: .malformed(reference), offset: offset))
            return
        }
        parts.append(.reference(name: name, fallback: rest.isEmpty ? nil : String(rest.dropFirst(2)), offset: offset))
    }
}
