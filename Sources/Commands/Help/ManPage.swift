/// `devmesh(1)` in roff (man(7) macros), written from the commands' own data.
struct ManPage {
    var specs: [CommandSpec]
    var version: String

    var roff: String {
        var page = [".TH DEVMESH 1 \"\" \"devmesh \(version)\" \"User Commands\"", ".SH NAME"]
        page += [ManPage.escape("devmesh - run a project's services on this machine"), ".SH SYNOPSIS"]
        page += [".B devmesh", "[\\fB\\-f\\fR \\fIFILE\\fR] \\fICOMMAND\\fR [\\fIOPTION\\fR...]", ".SH DESCRIPTION"]
        page += [ManPage.escape(HelpText.purpose), ".SH COMMANDS"]
        for spec in specs where !spec.isHidden { page += section(spec) }
        page += [".SH ENVIRONMENT"]
        for (name, meaning) in ManPage.environment { page += [".TP", ".B " + name, ManPage.escape(meaning)] }
        page += [".SH EXIT STATUS"]
        for status in ExitCode.allCases {
            page += [".TP", ".B \(status.rawValue)", ManPage.escape(status.meaning)]
        }
        page += [".SH FILES"]
        for (name, meaning) in ManPage.files { page += [".TP", ".I " + ManPage.escape(name), ManPage.escape(meaning)] }
        return page.joined(separator: "\n") + "\n"
    }

    private func section(_ spec: CommandSpec) -> [String] {
        var lines = [".SS " + ManPage.escape(HelpText.usage(spec)), ManPage.escape(HelpText.sentence(spec.abstract))]
        for paragraph in spec.details.split(separator: "\n\n") {
            lines += [".PP", ManPage.escape(paragraph)]
        }
        for option in spec.options {
            let short = option.short.map { "\\fB\\-\($0)\\fR, " } ?? ""
            let value = option.value.map { " \\fI\(ManPage.escape($0.placeholder))\\fR" } ?? ""
            lines += [
                ".TP", "\(short)\\fB\\-\\-\(ManPage.escape(option.long))\\fR\(value)", ManPage.escape(option.help),
            ]
        }
        for example in spec.examples {
            lines += [".PP", ManPage.escape(HelpText.sentence(example.purpose))]
            lines += [".RS 4", ".nf", ManPage.escape(example.line), ".fi", ".RE"]
        }
        return lines
    }

    /// Backslashes, hyphens that must stay hyphens, and a point or quote that would begin a request.
    static func escape(_ text: some StringProtocol) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "\\": escaped += "\\e"
            case "-": escaped += "\\-"
            case "…": escaped += "..."
            case ".", "'": escaped += escaped.isEmpty || escaped.last == "\n" ? "\\&\(character)" : String(character)
            default: escaped.append(character)
            }
        }
        return escaped
    }

    private static let environment = [
        ("DEVMESH_FILE", "The manifest, where -f does not name one."),
        ("NO_COLOR", "No colours, whatever its value, unless that is empty."),
        ("XDG_STATE_HOME", "Where the registry of ports is kept, in devmesh/ports.json; ~/.local/state by default."),
        ("XDG_RUNTIME_DIR", "Where the control sockets of running meshes are, in devmesh/."),
    ]

    private static let files = [
        ("services.json", "The manifest. `devmesh schema` prints its JSON Schema."),
        (".devmesh/", "Logs and state of the project, beside the manifest; it ignores itself for git."),
    ]
}
