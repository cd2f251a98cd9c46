/// What `devmesh doctor` says to people.
enum FindingsText {
    /// - Parameter width: columns of the terminal; nil where nothing limits them.
    static func lines(_ findings: [Finding], width: Int?, colours: Bool) -> [String] {
        let width = width ?? .max
        let indent = Finding.State.problem.rawValue.count + 2
        var lines: [String] = []
        for finding in findings {
            let word = finding.state.rawValue
            let gap = String(repeating: " ", count: indent - word.count)
            let text = Wrapping.lines("\(finding.check): \(finding.detail)", width: width, indent: indent)
            let state = Style(finding.state).apply(to: word, colours: colours)
            lines += [state + gap + (text.first ?? "").dropFirst(indent)] + text.dropFirst()
            if let remedy = finding.remedy { lines += Wrapping.lines("→ " + remedy, width: width, indent: indent) }
        }
        return lines
    }

    /// What it comes to.
    static func summary(_ findings: [Finding]) -> String {
        let problems = findings.count { $0.state == .problem }
        let warnings = findings.count { $0.state == .warning }
        return problems > 0
            ? Sentences.unhealthy(problems: problems, warnings: warnings) : Sentences.healthy(warnings: warnings)
    }
}

extension Style {
    fileprivate init(_ state: Finding.State) {
        switch state {
        case .ok: self = .green
        case .warning: self = .yellow
        case .problem: self = .red
        }
    }
}
