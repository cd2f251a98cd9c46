/// A subcommand as data: parsing, `--help`, completions and the man page all come from this.
struct CommandSpec: Sendable {
    var name: String
    /// One line, a verb first, no full stop: "stop everything".
    var abstract: String
    var group: Group
    /// Paragraphs with a blank line between them; wrapped to the terminal.
    var details = ""
    var arguments: [ArgumentSpec] = []
    var options: [OptionSpec] = []
    var examples: [Example]
    /// Left out of listings and completions: machinery.
    var isHidden = false

    /// How the listing of `devmesh help` is divided, in this order.
    enum Group: String, CaseIterable, Sendable {
        case mesh = "The mesh"
        case service = "One service, no other touched"
        case look = "Look"
        case environment = "Run something in it"
        case manifest = "The manifest"
        case tool = "devmesh itself"
    }

    struct Example: Sendable {
        var line: String
        var purpose: String

        init(_ line: String, _ purpose: String) {
            self.line = line
            self.purpose = purpose
        }
    }

    /// Its own options, then those that every command has. `-f` names the manifest unless the command has its own.
    var allOptions: [OptionSpec] {
        var file = OptionSpec.file
        if options.contains(where: { $0.short == file.short }) { file.short = nil }
        return options + [file, .help]
    }
}

/// `--since TIME`, `-f`: one option of a command.
struct OptionSpec: Sendable {
    /// Without the dashes.
    var long: String
    var short: Character?
    /// Nil: a flag.
    var value: Value?
    var help: String

    struct Value: Sendable {
        /// `TIME`, as shown in the usage.
        var placeholder: String
        var kind: ValueKind
    }

    /// Declares a flag.
    static func flag(_ long: String, _ short: Character? = nil, _ help: String) -> OptionSpec {
        OptionSpec(long: long, short: short, value: nil, help: help)
    }

    /// Declares an option that takes a value.
    static func value(
        _ long: String, _ short: Character? = nil, _ placeholder: String, _ kind: ValueKind, _ help: String
    ) -> OptionSpec {
        OptionSpec(long: long, short: short, value: Value(placeholder: placeholder, kind: kind), help: help)
    }

    static let file = value(
        "file", "f", "FILE", .file, "the manifest, instead of services.json here or in the nearest parent")
    static let help = flag("help", "h", "show this help")
    static let json = flag("json", "print JSON, for programs")

    static func flag(_ long: String, _ help: String) -> OptionSpec { flag(long, nil, help) }
    static func value(_ long: String, _ placeholder: String, _ kind: ValueKind, _ help: String) -> OptionSpec {
        value(long, nil, placeholder, kind, help)
    }

    /// `-f, --file FILE`, as a listing shows it.
    var signature: String {
        (short.map { "-\($0), " } ?? "    ") + "--" + long + (value.map { " " + $0.placeholder } ?? "")
    }
}

/// What fills an argument or a value: completions ask.
enum ValueKind: Sendable, Equatable {
    case text
    case file
    case service
    /// Services with commas between them.
    case serviceList
    /// `reader=3`
    case serviceCount
    /// Where a service can be served from.
    case target
    case choice([String])
    case command
    case commandLine
}

/// A positional argument.
struct ArgumentSpec: Sendable {
    var name: String
    var arity: Arity
    var kind: ValueKind
    var help: String

    enum Arity: Sendable {
        case one, optional, any, several
        /// A program with its arguments, taken as they stand; `--` may precede it.
        case commandLine
    }

    init(_ name: String, _ arity: Arity, _ kind: ValueKind, _ help: String) {
        self.name = name
        self.arity = arity
        self.kind = kind
        self.help = help
    }

    var isRequired: Bool {
        switch arity {
        case .one, .several, .commandLine: true
        case .optional, .any: false
        }
    }

    /// `[SERVICE…]`, as the usage line shows it.
    var usage: String {
        switch arity {
        case .one: name
        case .optional: "[\(name)]"
        case .any: "[\(name)…]"
        case .several: "\(name)…"
        case .commandLine: "-- \(name) [ARG…]"
        }
    }
}
