/// The script that `devmesh completions fish` prints.
struct FishCompletions {
    var specs: [CommandSpec]

    var script: String {
        let shown = specs.filter { !$0.isHidden }
        let following = shown.filter { spec in spec.options.contains { $0.short == OptionSpec.file.short } }
        var lines = [FishCompletions.head.replacing("@FOLLOWING@", with: following.map(\.name).joined(separator: " "))]
        lines += ["complete -c devmesh -f"]
        let none = "-n __fish_use_subcommand"
        for option in [OptionSpec.file, .help, .flag("version", "V", "show the version")] {
            lines.append(line(option, condition: none))
        }
        for spec in shown {
            lines.append("complete -c devmesh \(none) -a \(spec.name) -d \(FishCompletions.quote(spec.abstract))")
        }
        for spec in shown {
            let condition = "-n '__fish_seen_subcommand_from \(spec.name)'"
            lines += spec.allOptions.map { line($0, condition: condition) }
            for (index, argument) in spec.arguments.enumerated() {
                guard let words = words(argument.kind) else { continue }
                let place =
                    switch argument.arity {
                    case .any, .several: condition
                    case .commandLine: "-n '__devmesh_rest >/dev/null'"
                    case .one, .optional: "-n '__devmesh_at \(spec.name) \(index)'"
                    }
                lines.append("complete -c devmesh \(place) \(words)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func line(_ option: OptionSpec, condition: String) -> String {
        var parts = ["complete -c devmesh", condition]
        if let short = option.short { parts.append("-s \(short)") }
        parts.append("-l \(option.long)")
        if let value = option.value {
            parts.append(value.kind == .file ? "-r -F" : "-x" + (words(value.kind).map { " " + $0 } ?? ""))
        }
        return (parts + ["-d", FishCompletions.quote(option.help)]).joined(separator: " ")
    }

    private func words(_ kind: ValueKind) -> String? {
        switch kind {
        case .text: nil
        case .file: "-F"
        case .service: "-a '(__devmesh_ask services)'"
        case .serviceList: "-a '(__fish_append , (__devmesh_ask services))'"
        case .serviceCount: "-a '(__devmesh_ask services)='"
        case .target: "-a '(__devmesh_ask targets (__devmesh_words)[2])'"
        case .choice(let choices): "-a '\(choices.joined(separator: " "))'"
        case .command: "-a '\(specs.filter { !$0.isHidden }.map(\.name).joined(separator: " "))'"
        case .commandLine: "-a '(complete -C (__devmesh_rest))'"
        }
    }

    static func quote(_ text: String) -> String {
        "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
    }

    private static let head = #"""
        # fish completions for devmesh, written by `devmesh completions fish`.

        # The command and its positional arguments before the cursor.
        function __devmesh_words
            set -l skip 0
            for word in (commandline -opc)[2..-1]
                if test $skip = 1
                    set skip 0
                else if contains -- $word -f --file
                    set skip 1
                else if not string match -q -- '-*' $word
                    echo $word
                end
            end
        end

        # Whether the cursor is at positional argument $argv[2] (from 0) of command $argv[1].
        function __devmesh_at
            set -l words (__devmesh_words)
            test (count $words) -eq (math $argv[2] + 1); and test "$words[1]" = $argv[1]
        end

        # The command line behind `--`, up to the cursor.
        function __devmesh_rest
            set -l words (commandline -opc)
            set -l at (contains -i -- -- $words); or return 1
            set -l rest (commandline -ct)
            test $at -lt (count $words); and set rest (string escape -- $words[(math $at + 1)..-1]) $rest
            echo "$rest"
        end

        function __devmesh_ask
            set -l file
            set -l previous
            set -l names -f --file
            for word in (commandline -opc)
                if contains -- "$previous" $names
                    set file -f $word
                else if contains -- $word @FOLLOWING@
                    set names --file
                end
                set previous $word
            end
            command devmesh $file __complete $argv 2>/dev/null
        end
        """#
}
