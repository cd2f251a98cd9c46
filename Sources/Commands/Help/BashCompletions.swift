/// The script that `devmesh completions bash` prints. It needs bash 3.2 and nothing else.
struct BashCompletions {
    var specs: [CommandSpec]

    var script: String {
        let shown = specs.filter { !$0.isHidden }
        var takesValue = [":-f|:--file"]
        var values = [":-f|:--file) _devmesh_files ;;"]
        var options = ["\"\") echo '--file --help --version' ;;"]
        var arguments = ["\"\":*) _devmesh_words '\(shown.map(\.name).joined(separator: " "))' ;;"]
        for spec in shown {
            options.append("\(spec.name)) echo '\(spec.allOptions.map { "--" + $0.long }.joined(separator: " "))' ;;")
            for option in spec.allOptions {
                guard let value = option.value else { continue }
                let names = ["--" + option.long] + (option.short.map { ["-\($0)"] } ?? [])
                let pattern = names.map { "\(spec.name):\($0)" }.joined(separator: "|")
                takesValue.append(pattern)
                if let call = call(value.kind) { values.append("\(pattern)) \(call) ;;") }
            }
            arguments += argumentCases(spec)
        }
        return BashCompletions.template
            .replacing("@TAKES_VALUE@", with: takesValue.joined(separator: "|"))
            .replacing("@VALUES@", with: values.joined(separator: "\n        "))
            .replacing("@OPTIONS@", with: options.joined(separator: "\n        "))
            .replacing("@ARGUMENTS@", with: arguments.joined(separator: "\n        "))
    }

    private func argumentCases(_ spec: CommandSpec) -> [String] {
        spec.arguments.enumerated().compactMap { index, argument in
            guard let call = call(argument.kind) else { return nil }
            switch argument.arity {
            case .one, .optional: return "\(spec.name):\(index)) \(call) ;;"
            case .any, .several, .commandLine: return "\(spec.name):*) \(call) ;;"
            }
        }
    }

    private func call(_ kind: ValueKind) -> String? {
        switch kind {
        case .text: nil
        case .file: "_devmesh_files"
        case .service: "_devmesh_words \"$(_devmesh_ask services)\""
        case .serviceList: "_devmesh_list \"$(_devmesh_ask services)\""
        case .serviceCount: "_devmesh_words \"$(_devmesh_ask services)\" =; compopt -o nospace 2>/dev/null"
        case .target: "_devmesh_words \"$(_devmesh_ask targets \"${positionals[0]}\")\""
        case .choice(let choices): "_devmesh_words '\(choices.joined(separator: " "))'"
        case .command: "_devmesh_words '\(specs.filter { !$0.isHidden }.map(\.name).joined(separator: " "))'"
        case .commandLine: "_devmesh_commands"
        }
    }

    private static let template = #"""
        # bash completions for devmesh, written by `devmesh completions bash`.

        _devmesh_ask() { command devmesh ${file:+-f "$file"} __complete "$@" 2>/dev/null; }

        _devmesh_words() { COMPREPLY=($(compgen -W "$1" ${2:+-S "$2"} -- "$current")); }

        _devmesh_files() {
            local IFS=$'\n'
            COMPREPLY=($(compgen -f -- "$current"))
            compopt -o filenames 2>/dev/null
        }

        _devmesh_commands() { COMPREPLY=($(compgen -c -f -- "$current")); }

        # Words after the last comma.
        _devmesh_list() {
            local before=
            [[ $current == *,* ]] && before=${current%,*},
            COMPREPLY=($(compgen -P "$before" -W "$1" -- "${current##*,}"))
        }

        _devmesh_takes_value() {
            case $1 in
            @TAKES_VALUE@) return 0 ;;
            esac
            return 1
        }

        _devmesh_options() {
            case $1 in
                @OPTIONS@
            esac
        }

        _devmesh_value() {
            case $1 in
                @VALUES@
            esac
        }

        _devmesh_argument() {
            case $1 in
                @ARGUMENTS@
            esac
        }

        _devmesh() {
            local current= option= command= file= word= index glued= ended=
            local -a words positionals
            COMPREPLY=()
            # Readline splits `--for=ready` at the equals sign: put it together again.
            for ((index = 1; index <= COMP_CWORD; index++)); do
                word=${COMP_WORDS[index]}
                if [[ ${#words[@]} -gt 0 && ( $word == = || -n $glued ) && ${words[${#words[@]} - 1]} == -* ]]; then
                    words[${#words[@]} - 1]+=$word
                    [[ $word == = ]] && glued=1 || glued=
                else
                    words+=("$word")
                    glued=
                fi
            done
            current=${words[${#words[@]} - 1]}
            for ((index = 0; index < ${#words[@]} - 1; index++)); do
                word=${words[index]}
                if [[ -n $option ]]; then
                    [[ $option == -f || $option == --file ]] && file=$word
                    option=
                elif [[ $word == -- ]]; then
                    ended=1
                elif [[ -z $ended && $word == --file=* ]]; then
                    file=${word#*=}
                elif [[ -z $ended && $word == -* ]]; then
                    _devmesh_takes_value "$command:$word" && option=$word
                elif [[ -z $command ]]; then
                    command=$word
                else
                    positionals+=("$word")
                fi
            done
            if [[ -n $option ]]; then
                _devmesh_value "$command:$option"
            elif [[ -z $ended && $current == --*=* ]]; then
                option=${current%%=*}
                current=${current#*=}
                _devmesh_value "$command:$option"
            elif [[ -z $ended && $current == -* ]]; then
                _devmesh_words "$(_devmesh_options "$command")"
            else
                _devmesh_argument "$command:${#positionals[@]}"
            fi
        }

        complete -F _devmesh devmesh

        """#
}
