/// The script that `devmesh completions zsh` prints: `_devmesh`, for a folder in `$fpath`.
struct ZshCompletions {
    var specs: [CommandSpec]

    var script: String {
        let shown = specs.filter { !$0.isHidden }
        let names = shown.map { "        '\($0.name):\(ZshCompletions.quote($0.abstract))'" }
        let cases = shown.map { spec in
            let lines = spec.allOptions.map(option) + spec.arguments.enumerated().map(argument)
            return "        \(spec.name))\n            _arguments -s -S \\\n                "
                + lines.joined(separator: " \\\n                ") + "\n            ;;"
        }
        return ZshCompletions.template
            .replacing("@COMMANDS@", with: names.joined(separator: "\n"))
            .replacing("@CASES@", with: cases.joined(separator: "\n"))
    }

    /// `'(-n --lines)'{-n+,--lines=}'[how many lines]:N: '`
    private func option(_ option: OptionSpec) -> String {
        let help = "[\(ZshCompletions.quote(option.help))]"
        let value = option.value.map { ":\($0.placeholder):\(action($0.kind))" } ?? ""
        let equals = option.value == nil ? "" : "="
        guard let short = option.short else { return "'--\(option.long)\(equals)\(help)\(value)'" }
        let plus = option.value == nil ? "" : "+"
        return "'(-\(short) --\(option.long))'{-\(short)\(plus),--\(option.long)\(equals)}'\(help)\(value)'"
    }

    private func argument(_ index: Int, _ argument: ArgumentSpec) -> String {
        switch argument.arity {
        case .one: "'\(index + 1):\(argument.name):\(action(argument.kind))'"
        case .optional: "'\(index + 1)::\(argument.name):\(action(argument.kind))'"
        case .any, .several: "'*:\(argument.name):\(action(argument.kind))'"
        // Three colons: only its own words are to be seen. The blank keeps `_arguments` from adding some of its own.
        case .commandLine: "'*:::\(argument.name): _devmesh_command_line'"
        }
    }

    private func action(_ kind: ValueKind) -> String {
        switch kind {
        case .text: " "
        case .file: "_files"
        case .service: "_devmesh_services"
        case .serviceList: "_sequence _devmesh_services"
        case .serviceCount: "_devmesh_counts"
        case .target: "_devmesh_targets"
        case .choice(let choices): "(\(choices.joined(separator: " ")))"
        case .command: "(\(specs.filter { !$0.isHidden }.map(\.name).joined(separator: " ")))"
        case .commandLine: "_normal"
        }
    }

    /// For a text inside single quotes that `_arguments` or `_describe` takes apart at colons and brackets.
    private static func quote(_ text: String) -> String {
        var quoted = ""
        for character in text {
            switch character {
            case "'": quoted += "'\\''"
            case ":", "[", "]", "\\": quoted += "\\\(character)"
            case "`": quoted += "\\`"
            default: quoted.append(character)
            }
        }
        return quoted
    }

    private static let template = #"""
        #compdef devmesh
        # zsh completions for devmesh, written by `devmesh completions zsh`.

        _devmesh_ask() {
            local file=${opt_args[-f]:-${opt_args[--file]:-$devmesh_file}}
            command devmesh ${file:+-f} ${file:+"$file"} __complete "$@" 2>/dev/null
        }

        _devmesh_services() {
            local -a names
            names=(${(f)"$(_devmesh_ask services)"})
            compadd "$@" -a names
        }

        _devmesh_counts() {
            local -a names
            names=(${(f)"$(_devmesh_ask services)"})
            compadd "$@" -S = -a names
        }

        _devmesh_targets() {
            local -a names
            names=(${(f)"$(_devmesh_ask targets ${line[1]})"})
            compadd "$@" -a names
        }

        _devmesh_command_line() {
            if (( CURRENT == 1 )); then _command_names -e; else _normal; fi
        }

        _devmesh() {
            local context state state_descr curcontext=$curcontext devmesh_file
            local -a line names
            typeset -A opt_args
            names=(
        @COMMANDS@
            )
            _arguments -C -S \
                '(-f --file)'{-f+,--file=}'[the manifest]:FILE:_files' \
                '(-h --help)'{-h,--help}'[show the help]' \
                '(-V --version)'{-V,--version}'[show the version]' \
                '1:command:->command' \
                '*::argument:->argument'
            devmesh_file=${opt_args[-f]:-$opt_args[--file]}
            case $state in
            command) _describe -t commands 'devmesh command' names ;;
            argument)
                curcontext=${curcontext%:*:*}:devmesh-$words[1]:
                case $words[1] in
        @CASES@
                esac
                ;;
            esac
        }

        if [[ $funcstack[1] == _devmesh ]]; then
            _devmesh "$@"
        else
            compdef _devmesh devmesh
        fi

        """#
}
