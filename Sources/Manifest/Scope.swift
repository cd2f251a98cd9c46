import JSON

/// The variables that `${}` can name at some place, and what became of them: inherited ones, then the manifest's in
/// their order of precedence (contract §2).
struct Scope {
    /// What `up` inherited; `SERVICE_*` and `PORT` in it do not count.
    let inherited: [String: String]
    private var overlay: [String: (value: String, isSecret: Bool)] = [:]

    init(inherited: [String: String]) {
        self.inherited = inherited
    }

    mutating func set(_ name: String, _ value: String, isSecret: Bool) {
        overlay[name] = (value, isSecret)
    }

    subscript(name: String) -> String? {
        overlay[name]?.value ?? inherited[name]
    }

    func isSecret(_ name: String) -> Bool {
        overlay[name]?.isSecret ?? Secrets.isSecretName(name)
    }
}

/// Which injected variables (contract §4) a text may name, and why not others.
struct InjectedNames: Sendable {
    var isKnown: @Sendable (String) -> Bool
    var why: String

    static let none = InjectedNames(isKnown: { _ in false }, why: "which is known only when a process is started")
}

/// A text whose `${}` have been expanded.
struct Expansion {
    var text = ""
    /// The values in it that are not to be shown.
    var secrets: [String] = []
}

/// Expands `${}` and reports what cannot be.
struct Expander {
    let report: Report

    /// Expands a string of the manifest.
    /// - Parameters:
    ///   - injected: what is known only later; such names become references.
    ///   - later: names that the same `env` sets further down, for a better sentence.
    /// - Returns: nil where something is wrong, which has been reported, or where it is no string.
    func expand(
        _ node: JSONSyntax, _ scope: Scope, injected: InjectedNames, later: Set<String> = [], at trail: KeyTrail
    ) -> Expansion? {
        guard let text = node.string else { return nil }
        guard text.utf8.contains(UInt8(ascii: "$")) else { return Expansion(text: text) }
        let template = Template(text)
        var isSound = true
        for fault in template.faults {
            let offset = report.document.offset(ofByte: fault.offset, in: node)
            switch fault.kind {
            case .unclosed: report.error(.unclosedReference, at: offset, trail)
            case .malformed(let text): report.error(.malformedReference(text), at: offset, trail)
            case .bare(let name):
                report.warning(.bareReference(name), at: offset, trail)
                continue
            }
            isSound = false
        }
        var result = Expansion()
        for part in template.parts {
            switch part {
            case .literal(let text): result.text += text
            case .reference(let name, let fallback, let offset):
                if let value = value(of: name, fallback, scope, injected) {
                    result.text += value
                    if scope.isSecret(name), value == scope[name] { result.secrets.append(value) }
                    continue
                }
                isSound = false
                let place = report.document.offset(ofByte: offset, in: node)
                if Injected.isReserved(name) {
                    report.error(.notInjectedHere(name, injected.why), at: place, trail)
                } else {
                    report.error(.unset(name, isSetLater: later.contains(name)), at: place, trail)
                }
            }
        }
        return isSound ? result : nil
    }

    /// As the shell has it, `:-` also stands in for what is set but empty.
    private func value(of name: String, _ fallback: String?, _ scope: Scope, _ injected: InjectedNames) -> String? {
        if Injected.isReserved(name) {
            return injected.isKnown(name) ? Injected.reference(to: name) : fallback
        }
        let value = scope[name]
        return value?.isEmpty == false ? value : fallback ?? value
    }
}
