import JSON

/// Holds a manifest against the table of keys: names of keys, kinds of values, ranges and "not yet". What needs more
/// than one value at a time is `ManifestRules`' business.
struct ShapeChecker {
    let report: Report

    /// - Parameter outer: the whole of which `shape` is one alternative.
    func check(
        _ node: JSONSyntax, _ shape: Shape, of outer: Shape? = nil, at trail: KeyTrail, isSecret: Bool = false
    ) {
        let outer = outer ?? shape
        if case .invalid = node.kind { return }
        guard shape.accepts(node.kind) else {
            let hasWhole = node.wholeNumber != nil && shape.accepts(.int(0))
            if !hasWhole {
                report.error(.wrongKind(shape, found: node, isSecret: isSecret), at: node.offset, trail)
                return
            }
            return checkScalar(node, shape, of: outer, at: trail, isSecret: isSecret)
        }
        switch (shape, node.kind) {
        case (.list(let element, let minimum), .array(let elements)):
            if elements.count < minimum { report.error(.tooShort(minimum), at: node.offset, trail) }
            for (index, node) in elements.enumerated() { check(node, element, at: trail.element(index)) }
        case (.map(let names, let value), .object(let members)): check(members, names, value, at: trail)
        case (.object(let keys), .object(let members)):
            check(members, keys, at: trail)
            for key in keys where key.isRequired && report.document.errors.isEmpty && node[key.name] == nil {
                report.error(.missing(key), at: node.offset, trail)
            }
        default: checkScalar(node, shape, of: outer, at: trail, isSecret: isSecret)
        }
    }

    private func checkScalar(
        _ node: JSONSyntax, _ shape: Shape, of outer: Shape, at trail: KeyTrail, isSecret: Bool
    ) {
        switch (shape, node.kind) {
        case (.text(let rule), .string(let text)):
            if !rule.matches(text) {
                report.error(.wrongText(rule, found: text, isSecret: isSecret), at: node.offset, trail)
            }
        case (.choice(let names), .string(let text)):
            if !names.contains(text) {
                let nearest = report.nearest(to: text, among: names)
                report.error(.wrongChoice(names, found: text, nearest: nearest), at: node.offset, trail)
            }
        case (.duration(let minimum), .string(let text)):
            if Quantities.duration(text).map({ $0 < minimum }) ?? true {
                report.error(.wrongDuration(found: text, minimum: minimum), at: node.offset, trail)
            }
        case (.whole(let range), _):
            if let number = node.wholeNumber, !range.contains(number) {
                report.error(.wrongNumber(range, found: String(number)), at: node.offset, trail)
            }
        case (.size(let minimum), _):
            if (node.wholeNumber ?? node.string.flatMap(Quantities.size)).map({ $0 < minimum }) ?? true {
                report.error(.wrongSize(minimum, found: Sentence.found(node)), at: node.offset, trail)
            }
        case (.only(let value), _):
            if node.json != value {
                report.error(
                    .notOnly(value, expected: outer.expected, found: Sentence.found(node)), at: node.offset, trail)
            }
        case (.either(let shapes), _):
            let number = JSONSyntax.Kind.int(0)
            if let shape = shapes.first(where: { $0.accepts(node.kind) }) ?? shapes.first(where: { $0.accepts(number) })
            {
                check(node, shape, of: outer, at: trail, isSecret: isSecret)
            }
        default: break
        }
    }

    private func check(_ members: [JSONSyntax.Member], _ names: TextRule, _ value: Shape, at trail: KeyTrail) {
        // A header may begin with x-, and is none of the user's own keys then.
        let members = members.filter { !$0.isExtension || names.matches($0.name) }
        reportRepeats(members, at: trail)
        for member in members {
            if !names.matches(member.name) {
                report.error(.wrongName(names, found: member.name), at: member.nameOffset, trail.key(member.name))
            }
            check(member.value, value, at: trail.key(member.name), isSecret: Secrets.isSecretHeader(member.name))
        }
    }

    private func check(_ members: [JSONSyntax.Member], _ keys: [Key], at trail: KeyTrail) {
        let members = members.filter { !$0.isExtension }
        reportRepeats(members, at: trail)
        for member in members {
            let memberTrail = trail.key(member.name)
            guard let key = keys.first(where: { $0.name == member.name }) else {
                let nearest = report.nearest(to: member.name, among: keys.map(\.name))
                report.error(.unknownKey(member.name, nearest: nearest), at: member.nameOffset, memberTrail)
                continue
            }
            guard key.isLater else {
                check(member.value, key.shape, at: memberTrail)
                continue
            }
            if case .invalid = member.value.kind { continue }
            let value = member.value.json
            if value != .null, value != key.standard {
                report.error(.notYet(key, found: Sentence.found(member.value)), at: member.nameOffset, memberTrail)
            }
        }
    }

    private func reportRepeats(_ members: [JSONSyntax.Member], at trail: KeyTrail) {
        var first: [String: Int] = [:]
        first.reserveCapacity(members.count)
        for member in members {
            if let offset = first[member.name] {
                report.error(
                    .repeated(member.name, first: report.position(at: offset)), at: member.nameOffset,
                    trail.key(member.name))
            } else {
                first[member.name] = member.nameOffset
            }
        }
    }
}

extension JSONSyntax.Member {
    /// Whether it is the user's own (`x-…`), which devmesh does not look at.
    var isExtension: Bool { name.hasPrefix("x-") }
}

extension JSONSyntax {
    var string: String? {
        if case .string(let value) = kind { value } else { nil }
    }

    var bool: Bool? {
        if case .bool(let value) = kind { value } else { nil }
    }

    /// Also of `8080.0`, which JSON does not tell apart.
    var wholeNumber: Int? {
        switch kind {
        case .int, .double: json.intValue
        default: nil
        }
    }

    var elements: [JSONSyntax]? {
        if case .array(let value) = kind { value } else { nil }
    }

    /// Without the user's own.
    var members: [Member]? {
        if case .object(let value) = kind { value.filter { !$0.isExtension } } else { nil }
    }
}
