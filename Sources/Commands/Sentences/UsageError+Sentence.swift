extension UsageError {
    /// What is wrong and what to do next, in one or two sentences.
    var sentence: String {
        switch self {
        case .unknownCommand(let name, let nearest?):
            "There is no command \"\(name)\". Did you mean \"\(nearest)\"?"
        case .unknownCommand(let name, nil):
            "There is no command \"\(name)\"; `devmesh help` lists them all."
        case .notYet(let command):
            "devmesh does not do \"\(command)\" yet; `devmesh help` lists what it does."
        case .unknownOption(let option, let command, let nearest?):
            "\(Phrase.subject(command)) has no option \(option). Did you mean \(nearest)?"
        case .unknownOption(let option, let command, nil):
            "\(Phrase.subject(command)) has no option \(option); see `\(Phrase.help(command))`."
        case .missingValue(let option, let placeholder, let command):
            "\(option) needs a value, as in `\(option) \(placeholder)`; see `\(Phrase.help(command))`."
        case .unexpectedValue(let option, let command):
            "\(option) takes no value; see `\(Phrase.help(command))`."
        case .unexpectedArgument(let argument, let command):
            "`devmesh \(command)` has no use for \"\(argument)\"; see `\(Phrase.help(command))`."
        case .missingArgument(let name, let command):
            "`devmesh \(command)` needs \(name); see `\(Phrase.help(command))`."
        case .invalidValue(let text, let option, let expected):
            "\(option) can't be \"\(text)\"; it is \(expected)."
        case .missingTarget(let service):
            "`devmesh use \(service)` needs a target: local or remote, or --reset to go back to the manifest's."
        case .notAScale(let text):
            "\"\(text)\" does not say how many instances; write SERVICE=N with N from 1 up, as reader=3. "
                + "`devmesh stop SERVICE` leaves none."
        case .badLogQuery(let sentence):
            sentence
        case .needsCompany(let one, let others):
            "\(one) alone changes nothing; add \(others)."
        case .conflict(let one, let other):
            "\(one) and \(other) exclude each other; leave one of them out."
        }
    }
}
