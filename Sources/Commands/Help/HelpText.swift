/// `--help` and `devmesh help`, written from the commands' own data.
struct HelpText {
    /// Columns to fill.
    var width: Int

    /// Wider lines are hard to read, narrower ones hard to fill.
    static let widths = 40...100

    init(width: Int?) {
        self.width = min(max(width ?? 80, HelpText.widths.lowerBound), HelpText.widths.upperBound)
    }

    /// What `devmesh COMMAND --help` prints.
    func command(_ spec: CommandSpec) -> String {
        var lines = Wrapping.lines(HelpText.sentence(spec.abstract), width: width)
        lines += ["", "Usage: " + HelpText.usage(spec)]
        if !spec.details.isEmpty { lines += [""] + Wrapping.lines(spec.details, width: width) }
        if !spec.arguments.isEmpty {
            lines += ["", "Arguments:"]
            lines += Wrapping.definitions(spec.arguments.map { ($0.name, $0.help) }, width: width)
        }
        lines += ["", "Options:"]
        lines += Wrapping.definitions(spec.allOptions.map { ($0.signature, $0.help) }, width: width)
        lines += ["", spec.examples.count == 1 ? "Example:" : "Examples:"] + examples(spec.examples)
        return lines.joined(separator: "\n") + "\n"
    }

    /// What `devmesh help` prints: every command with its line, by group.
    func overview(_ specs: [CommandSpec]) -> String {
        var lines = Wrapping.lines(HelpText.purpose, width: width)
        lines += ["", "Usage: devmesh [-f FILE] COMMAND [OPTION…]"]
        let column = specs.map(\.name.count).max() ?? 0
        for group in CommandSpec.Group.allCases {
            let members = specs.filter { $0.group == group && !$0.isHidden }
            if members.isEmpty { continue }
            lines += ["", group.rawValue + ":"]
            let pairs = members.map { spec in
                (spec.name + String(repeating: " ", count: column - spec.name.count), spec.abstract)
            }
            lines += Wrapping.definitions(pairs, width: width)
        }
        lines += ["", "Options:"]
        let global: [OptionSpec] = [.file, .help, .flag("version", "V", "show the version")]
        lines += Wrapping.definitions(global.map { ($0.signature, $0.help) }, width: width)
        lines += [""] + Wrapping.lines(HelpText.next, width: width)
        return lines.joined(separator: "\n") + "\n"
    }

    static let purpose = """
        devmesh runs the services of a project on this machine, each behind an address that never changes, and lets \
        you restart, rebuild or swap any one of them while the others go on.
        """
    private static let next = """
        `devmesh COMMAND --help` says more about a command. `devmesh up` is the one to begin with.
        """

    /// `devmesh up [OPTION…] [SERVICE…]`
    static func usage(_ spec: CommandSpec) -> String {
        (["devmesh", spec.name, "[OPTION…]"] + spec.arguments.map(\.usage)).joined(separator: " ")
    }

    static func sentence(_ abstract: String) -> String { abstract.prefix(1).uppercased() + abstract.dropFirst() + "." }

    /// The purpose beside the line where all fit, else above it.
    private func examples(_ examples: [CommandSpec.Example]) -> [String] {
        let column = examples.map { DisplayWidth.of($0.line) }.max() ?? 0
        let fits = examples.allSatisfy { 2 + column + 4 + DisplayWidth.of($0.purpose) <= width }
        return examples.flatMap { example in
            let blanks = String(repeating: " ", count: column - DisplayWidth.of(example.line))
            return fits
                ? ["  \(example.line)\(blanks)  # \(example.purpose)"]
                : Wrapping.lines(example.purpose, width: width - 2).map { "  # " + $0 } + ["  " + example.line]
        }
    }
}
